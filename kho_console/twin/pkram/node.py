"""Nodes, objects and their links while a kernel runs, and the streams that callers hold."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntFlag

from kho_console.abi.pkram.layout import LINK_ENTRIES
from kho_console.abi.pkram.write import splits
from kho_console.model.pkram import PkramVersion, PreservedPage


class KernelBug(Exception):
    """An assertion of the kernel failed: it stops there."""


class NullDereference(Exception):
    """The kernel follows a pointer that is NULL: it stops there."""


class UsedAfterFree(Exception):
    """The kernel follows a pointer to what it has freed: anything may happen."""


class Data(IntFlag):
    """What an object of v2 or v3 holds."""

    NONE = 0
    PAGES = 0x1
    BYTES = 0x2


IDLE, SAVE, LOAD = 0, 1, 2
"""Flags of a node; one that is being loaded is in no list."""


@dataclass(eq=False)
class Link:
    """A page of entries.

    Attributes:
        frame: Its own.
        pages: What its entries are.
    """

    frame: int
    pages: list[PreservedPage] = field(default_factory=list)


@dataclass(eq=False)
class Object:
    """An object of a node.

    Attributes:
        frame: Its own.
        links: Links of its pages, in the order of the chain.
        byte_links: Frames of the links of its bytes (v2, v3).
        byte_pages: Frames of the pages of its bytes, and what they hold.
        data_len: Bytes that it says it has.
    """

    frame: int
    links: list[Link] = field(default_factory=list)
    byte_links: list[int] = field(default_factory=list)
    byte_pages: list[tuple[int, bytearray]] = field(default_factory=list)
    data_len: int = 0

    def open_link(self, page: PreservedPage, version: PkramVersion) -> Link | None:
        """The link that takes a page, None where it needs a new one."""
        if not self.links:
            return None
        link = self.links[0 if version is PkramVersion.V1 else -1]
        last = link.pages[-1]
        following = last.index + (1 << last.order)
        return None if splits(page, following, len(link.pages), version) else link

    def add_link(self, link: Link, version: PkramVersion) -> None:
        """Put a new link where its series has it."""
        self.links.insert(0 if version is PkramVersion.V1 else len(self.links), link)

    def frames(self) -> Iterator[int]:
        """The frames of all its metadata and bytes."""
        yield self.frame
        yield from (link.frame for link in self.links)
        yield from self.byte_links
        yield from (frame for frame, _ in self.byte_pages)

    def pages(self) -> Iterator[PreservedPage]:
        """Its pages, link by link."""
        for link in self.links:
            yield from link.pages

    @property
    def needs_byte_link(self) -> bool:
        """Whether the next byte page needs another link."""
        return len(self.byte_pages) == len(self.byte_links) * LINK_ENTRIES


@dataclass(eq=False)
class Node:
    """A node.

    Attributes:
        frame: Its own.
        name: Its name.
        flags: IDLE, SAVE or LOAD.
        objects: The list of its objects, the newest first.
        tracked: Whether the tracking table of this kernel has its pages: not that of the kernel
            which found the node at boot.
    """

    frame: int
    name: bytes
    flags: int
    objects: list[Object] = field(default_factory=list)
    tracked: bool = True


@dataclass(eq=False)
class Stream:
    """What a caller holds (`struct pkram_stream`).

    Attributes:
        node: The node it is open on; None before.
        object: The current object.
        pages: Object that pages go to; an object that does not declare pages leaves it as it was.
        bytes: Likewise for bytes. In v1 it is the byte page, which nothing ever resets.
        used: Bytes of the current byte page that are written or read.
        freed: Whether the node is gone.
        detached: The link that is being loaded from.
        unread: The page of bytes that was freed and is still pointed at (v1).
    """

    node: Node | None = None
    object: Object | None = None
    pages: Object | None = None
    bytes: Object | None = None
    used: int = 0
    freed: bool = False
    detached: Link | None = None
    unread: int | None = None

    def open(self, node: Node) -> None:
        """Open it on a node, with all else as in a new one."""
        self.node, self.object, self.pages, self.bytes = node, None, None, None
        self.used, self.freed, self.detached, self.unread = 0, False, None, None
