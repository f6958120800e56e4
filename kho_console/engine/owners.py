"""Whose memory each preserved range is."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from kho_console.abi import kho2024_tree, luo_session, runs, vmalloc
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory, PhysicalMemory
from kho_console.model.blob import Blob, BlobState, KhoTest, LuoHeader, MemblockTree
from kho_console.model.few import few
from kho_console.model.kho2024 import Kho2024
from kho_console.model.memory import MemoryRange
from kho_console.model.owner import Owner, OwnerKind, Ownership
from kho_console.model.preserved import PreservedMap, Runs
from kho_console.model.session import Memfd
from kho_console.model.tree import RootTree
from kho_console.model.unknown import Unknown
from kho_console.model.value import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kho_console.model.preserved import Addresses, Buffer

    Cut = tuple[Buffer, Buffer, Buffer]

_MOST_FOLIOS = 1 << 20
"""The test module preserves 8 MiB unless it is told otherwise."""

_LAST = (1 << 64) - 1

Held: TypeAlias = tuple[Runs, int]
"""Memory, and the number of the owner that holds it."""

REST = Owner(OwnerKind.UNATTRIBUTED)


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """An owner and the memory it is known to hold, preserved or not."""

    owner: Owner
    memory: Runs


def claims(
    memory: PhysicalMemory,
    page_size: int,
    tree: RootTree | None,
    blobs: Iterable[Blob],
    memfds: Iterable[tuple[Memfd, bytes | None]],
) -> Iterator[Claim]:
    """Everything that is known to own memory on one side.

    Args:
        memory: Where lists of pages are followed.
        page_size: Bytes of a page of order 0.
        tree: The root tree, best the recovered one, which knows all addresses.
        blobs: The side's blobs.
        memfds: Memfds, each with its session where that is known.
    """
    if tree is not None and not isinstance(tree.address, Unknown):
        yield _claim(Owner(OwnerKind.ROOT_TREE), [(tree.address, page_size)], page_size)
    for blob in blobs:
        pointer = tree.pointer(blob.name) if tree else None
        address = pointer.address if pointer else blob.address
        if not isinstance(address, Unknown):
            owner = Owner(OwnerKind.BLOB, blob.name)
            size = 1 if isinstance(blob.size, Unknown) else max(blob.size, 1)
            yield _claim(owner, [(address, size)], page_size)
        if blob.state is BlobState.VALID:
            yield from _contents(memory, page_size, blob)
    for item, session in memfds:
        name = b"0x%x" % item.address
        yield Claim(Owner(OwnerKind.MEMFD, name, session, item.size), item.content)
        records = [(piece.start, piece.size) for piece in item.records]
        yield _claim(Owner(OwnerKind.MEMFD_RECORD, name, session), records, page_size)


def attribute(preserved: PreservedMap, claimed: Iterable[Claim], complete: bool) -> Ownership:
    """The preserved ranges cut where their owner changes.

    Where two owners claim the same bytes, the claim that starts first keeps them.
    """
    claims = tuple(claimed)
    owners = tuple(dict.fromkeys((REST, *(claim.owner for claim in claims))))
    numbers = {owner: number for number, owner in enumerate(owners)}
    held = [(claim.memory, numbers[claim.owner]) for claim in claims]
    is_few = few(len(preserved.ranges) + sum(len(memory) for memory, _ in held))
    cut = (_cut_few if is_few else _cut_many)(preserved.ranges, held)
    return Ownership(*cut, owners, complete)


def _cut_few(ranges: Runs, held: Sequence[Held]) -> "Cut":
    starts, ends, owned = array("Q"), array("Q"), array("i")
    for start, end, number in _pieces(ranges, held):
        if owned and owned[-1] == number and ends[-1] == start:
            ends[-1] = end
        else:
            starts.append(start)
            ends.append(end)
            owned.append(number)
    return starts, ends, owned


def _pieces(ranges: Runs, held: Sequence[Held]) -> Iterator[tuple[int, int, int]]:
    """The ranges cut where something held begins or ends; the rest is number 0."""
    found = [(*pair, number) for memory, number in held for pair in memory.pairs()]
    ascending = iter(sorted(found, key=itemgetter(0)))
    nothing = (_LAST, _LAST, 0)
    begin, behind, number = next(ascending, nothing)
    for at, end in ranges.pairs():
        while at < end:
            while behind <= at:
                begin, behind, number = next(ascending, nothing)
            owner, until = (number, behind) if begin <= at else (0, begin)
            yield at, min(until, end), owner
            at = min(until, end)


def _cut_many(ranges: Runs, held: Sequence[Held]) -> "Cut":
    import numpy as np

    first, last, owner_of = _disjoint(held)
    low, high, heads = ranges.starts, ranges.ends, np.empty(0, np.intp)
    cuts = _inside(np.column_stack((first, last)).ravel(), ranges)
    if len(cuts):  # There may be millions of ranges and no cut; then nothing is copied.
        behind = low.searchsorted(cuts)
        low, high = np.insert(low, behind, cuts), np.insert(high, behind - 1, cuts)
        heads = behind + np.arange(len(cuts))
    owned = np.zeros(len(low), np.int32)
    places = (low.searchsorted(first).tolist(), low.searchsorted(last).tolist())
    for number, begin, end in zip(owner_of.tolist(), *places, strict=True):
        owned[begin:end] = number
    needless = heads[owned[heads] == owned[heads - 1]]
    if len(needless):
        low, high = np.delete(low, needless), np.delete(high, needless - 1)
        owned = np.delete(owned, needless)
    return low, high, owned


def _claim(owner: Owner, pieces: Iterable[tuple[int, int]], page_size: int) -> Claim:
    """A claim on whole pages around `(address, size)` pieces."""
    return Claim(
        owner,
        runs.of_ranges(
            (start // page_size * page_size, -(-(start + size) // page_size) * page_size)
            for start, size in pieces
        ),
    )


def _contents(memory: PhysicalMemory, page_size: int, blob: Blob) -> Iterator[Claim]:
    match blob.payload:
        case MemblockTree(regions=regions):
            for region in regions:
                owner = Owner(OwnerKind.RESERVE_MEM, region.name)
                yield Claim(owner, runs.of_ranges([(region.start, region.start + region.size)]))
        case LuoHeader() as header:
            yield from _live_update(header, page_size)
        case KhoTest() as test:
            yield from _kho_test(memory, page_size, test)
        case Kho2024() as found:
            yield from _inline(page_size, found)


def _inline(page_size: int, found: Kho2024) -> Iterator[Claim]:
    """The `mem` arrays of the series of 2024; buffers of the function tracer by their CPU."""
    traced = {
        b"/ftrace/" + item.name + b"/cpu%x" % cpu.cpu for item in found.arrays for cpu in item.cpus
    }
    for mem in found.mem:
        kind, name = OwnerKind.BLOB, mem.path.removeprefix(b"/")
        if mem.path in traced:
            kind, name = OwnerKind.TRACE_BUFFER, name.removeprefix(b"ftrace/")
        pages = kho2024_tree.pages_of(mem.ranges, page_size)
        yield Claim(Owner(kind, name), pages)


def _live_update(header: LuoHeader, page_size: int) -> Iterator[Claim]:
    """Record pages whose address stands in the blob; from 7.2 on none does before the kexec."""
    pieces: list[MemoryRange] = []
    if header.sessions and header.session_format != "blocks":
        pieces.append(luo_session.array_range(header, page_size))
    if not isinstance(header.flbs, Unknown) and header.flbs:
        pieces.append(MemoryRange(header.flbs, page_size))
    for piece in pieces:
        yield _claim(Owner(OwnerKind.LIVE_UPDATE), [(piece.start, piece.size)], page_size)


def _kho_test(memory: PhysicalMemory, page_size: int, test: KhoTest) -> Iterator[Claim]:
    folios = test.inline or ()
    if test.vmalloc is not None and test.folios <= _MOST_FOLIOS:
        try:
            area = vmalloc.walk(memory, test.vmalloc, page_size)
            listed = vmalloc.read_bytes(memory, area, page_size, test.folios * 8)
        except (FormatError, MissingMemory):
            return
        pages = [(chunk, page_size) for chunk in area.chunks]
        pages += [(block, page_size << area.order) for block in area.blocks]
        yield _claim(Owner(OwnerKind.VMALLOC, b"kho_test"), pages, page_size)
        words = (int.from_bytes(listed[at : at + 8], "little") for at in range(0, len(listed), 8))
        folios = tuple((word & -page_size, word & (page_size - 1)) for word in words)
    sized = [(address, page_size << order) for address, order in folios if order < 40]
    yield _claim(Owner(OwnerKind.KHO_TEST), sized, page_size)


def _disjoint(held: Sequence[Held]) -> "tuple[Addresses, Addresses, NDArray[np.int32]]":
    """What is held and by whom, ascending; what two hold goes to the one that starts first."""
    import numpy as np

    memory = [found for found, _ in held] or [runs.empty()]
    first = np.concatenate([found.starts for found in memory])
    last = np.concatenate([found.ends for found in memory])
    numbers = np.array([number for _, number in held], np.int32)
    owner_of = np.repeat(numbers, np.array([len(found) for found, _ in held], np.intp))
    order = np.argsort(first, kind="stable")
    first, last, owner_of = first[order], last[order], owner_of[order]
    if len(first) > 1:
        reach = np.maximum.accumulate(last)
        first[1:] = np.maximum(first[1:], reach[:-1])
    kept = first < last
    return first[kept], last[kept], owner_of[kept]


def _inside(edges: "Addresses", ranges: Runs) -> "Addresses":
    """Those of ascending edges that cut a range in two, each once."""
    import numpy as np

    if not len(ranges):
        return edges[:0]
    at = np.maximum(ranges.starts.searchsorted(edges, side="left"), 1) - 1
    cutting = edges[(ranges.starts[at] < edges) & (edges < ranges.ends[at])]
    new = np.ones(len(cutting), np.bool_)
    new[1:] = cutting[1:] != cutting[:-1]
    once: Addresses = cutting[new]
    return once
