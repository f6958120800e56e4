"""The handover of a recorded kernel, taken over by its twin.

What the fixture shows stays as it is; what it cannot show (where a page lies whose address no file
gives) is put where there is room.
"""

from kho_console.abi import chunk_list, fdt, luo, memblock, radix_tree, root_tree
from kho_console.abi.error import FormatError
from kho_console.abi.fdt_header import MAGIC
from kho_console.abi.memory import MissingMemory
from kho_console.abi.scratch_request import Malformed
from kho_console.model.blob import LuoHeader, ReservedRegion
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs
from kho_console.model.tree import BlobPointer, RootTree
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.protocol import Source
from kho_console.twin.files import Window
from kho_console.twin.handover import Handover
from kho_console.twin.hardware import Hardware
from kho_console.twin.kernel import DEVICE, Kernel
from kho_console.twin.luo import Outgoing
from kho_console.twin.luo_incoming import Incoming
from kho_console.twin.platform import names, read_bytes
from kho_console.twin.producers import Memblock
from kho_console.twin.refused import Refused
from kho_console.twin.regions import place
from kho_console.twin.tracker import BitmapTracker, RadixTracker, all_ranges, coarse

_BLOB_LIMIT = 1 << 20
_MOST_PAGES = 1 << 16
"""Preserved pages among which the root tree is looked for."""

_WIRE_ORDER = (b"memblock", b"LUO", b"kexec-metadata")
"""Newest first, as every kernel registers its own producers."""


def root_tree_of(source: Source, machine: Hardware, side: str = "out") -> RootTree | None:
    """What a side's `fdt` shows; None where there is none, or none that can be read."""
    content = read_bytes(source, f"{machine.kho}/{side}/fdt")
    try:
        return None if content is None else root_tree.read(content)
    except FormatError:
        return None


def known_ranges(source: Source, machine: Hardware) -> list[MemoryRange]:
    """Memory that is preserved for certain: the regions that the `memblock` blob names."""
    found = regions_of(source, machine, "out")
    return [MemoryRange(item.start, item.size & -machine.page_size) for item in found]


def regions_of(source: Source, machine: Hardware, side: str) -> tuple[ReservedRegion, ...]:
    """The `reserve_mem` regions that a side's blob names."""
    content = read_bytes(source, f"{machine.kho}/{side}/sub_fdts/memblock")
    try:
        return () if content is None else memblock.decode(fdt.read(content)).regions
    except FormatError:
        return ()


def take(
    source: Source, kernel: Kernel, areas: tuple[MemoryRange, ...], assumptions: list[str]
) -> None:
    """Go on with what the recorded kernel hands on and what it received."""
    machine, row = kernel.hardware, kernel.row
    shown = root_tree_of(source, machine)
    regions = _regions(source, kernel, areas)
    for piece in _held(source, kernel, regions):
        kernel.allocator.take(piece)
    tracker, chunks = _tracker(kernel, shown)
    hand = Handover(row, machine, kernel.allocator, areas, tracker)
    hand.chunks, hand.regions = chunks, regions
    hand.finalized = read_bytes(source, f"{machine.kho}/out/finalize") == b"1\n"
    kernel.handover = hand
    whole = None if tracker is None else _recovered(hand)
    if tracker is None and not row.reversible:
        assumptions.append("of what is preserved only the blobs and their regions are known")
    _take_tree(hand, shown, whole)
    _take_blobs(source, hand, whole or shown)
    header = _luo_header(source, machine, "out")
    if tracker is None and not row.reversible:
        _preserve_again(hand, regions, header)
    if row.reversible:
        if regions:
            hand.producers.append(Memblock(hand, regions, _page(hand, memblock.NAME)).register)
        hand.preserver.shut = hand.finalized
    else:
        _show_window(source, hand)
    _take_live_update(source, kernel, header)


