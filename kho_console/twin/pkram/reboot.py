"""From one kernel to the next: nodes are linked at reboot and found again at boot."""

import errno
from collections.abc import Iterable
from dataclasses import dataclass

from kho_console.abi import runs
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory, PhysicalMemory
from kho_console.abi.pkram import layout, read, regions, table
from kho_console.abi.pkram.layout import LINK_ENTRIES, PAGE, SHIFT, NodePage, ObjectPage, SuperBlock
from kho_console.model.memory import MemoryRange
from kho_console.model.pkram import PkramNode, PkramObject, PkramVersion
from kho_console.model.unknown import Unknown
from kho_console.twin.pkram.api import Pkram
from kho_console.twin.pkram.frames import Frames
from kho_console.twin.pkram.node import IDLE, SAVE, Link, Node, Object
from kho_console.twin.refused import Refused


@dataclass(frozen=True, slots=True)
class Linked:
    """What a kernel leaves behind.

    Attributes:
        pfn: The frame of the super block, for `pkram=`.
        pages: The pages that it wrote, by address.
    """

    pfn: int
    pages: dict[int, bytes]


def reboot(kernel: Pkram) -> Linked:
    """Link all nodes that are not being saved, and fill the super block.

    It stays zero where there is no memory for the region list, or no room in the page table of v1.

    A node that this kernel found at boot and nobody loaded is linked again (v2, v3), though its
    pages are in no region: the next kernel may use them for anything. v1 forgets it.
    """
    top = kernel.super_block
    if top is None:
        return Linked(0, {})
    frames = kernel.frames
    nodes = [item for item in kernel.nodes if item.flags != SAVE]
    for _ in range(len(kernel.nodes) - len(nodes)):
        kernel.warnings.append("a node is still being saved")
    plain = kernel.version is PkramVersion.V1
    if not nodes or (plain and not frames.tracked):
        return Linked(top, {top << SHIFT: bytes(PAGE)})
    pages: dict[int, bytes] = {}
    following = 0
    for node in reversed(nodes):
        head = _objects(node.objects, kernel.version, pages)
        pages[node.frame] = layout.write_node(NodePage(0, head, following, node.name))
        following = node.frame
    try:
        block, written = _reserving(kernel, top, following)
    except (Refused, ValueError) as error:
        kernel.warnings.append(f"nothing is handed over: {error}")
        return Linked(top, {top << SHIFT: bytes(PAGE)})
    pages |= written
    pages[top] = layout.write_super(block, kernel.version)
    return Linked(top, {frame << SHIFT: page for frame, page in sorted(pages.items())})


def _reserving(kernel: Pkram, top: int, first: int) -> tuple[SuperBlock, dict[int, bytes]]:
    """The super block above the first node, and what tells the next kernel to reserve it all."""
    frames = kernel.frames
    if kernel.version is PkramVersion.V1:
        kept = runs.of_ranges(frames.preserved())
        root, written = table.write(kept, iter(frames.allocate, None))
        return SuperBlock(first, root), written
    frames.track(top)
    preserved = frames.preserved()
    estimate = regions.estimate(len(runs.of_ranges(preserved)))
    listed = [frames.allocate() for _ in range(estimate)]
    count, written = regions.write(preserved, listed)
    return SuperBlock(first, 0, listed[0], count), written


def boot(
    version: PkramVersion,
    memory: PhysicalMemory,
    pfn: int,
    *,
    first: int,
    reserved: Iterable[MemoryRange] = (),
) -> Pkram:
    """The next kernel, with the nodes that it finds; all are lost where anything is in the way.

    Args:
        version: Its series.
        memory: What the one before left.
        pfn: The value of `pkram=`, 0 for none.
        first: From which frame on it hands out memory.
        reserved: What it has reserved already.

    Raises:
        MissingMemory: A page of bytes cannot be had.
    """
    taken = list(reserved)
    if not pfn:
        return Pkram(version, Frames(first, taken))
    try:
        if any(item.overlaps(MemoryRange(pfn << SHIFT, PAGE)) for item in taken):
            raise _Busy
        found = read.read(memory, pfn, version, listed=True)
        # One that is all zeros has no magic number, though it says that nothing is preserved.
        top = layout.read_super(memory.read(pfn << SHIFT, PAGE), version, pfn << SHIFT)
        kept = _reserve(found.regions if top.node_pfn else (), pfn, taken)
    except (FormatError, MissingMemory):
        return _without(version, first, taken, errno.EINVAL)
    except _Busy:
        return _without(version, first, taken, errno.EBUSY)
    frames = Frames(first, [*taken, *kept])
    kernel = Pkram(version, frames, pfn)
    if found.nodes:
        frames.log.append(f"PKRAM: {sum(item.size for item in kept) >> SHIFT} pages reserved")
    for node in found.nodes:
        kernel.nodes.insert(0, _node(node, memory))
    return kernel


