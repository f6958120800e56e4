"""The chunk list of preserved memory, 6.16 to 7.0.

Chunks are pages in a list, each for one order, with entries that point at bitmaps. A bitmap is
512 bytes in 6.16 and 6.17 and a page from 6.18 on, and nothing in the list says which.
Source: kernel/kexec_handover.c (6.16 to 6.18), kernel/liveupdate/kexec_handover.c (6.19, 7.0).
"""

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

from kho_console.abi import bitmaps, runs
from kho_console.abi.bitmaps import Counted, Gathered, Taker
from kho_console.abi.error import FormatError
from kho_console.abi.memory import ADDRESS_LIMIT, PhysicalMemory, page_of
from kho_console.model.generation import MapFormat
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import PreservedMap, Runs, Totals
from kho_console.model.value import dataclass

_HEADER = struct.Struct("<QII")
_ENTRY = struct.Struct("<QQ")
_SMALL_BITMAP = 512
_MAXIMUM_CHUNKS = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """A bitmap: the address its first bit stands for, and where it lies. Both physical."""

    start: int
    bitmap: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """One page of the list; all its entries are of one order."""

    address: int
    order: int
    entries: tuple[Entry, ...]


def walk(memory: PhysicalMemory, head: int, page_size: int) -> Iterator[Chunk]:
    """The chunks from physical address `head` on; none where it is 0.

    Raises:
        FormatError: A chunk is unaligned, repeats, or announces more than fits.
        MissingMemory: A chunk cannot be had.
    """
    capacity = (page_size - _HEADER.size) // _ENTRY.size
    shift = page_size.bit_length() - 1
    seen: set[int] = set()
    address = head
    while address:
        if address >= ADDRESS_LIMIT:
            raise FormatError(address, "a chunk lies beyond 2^56")
        if address in seen or len(seen) >= _MAXIMUM_CHUNKS:
            raise FormatError(address, "the chunk list does not end")
        seen.add(address)
        page = page_of(memory, address, page_size, "a chunk")
        following, order, used = _HEADER.unpack_from(page)
        if used > capacity:
            raise FormatError(address + 12, f"{used} entries where {capacity} fit")
        if order + shift >= 56:
            raise FormatError(address + 8, f"order {order} is larger than any memory")
        entries = (
            Entry(*_ENTRY.unpack_from(page, _HEADER.size + index * _ENTRY.size))
            for index in range(used)
        )
        yield Chunk(address, order, tuple(entries))
        address = following


def proof_of_small_bitmaps(chunks: Iterable[Chunk], page_size: int) -> str | None:
    """What in the list shows that bitmaps have 512 bytes; None where nothing does.

    A bitmap of a page spans `page_size * 8` blocks. Starts that are no multiple of that, starts
    closer together, and bitmaps that are not page aligned cannot be such bitmaps.
    """
    taken: dict[int, set[int]] = defaultdict(set)
    for chunk in chunks:
        span = page_size * 8 * page_size << chunk.order
        for entry in chunk.entries:
            if entry.bitmap % page_size:
                return f"bitmap at 0x{entry.bitmap:x} is not page aligned"
            if entry.start % span:
                return f"range at 0x{entry.start:x} is no multiple of 0x{span:x}"
            if entry.start in taken[chunk.order]:
                return f"two bitmaps of order {chunk.order} start at 0x{entry.start:x}"
            taken[chunk.order].add(entry.start)
    return None


def read(
    memory: PhysicalMemory,
    head: int,
    page_size: int,
    *,
    release_has_small_bitmaps: bool,
    known: Iterable[MemoryRange] = (),
    ram: Iterable[MemoryRange] = (),
) -> PreservedMap:
    """The preserved memory that the list at physical address `head` names.

    Args:
        memory: Where chunks and bitmaps are read.
        head: Physical address of the first chunk; 0 is an empty list.
        page_size: 4096, 16384 or 65536.
        release_has_small_bitmaps: What the kernel's release says of its bitmaps; it decides only
            where nothing else does.
        known: Ranges that must be preserved, from blobs; one that only whole-page bitmaps name
            shows that these are the true ones.
        ram: The machine's memory; blocks outside it show that the bytes behind the first 512 of
            a bitmap are no part of it.

    Raises:
        FormatError: The list is damaged, or names memory no machine has.
        MissingMemory: A page of it cannot be had.
    """
    chunks = tuple(walk(memory, head, page_size))
    small = _decode(memory, chunks, page_size, _SMALL_BITMAP, head)
    if proof_of_small_bitmaps(chunks, page_size):
        return small
    try:
        large = _decode(memory, chunks, page_size, page_size, head)
    except FormatError:
        return small
    if any(large.ranges.covers(item) and not small.ranges.covers(item) for item in known):
        return large
    if not _inside(large.ranges, ram) and _inside(small.ranges, ram):
        return small
    chosen = small if release_has_small_bitmaps else large
    if not chunks:
        return chosen
    same = "; both give the same memory" if small.bytes == large.bytes else ""
    tie = (
        f"the list fits bitmaps of 512 bytes and of a page{same}; "
        f"the kernel's release decided for {chosen.format}"
    )
    return replace(chosen, tie=tie)