def _regions(
    source: Source, kernel: Kernel, areas: tuple[MemoryRange, ...]
) -> tuple[ReservedRegion, ...]:
    """The regions by a side's blob; else by the command line, with places that the twin chose."""
    machine = kernel.hardware
    for side in ("out", "in"):
        found = regions_of(source, machine, side)
        if found:
            return found
    placed: list[ReservedRegion] = []
    for wanted in kernel.options.reserve_mem:
        if isinstance(wanted, Malformed):
            continue
        taken = tuple(MemoryRange(item.start, item.size) for item in placed)
        made = place(machine, wanted, machine.kept + areas + taken)
        if made is not None:
            placed.append(made)
    return tuple(placed)


def _tracker(
    kernel: Kernel, tree: RootTree | None
) -> tuple[BitmapTracker | RadixTracker | None, list[int]]:
    """The kernel's own records, with the pages of its chunk list; None where they are not known."""
    machine, head = kernel.hardware, None if tree is None else tree.map_address
    if not isinstance(head, int) or not head:
        return None, []
    page = machine.page_size
    try:
        if kernel.row.stateless:
            found = radix_tree.read(machine.memory, head, page)
            _keep(kernel, found.ranges)
            _keep(kernel, found.structure)
            return RadixTracker(kernel.allocator, head), []
        if kernel.row.map is None:
            return None, []
        # A damaged list may name endless memory in a few pages; this refuses it.
        chunk_list.totals(machine.memory, head, page, kernel.row.map)
        tracker = BitmapTracker(kernel.allocator, kernel.row.map)
        chunks = list(chunk_list.walk(machine.memory, head, page))
        for chunk in chunks:
            for entry in chunk.entries:
                tracker.take(chunk.order, entry.start, entry.bitmap)
        _keep(kernel, all_ranges(tracker.blocks()))
    except (FormatError, MissingMemory):
        return None, []
    for piece in tracker.structure():
        kernel.allocator.take(piece)
    for chunk in chunks:
        kernel.allocator.take(MemoryRange(chunk.address, page))
    return tracker, [chunk.address for chunk in chunks]


def _keep(kernel: Kernel, found: Runs) -> None:
    kernel.allocator.take_all(coarse(found))


def _recovered(hand: Handover) -> RootTree | None:
    """The root tree in its own preserved page."""
    memory, page = hand.hardware.memory, hand.hardware.page_size
    pages = hand.preserver.tracker.blocks().get(0)
    if pages is None or pages.bytes > _MOST_PAGES * page:
        return None
    for piece in pages:
        for address in range(piece.start, piece.end, page):
            try:
                if memory.read(address, len(MAGIC)) != MAGIC:
                    continue
                content = memory.read(address, page)
                found = root_tree.read(content, address=address, window=False)
            except (FormatError, MissingMemory):
                continue
            if found.compatible == hand.row.word:
                return found
    return None


def _take_tree(hand: Handover, shown: RootTree | None, whole: RootTree | None) -> None:
    tree = whole or shown
    if tree is not None:
        hand.pointers = [item for item in tree.pointers if isinstance(item.address, int)]
        if isinstance(tree.map_address, int):
            hand.map_address = tree.map_address
    if whole is not None and isinstance(whole.address, int):
        hand.root = whole.address
        return
    hand.root = hand.allocator.pages()
    if isinstance(hand.preserver.tracker, RadixTracker):
        hand.map_address = hand.preserver.tracker.root
    if not hand.row.reversible:
        hand.preserver.folio(hand.root, 0)
    elif hand.finalized and tree is not None:
        hand.hardware.memory.write(hand.root, tree.content)


def _take_blobs(source: Source, hand: Handover, tree: RootTree | None) -> None:
    """Every blob that has a file gets a place; the tree lists them in the kernel's order."""
    folder = f"{hand.hardware.kho}/out/sub_fdts"
    known = [item.name for item in hand.pointers]
    listed = [name.encode("utf-8", "surrogateescape") for name in names(source, folder)]
    missing = sorted(
        (name for name in listed if name not in known),
        key=lambda name: _WIRE_ORDER.index(name) if name in _WIRE_ORDER else -1,
    )
    for name in [*known, *missing]:
        content = read_bytes(source, hand.blob_path(name), _BLOB_LIMIT)
        if content is None:
            continue
        address = _page(hand, name, len(content))
        if not hand.hardware.memory.recorded(address):
            hand.hardware.memory.write(address, content)
        if name in missing and not hand.row.reversible:
            told = len(content) if hand.row.sized_blobs else _NO_SIZE
            hand.pointers.append(BlobPointer(name, address, told))
    if tree is None or tree.flat.faults:
        hand.pointers.sort(key=lambda item: _place(item.name))
    if not hand.row.reversible:
        hand.write_tree()


