"""All that a super block leads to.

Nothing but the super block has a magic number and nothing has a checksum, so everything is held
against everything else: roles of pages, lengths, tails, orders, and the regions that the next
kernel reserves.
"""

from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory, PhysicalMemory
from kho_console.abi.pkram import layout, regions, table
from kho_console.abi.pkram.chain import Frames
from kho_console.abi.pkram.layout import LINK_ENTRIES, PAGE, SHIFT, ObjectPage, SuperBlock
from kho_console.abi.pkram.links import Links
from kho_console.abi.pkram.touched import Touched
from kho_console.model.memory import MemoryRange
from kho_console.model.pkram import (
    LinkPage,
    PkramContent,
    PkramImage,
    PkramNode,
    PkramObject,
    PkramVersion,
    PreservedPage,
)
from kho_console.model.preserved import Runs
from kho_console.model.tree import Fault
from kho_console.model.unknown import Cause, Maybe, Unknown

_MOST_BYTES = 16 << 20
_MOST_LISTED = 1 << 20
"""Bytes and pages of one image that are given one by one, over all of its objects."""

_MOST_FAULTS = 500


def read(
    memory: PhysicalMemory, pfn: int, version: PkramVersion | None = None, *, listed: bool = False
) -> PkramImage:
    """Nodes, objects and regions.

    Args:
        memory: Where they lie.
        pfn: The frame of the super block, as `pkram=` has it.
        version: The series; None to find out. v2 and v3 differ in the flag of huge pages alone.
        listed: Whether each page and byte is wanted.

    Raises:
        FormatError: There is no super block.
        MissingMemory: It cannot be had.
    """
    return _Reading(memory, pfn, version, listed).image()


