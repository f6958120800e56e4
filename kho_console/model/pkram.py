"""PKRAM: memory that a kernel preserves over kexec in named nodes.

Posted three times by Anthony Yznaga and never merged: v1 (May 2020), v2 (March 2021), v3 (April
2023).
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs
from kho_console.model.tree import Fault
from kho_console.model.unknown import Maybe, Unknown
from kho_console.model.value import dataclass


class PkramVersion(StrEnum):
    """A series; v2 and v3 have one layout, v1 another."""

    V1 = "v1"
    V2 = "v2"
    V3 = "v3"


@dataclass(frozen=True, slots=True)
class PreservedPage:
    """A page of an object.

    Attributes:
        index: Where it belongs in the file, in pages of 4 KiB.
        address: Physical address.
        order: Its order.
        flags: What the caller stored with it (v1), and whether it is a transparent huge page.
    """

    index: int
    address: int
    order: int
    flags: int


@dataclass(frozen=True, slots=True)
class LinkPage:
    """A link: its own frame, and the pages that its entries are."""

    pfn: int
    pages: tuple[PreservedPage, ...]


@dataclass(frozen=True, slots=True)
class PkramContent:
    """What an object holds, one by one.

    Attributes:
        pages: Its pages in the order in which they were saved.
        bytes: Its byte stream.
        links: The links of its pages in the order of the chain.
        byte_links: Those of its bytes; the page of bytes of v1 is in one without a frame.
    """

    pages: tuple[PreservedPage, ...]
    bytes: Maybe[bytes]
    links: tuple[LinkPage, ...] = ()
    byte_links: tuple[LinkPage, ...] = ()


@dataclass(frozen=True, slots=True)
class PkramObject:
    """An object of a node: the pages and bytes of one file.

    Attributes:
        pfn: Page frame number of its own page.
        blocks_by_order: How many pages of each order.
        byte_count: Bytes of its byte stream.
        links: How many pages its links take.
        first_index: Index of its first page of 4 KiB in the file; None without pages.
        last_index: Index of its last one.
        content: Pages and bytes, where they were asked for.
    """

    pfn: int
    blocks_by_order: Mapping[int, int]
    byte_count: int
    links: int
    first_index: int | None
    last_index: int | None
    content: PkramContent | None = None

    @property
    def page_bytes(self) -> int:
        """Bytes of all its pages."""
        return sum(number << 12 + order for order, number in self.blocks_by_order.items())


@dataclass(frozen=True, slots=True)
class PkramNode:
    """A node, and its objects in the order of its list."""

    pfn: int
    name: bytes
    flags: int
    objects: tuple[PkramObject, ...]


@dataclass(frozen=True, slots=True)
class ObjectLayout:
    """On which frames an object lies; where nothing is said any free one does.

    Attributes:
        pfn: Its own frame, 0 for any.
        links: Links of its pages in the order of saving: frame and how many entries.
        byte_links: Frames of the links of its bytes.
        byte_pages: Frames of the pages of its bytes.
    """

    pfn: int = 0
    links: tuple[tuple[int, int], ...] = ()
    byte_links: tuple[int, ...] = ()
    byte_pages: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeLayout:
    """The frame of a node, 0 for any, and its objects."""

    pfn: int
    objects: tuple[ObjectLayout, ...]


@dataclass(frozen=True, slots=True)
class PkramLayout:
    """On which frames an image lies.

    Attributes:
        nodes: Its nodes in the order of the chain.
        region_pages: Pages of the region list, or of the page table of v1 from its root down.
        regions: What they say is reserved, whether or not a node has it.
    """

    nodes: tuple[NodeLayout, ...]
    region_pages: tuple[int, ...] = ()
    regions: tuple[MemoryRange, ...] = ()

    def frames(self) -> Iterator[int]:
        """All frames that are named."""
        yield from self.region_pages
        for node in self.nodes:
            yield node.pfn
            for item in node.objects:
                yield from (item.pfn, *item.byte_links, *item.byte_pages)
                yield from (pfn for pfn, _ in item.links)


@dataclass(frozen=True, slots=True)
class PkramImage:
    """What a super block leads to.

    Attributes:
        version: The series.
        pfn: Page frame number of the super block.
        nodes: Newest first, as they are chained.
        regions: What the next kernel reserves: the region list, or the page table of v1.
        faults: What could not be read or does not hold; offsets are physical addresses.
        memory: For each node the memory that its objects have.
        scattered: Whether pages are too scattered to tell that none is there twice.
        region_pages: Frames of the region list, or of the page table of v1 from its root down.
        contrary: Whether the flags of huge pages are not those that the series writes.
    """

    version: PkramVersion
    pfn: int
    nodes: tuple[PkramNode, ...]
    regions: Maybe[tuple[MemoryRange, ...]]
    faults: tuple[Fault, ...]
    scattered: bool = False
    memory: tuple[Runs, ...] = ()
    region_pages: tuple[int, ...] = ()
    contrary: bool = False

    @property
    def layout(self) -> PkramLayout:
        """On which frames it lies, as far as pages were asked for."""
        plain = self.version is PkramVersion.V1
        nodes = tuple(
            NodeLayout(node.pfn, tuple(_laid_out(item, plain) for item in node.objects))
            for node in self.nodes
        )
        regions = () if isinstance(self.regions, Unknown) else self.regions
        return PkramLayout(nodes, self.region_pages, regions)


def _laid_out(found: PkramObject, plain: bool) -> ObjectLayout:
    content = found.content
    if content is None:
        return ObjectLayout(found.pfn)
    # v1 puts each link before the one that was filled earlier.
    links = content.links[::-1] if plain else content.links
    return ObjectLayout(
        found.pfn,
        tuple((link.pfn, len(link.pages)) for link in links),
        tuple(link.pfn for link in content.byte_links if link.pfn),
        tuple(page.address >> 12 for link in content.byte_links for page in link.pages),
    )