_NO_SIZE = Unknown(Cause.ABSENT, "a tree carries its own size")


def _place(name: bytes) -> int:
    return _WIRE_ORDER.index(name) if name in _WIRE_ORDER else -1


def _page(hand: Handover, name: bytes, size: int = 1) -> int:
    """Where a blob lies: where the tree says, else in new pages."""
    for item in hand.pointers:
        if item.name == name and isinstance(item.address, int):
            return item.address
    pages = -(-max(size, 1) // hand.hardware.page_size)
    address = hand.allocator.pages(pages)
    if not hand.row.reversible:
        hand.preserver.range(MemoryRange(address, pages * hand.hardware.page_size))
    return address


def _preserve_again(
    hand: Handover, regions: tuple[ReservedRegion, ...], header: LuoHeader | None
) -> None:
    """What a kernel preserves at boot, where its own records cannot be read."""
    page = hand.hardware.page_size
    wanted = [MemoryRange(item.start & -page, item.size & -page) for item in regions]
    wanted += [
        MemoryRange(item.address & -page, page)
        for item in hand.pointers
        if isinstance(item.address, int)
    ]
    if header is not None:
        wanted += _luo_memory(header, page)
    for piece in wanted:
        try:
            hand.preserver.range(piece)
        except Refused:
            continue


def _luo_memory(header: LuoHeader, page: int) -> list[MemoryRange]:
    """Pages that LUO set aside at boot."""
    found = (
        []
        if isinstance(header.flbs, Unknown) or not header.flbs
        else [MemoryRange(header.flbs, page)]
    )
    if header.session_format != "blocks":
        found.append(MemoryRange(header.sessions, 16 * page))
    return found


def _held(source: Source, kernel: Kernel, regions: tuple[ReservedRegion, ...]) -> list[MemoryRange]:
    """Memory that the fixture names and that no allocator may give out."""
    machine, page = kernel.hardware, kernel.hardware.page_size
    found = [MemoryRange(item.start, item.size) for item in regions]
    for side in ("out", "in"):
        tree = root_tree_of(source, machine, side)
        for item in () if tree is None else tree.pointers:
            if isinstance(item.address, int):
                found.append(MemoryRange(item.address & -page, page))
        header = _luo_header(source, machine, side)
        if header is not None:
            found += _luo_memory(header, page)
    return found


def _luo_header(source: Source, machine: Hardware, side: str) -> LuoHeader | None:
    content = read_bytes(source, f"{machine.kho}/{side}/sub_fdts/LUO")
    if content is None:
        return None
    try:
        if content[: len(MAGIC)] == MAGIC:
            return luo.decode_tree(fdt.read(content))[0]
        return luo.decode_struct(content)[0]
    except FormatError:
        return None


def _take_live_update(source: Source, kernel: Kernel, header: LuoHeader | None) -> None:
    hand, machine = kernel.handover, kernel.hardware
    assert hand is not None
    if header is not None and kernel.row.luo and source.exists(DEVICE) is True:
        content = read_bytes(source, hand.blob_path(luo.NAME)) or b""
        address = _page(hand, luo.NAME)
        kernel.outgoing = Outgoing(hand, header, address, len(content))
    came = _luo_header(source, machine, "in")
    if came is not None and kernel.row.luo:
        kernel.incoming = Incoming(hand, came)


def _show_window(source: Source, hand: Handover) -> None:
    """`out/fdt` shows live memory, where that memory holds what the fixture shows."""
    path = f"{hand.hardware.kho}/out/fdt"
    content = read_bytes(source, path)
    if content and hand.hardware.memory.read(hand.root, len(content)) == content:
        hand.hardware.files.put(path, Window(hand.root, len(content)))