def totals(memory: PhysicalMemory, head: int, page_size: int, form: MapFormat) -> Totals:
    """What a list whose bitmaps are known to be of `form` sums up to.

    Raises:
        FormatError: The list is damaged, or names memory no machine has.
        MissingMemory: A page of it cannot be had.
    """
    chunks = tuple(walk(memory, head, page_size))
    size = _SMALL_BITMAP if form is MapFormat.CHUNKS_512 else page_size
    found = _bitmaps(memory, chunks, page_size, size, Counted)
    return bitmaps.totals(found) or _decode(memory, chunks, page_size, size, head).totals


def _inside(found: Runs, ram: Iterable[MemoryRange]) -> bool:
    """Whether all of it lies in memory. Of memory there are few ranges, of the others millions."""
    memory = runs.of_ranges((item.start, item.end) for item in ram)
    return not len(memory) or not any(found.touches(hole) for hole in runs.holes(memory))


def _decode(
    memory: PhysicalMemory, chunks: tuple[Chunk, ...], page_size: int, size: int, head: int
) -> PreservedMap:
    found = _bitmaps(memory, chunks, page_size, size, Gathered)
    by_order = {order: found[order].runs() for order in sorted(found)}
    pages = runs.of_pages((chunk.address for chunk in chunks), page_size)
    named = runs.of_pages((entry.bitmap for chunk in chunks for entry in chunk.entries), size)
    return PreservedMap(
        format=MapFormat.CHUNKS_512 if size == _SMALL_BITMAP else MapFormat.CHUNKS_PAGE,
        page_size=page_size,
        root=head,
        structure=runs.joined([pages, named]),
        by_order=by_order,
        ranges=runs.union(by_order),
    )


def _bitmaps(
    memory: PhysicalMemory,
    chunks: tuple[Chunk, ...],
    page_size: int,
    size: int,
    taker: type[Taker],
) -> dict[int, Taker]:
    """What takes the bitmaps of each order, where a bitmap has `size` bytes."""
    _check_apart([entry.bitmap for chunk in chunks for entry in chunk.entries], size)
    found: dict[int, Taker] = {}
    empty = bytes(size)
    for chunk in chunks:
        block = page_size << chunk.order
        for entry in chunk.entries:
            _check(chunk, entry, block)
            content = memory.read(entry.bitmap, size)
            if content == empty:
                continue
            if not bitmaps.within(ADDRESS_LIMIT, entry.start, block, content):
                raise FormatError(entry.bitmap, "a bitmap names memory beyond 2^56")
            if chunk.order not in found:
                found[chunk.order] = taker(block)
            found[chunk.order].add(entry.start, content)
    return found


def _check_apart(bitmaps: list[int], size: int) -> None:
    """That no two bitmaps share a byte: a short list could name endless memory by sharing them."""
    bitmaps.sort()
    for left, right in pairwise(bitmaps):
        if right - left < size:
            raise FormatError(right, "two bitmaps of the chunk list share memory")


def _check(chunk: Chunk, entry: Entry, block: int) -> None:
    if entry.start % block:
        raise FormatError(chunk.address, f"range at 0x{entry.start:x} is not a block of its order")
    if not entry.bitmap:
        raise FormatError(chunk.address, f"no bitmap for the range at 0x{entry.start:x}")
    if entry.bitmap >= ADDRESS_LIMIT:
        raise FormatError(chunk.address, f"a bitmap at 0x{entry.bitmap:x}, beyond 2^56")


def write(
    by_order: dict[int, Runs], chunks: tuple[Chunk, ...], page_size: int, form: MapFormat
) -> dict[int, bytes]:
    """The pages of a list: chunk and bitmap content by physical address.

    Args:
        by_order: Runs of whole blocks for each order.
        chunks: Where the chunks and bitmaps go, in list order.
        page_size: 4096, 16384 or 65536.
        form: CHUNKS_512 or CHUNKS_PAGE.

    Raises:
        FormatError: A preserved block lies in no bitmap of its order.
    """
    size = _SMALL_BITMAP if form is MapFormat.CHUNKS_512 else page_size
    content: dict[int, bytes] = {}
    written: dict[int, int] = defaultdict(int)
    for position, chunk in enumerate(chunks):
        following = chunks[position + 1].address if position + 1 < len(chunks) else 0
        page = bytearray(page_size)
        _HEADER.pack_into(page, 0, following, chunk.order, len(chunk.entries))
        found = by_order.get(chunk.order, runs.empty())
        for index, entry in enumerate(chunk.entries):
            at = _HEADER.size + index * _ENTRY.size
            _ENTRY.pack_into(page, at, entry.start, entry.bitmap)
            bitmap = runs.bitmap_of(found, entry.start, page_size << chunk.order, size)
            content[entry.bitmap] = bitmap
            written[chunk.order] += int.from_bytes(bitmap, "little").bit_count()
        content[chunk.address] = bytes(page)
    for order, found in by_order.items():
        if written[order] * (page_size << order) != found.bytes:
            raise FormatError(0, f"blocks of order {order} lie in no bitmap")
    return content