class _Reading:
    def __init__(
        self, memory: PhysicalMemory, pfn: int, version: PkramVersion | None, listed: bool
    ) -> None:
        self._memory = memory
        self._pfn = pfn
        self._listed = listed
        self._bytes_left, self._pages_left = _MOST_BYTES, _MOST_LISTED
        self._frames = Frames()
        self._faults: list[Fault] = []
        self._touched = Touched(None)
        self._flags: set[int] = set()
        self._huge_without_flag = False
        self._memory_of: list[Runs] = []
        page = memory.read(self._frames.take(pfn, "super block"), PAGE)
        self._given = version
        self._plain = version is PkramVersion.V1 or (version is None and not layout.has_magic(page))
        self._layout = PkramVersion.V1 if self._plain else version or PkramVersion.V3
        self._empty = not any(page)
        empty = SuperBlock(0)
        address = pfn << SHIFT
        self._super = empty if self._empty else layout.read_super(page, self._layout, address)
        if any(page[layout.super_size(self._layout) :]):
            if version is None and self._plain:
                raise FormatError(address, "invalid super block: no magic number, and none of v1")
            self._fault(address, "the super block is not zero behind its words")

    def image(self) -> PkramImage:
        found = self._regions()
        region_pages = tuple(self._frames)[1:] if self._listed else ()
        if not isinstance(found, Unknown) and not self._empty:
            own = MemoryRange(self._pfn << SHIFT, PAGE)
            # The table of v1 does not have the super block, which is reserved by itself.
            self._touched = Touched(regions.cover((*found, own) if self._plain else found))
        nodes = tuple(self._nodes())
        self._check_memory()
        faults = tuple(self._faults[:_MOST_FAULTS])
        version, scattered = self._version(), self._touched.scattered
        memory = tuple(self._memory_of)
        flagged = any(flags & layout.HUGE for flags in self._flags)
        return PkramImage(
            version,
            self._pfn,
            nodes,
            found,
            faults,
            scattered,
            memory,
            region_pages,
            flagged if version is PkramVersion.V3 else self._huge_without_flag,
        )

    def _version(self) -> PkramVersion:
        if self._given is not None or self._plain:
            return self._given or PkramVersion.V1
        flagged = any(flags & layout.HUGE for flags in self._flags)
        return PkramVersion.V2 if flagged else PkramVersion.V3

    def _nodes(self) -> list[PkramNode]:
        found: list[PkramNode] = []
        names: set[bytes] = set()
        pfn = self._super.node_pfn
        while pfn:
            try:
                address = self._frames.take(pfn, "node")
                node = layout.read_node(self._memory.read(address, PAGE), address)
            except (FormatError, MissingMemory) as error:
                self._wrong(error)
                break
            if node.flags:
                self._fault(address, f"the node has flags 0x{node.flags:x}: it was being saved")
            if node.name in names:
                self._fault(address + 24, "a node of that name is there already")
            names.add(node.name)
            before = self._touched.taken
            objects = tuple(self._objects(node.obj_pfn))
            self._memory_of.append(self._touched.since(before))
            found.append(PkramNode(pfn, node.name, node.flags, objects))
            pfn = node.node_pfn
        return found

    def _objects(self, pfn: int) -> list[PkramObject]:
        found: list[PkramObject] = []
        while pfn:
            try:
                address = self._frames.take(pfn, "object")
                page = layout.read_object(self._memory.read(address, PAGE), self._layout)
            except (FormatError, MissingMemory) as error:
                self._wrong(error)
                break
            found.append(self._object(pfn, page))
            pfn = page.obj_pfn
        return found

    def _object(self, pfn: int, page: ObjectPage) -> PkramObject:
        links = self._links(page.head_pfn, "link")
        self._check_tail(pfn, links, page.tail_pfn)
        self._flags |= links.flags
        self._huge_without_flag |= links.huge_without_flag
        content = None
        stream = self._byte_pages(pfn, page)
        if self._listed:
            # v1 puts each link before the one that was filled earlier.
            by_link = links.by_link[::-1] if self._plain else links.by_link
            pages = tuple(item for link in by_link for item in link.pages)
            data = self._stream(stream, page.data_len)
            content = PkramContent(pages, data, tuple(links.by_link), stream)
        return PkramObject(
            pfn=pfn,
            blocks_by_order=dict(sorted(links.blocks.items())),
            byte_count=page.data_len,
            links=links.count,
            first_index=links.first_index,
            last_index=links.last_index,
            content=content,
        )

    def _links(self, head: int, role: str) -> Links:
        most = self._pages_left if self._listed else None
        links = Links(self._memory, head, self._frames, self._touched, role, most=most)
        self._pages_left -= len(links.by_link) * LINK_ENTRIES
        self._faults += links.faults
        return links

    def _check_tail(self, pfn: int, links: Links, tail: int) -> None:
        if not self._plain and links.tail != tail:
            said = f"the object names 0x{tail:x} as its last link, the chain ends at "
            self._fault(pfn << SHIFT, f"{said}0x{links.tail:x}")

    def _byte_pages(self, pfn: int, page: ObjectPage) -> tuple[LinkPage, ...]:
        """The links of the byte stream; listed only where they are wanted."""
        address = pfn << SHIFT
        if self._plain:
            count = int(bool(page.data_pfn))
            self._check_length(address, page.data_len, count)
            if not count:
                return ()
            try:
                at = self._frames.take(page.data_pfn, "byte page")
            except FormatError as error:
                self._wrong(error)
                return ()
            return (LinkPage(0, (PreservedPage(0, at, 0, 0),)),)
        links = self._links(page.bytes_head_pfn, "byte link")
        self._check_tail(pfn, links, page.bytes_tail_pfn)
        if set(links.blocks) - {0} or links.flags - {0}:
            self._fault(address, "a page of the byte stream has an order or flags")
        self._check_length(address, page.data_len, links.blocks.get(0, 0))
        return tuple(links.by_link)

    def _check_length(self, address: int, length: int, count: int) -> None:
        if not PAGE * (count - 1) < length <= PAGE * count and (length or count):
            # What v1 writes to a second object of a stream goes into the page of the first.
            lost = ": v1 puts them on the page of the object saved before" if self._plain else ""
            words = lost if not count else ""
            self._fault(address, f"{length} bytes of data on {count} pages{words}")

    def _stream(self, found: tuple[LinkPage, ...], length: int) -> Maybe[bytes]:
        if length > self._bytes_left:
            return Unknown(Cause.UNSUPPORTED, f"{length} bytes are too many to print")
        self._bytes_left -= length
        try:
            pages = [item for link in found for item in link.pages][: -(-length // PAGE)]
            data = b"".join(self._memory.read(item.address, PAGE) for item in pages)
        except MissingMemory as error:
            where = f"memory at 0x{error.address:x}: {error.reason}"
            return Unknown(Cause.NOT_RECORDED, where, error.address)
        return data[:length]

    def _regions(self) -> Maybe[tuple[MemoryRange, ...]]:
        if self._plain:
            return self._table()
        found, faults = regions.read(self._memory, self._super, self._frames)
        self._faults += faults
        return found

    def _table(self) -> Maybe[tuple[MemoryRange, ...]]:
        if self._empty or not self._super.pgd_pfn:
            return Unknown(Cause.ABSENT, "the super block names no page table")
        try:
            return table.read(self._memory, self._super.pgd_pfn, self._frames)
        except (FormatError, MissingMemory) as error:
            self._wrong(error)
            return Unknown(Cause.INVALID, f"the page table, read with four levels: {error.reason}")

    def _check_memory(self) -> None:
        import numpy as np

        touched, top = self._touched, self._pfn << SHIFT
        own = np.fromiter((pfn << SHIFT for pfn in self._frames), np.uint64)
        touched.take(own, own + np.uint64(PAGE))
        if touched.beyond is not None:
            self._fault(touched.beyond, "a page lies beyond memory")
        if twice := touched.twice():
            self._fault(top, f"{twice} bytes of memory are referred to twice")
        if touched.lost is not None:
            self._fault(touched.lost, "a page lies in no region: nothing reserves it")

    def _wrong(self, error: FormatError | MissingMemory) -> None:
        at = error.offset if isinstance(error, FormatError) else error.address
        self._fault(at, error.reason)

    def _fault(self, at: int, reason: str) -> None:
        self._faults.append(Fault(at, reason))