class _Busy(Exception):
    """Something lies where a region is."""


def _reserve(
    found: tuple[MemoryRange, ...] | Unknown, pfn: int, taken: list[MemoryRange]
) -> list[MemoryRange]:
    own = MemoryRange(pfn << SHIFT, PAGE)
    wanted = [own] if isinstance(found, Unknown) else [own, *found]
    if any(item.overlaps(other) for item in wanted for other in taken):
        raise _Busy
    # The region list has the super block in it, and the page table of v1 has not.
    listed = any(item.overlaps(own) for item in wanted[1:])
    return wanted[1:] if listed else wanted


def _without(version: PkramVersion, first: int, taken: list[MemoryRange], number: int) -> Pkram:
    frames = Frames(first, taken)
    if number == errno.EINVAL:
        frames.log.append("PKRAM: invalid super block")
    frames.log.append(f"PKRAM: Reservation failed: {-number}")
    return Pkram(version, frames)


def _objects(found: list[Object], version: PkramVersion, pages: dict[int, bytes]) -> int:
    following = 0
    for item in reversed(found):
        pages[item.frame] = layout.write_object(_object(item, following, version, pages), version)
        following = item.frame
    return following


def _object(
    item: Object, following: int, version: PkramVersion, pages: dict[int, bytes]
) -> ObjectPage:
    for at, link in enumerate(item.links):
        behind = item.links[at + 1].frame if at + 1 < len(item.links) else 0
        # What came from a kernel before may have addresses that no entry should have.
        entries = [page.address | page.flags << 5 | page.order for page in link.pages]
        index = link.pages[0].index if link.pages else 0
        pages[link.frame] = layout.write_link(behind, index, entries)
    for at, frame in enumerate(item.byte_links):
        behind = item.byte_links[at + 1] if at + 1 < len(item.byte_links) else 0
        here = item.byte_pages[at * LINK_ENTRIES : (at + 1) * LINK_ENTRIES]
        pages[frame] = layout.write_link(behind, 0, [data << SHIFT for data, _ in here])
    pages |= {frame: bytes(content) for frame, content in item.byte_pages}
    head, tail = (item.links[0].frame, item.links[-1].frame) if item.links else (0, 0)
    if version is PkramVersion.V1:
        data_pfn = item.byte_pages[0][0] if item.byte_pages else 0
        return ObjectPage(head, 0, 0, 0, data_pfn, item.data_len, following)
    first, last = (item.byte_links[0], item.byte_links[-1]) if item.byte_links else (0, 0)
    return ObjectPage(head, tail, first, last, 0, item.data_len, following)


def _node(found: PkramNode, memory: PhysicalMemory) -> Node:
    objects = [_loaded(item, memory) for item in found.objects]
    return Node(found.pfn, found.name, IDLE, objects, tracked=False)


def _loaded(found: PkramObject, memory: PhysicalMemory) -> Object:
    """An object as the next kernel finds it."""
    content = found.content
    loaded = Object(found.pfn, data_len=found.byte_count)
    if content is None:
        return loaded
    loaded.links = [Link(item.pfn, list(item.pages)) for item in content.links]
    loaded.byte_links = [item.pfn for item in content.byte_links if item.pfn]
    loaded.byte_pages = [
        (page.address >> SHIFT, bytearray(memory.read(page.address, PAGE)))
        for item in content.byte_links
        for page in item.pages
    ]
    return loaded
