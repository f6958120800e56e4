"""The calls that save."""

import errno

from kho_console.abi.pkram import layout
from kho_console.abi.pkram.layout import FLAGS, HUGE, NAME_MAX, PAGE, SHIFT
from kho_console.model.pkram import PkramVersion, PreservedPage
from kho_console.twin.pkram.kernel import PkramState
from kho_console.twin.pkram.node import (
    IDLE,
    SAVE,
    Data,
    KernelBug,
    Link,
    Node,
    NullDereference,
    Object,
    Stream,
)
from kho_console.twin.pkram.quirks import Quirk
from kho_console.twin.refused import Refused

_HUGE_ORDER = 9


class Saving(PkramState):
    """Saving one node by a stream."""

    def prepare_save(self, stream: Stream, name: bytes) -> None:
        """Open a stream that saves a node.

        Raises:
            Refused: ENODEV, ENAMETOOLONG, ENOMEM or EEXIST.
        """
        if self.super_block is None:
            raise Refused(errno.ENODEV, "no super block")
        if len(name) >= NAME_MAX:
            raise Refused(errno.ENAMETOOLONG, f"a name of {len(name)} bytes")
        frame = self.frames.allocate()
        if any(node.name == name for node in self.nodes):
            self.frames.give_back(frame)
            raise Refused(errno.EEXIST, "a node of that name is listed")
        self.frames.track(frame)
        node = Node(frame, name, SAVE)
        self.nodes.insert(0, node)
        stream.open(node)

    def prepare_save_obj(self, stream: Stream, data: int = Data.PAGES | Data.BYTES) -> None:
        """Begin an object; what it does not declare stays with the object before it (v2, v3).

        Raises:
            Refused: EINVAL or ENOMEM.
        """
        node = self._mode(stream, SAVE)
        if self.version is not PkramVersion.V1 and data & ~3:
            raise Refused(errno.EINVAL, f"flags 0x{data:x}")
        found = Object(self._metadata())
        node.objects.insert(0, found)
        stream.object = found
        if data & Data.PAGES or self.version is PkramVersion.V1:
            stream.pages = found
        if self.version is not PkramVersion.V1 and data & Data.BYTES:
            stream.bytes, stream.used = found, 0

    def save_page(self, stream: Stream, page: PreservedPage) -> None:
        """Save a page (v1), a page of a file (v2) or a folio (v3).

        Raises:
            Refused: ENOMEM; the copies of a page that was to be moved stay as far as they came.
            ValueError: There is no such page: a kernel never hands out the one at address 0.
        """
        self._mode(stream, SAVE)
        if stream.pages is None:
            raise NullDereference("no object takes pages")
        huge = HUGE if page.order and self.version is not PkramVersion.V3 else 0
        caller = page.flags & FLAGS if self.version is PkramVersion.V1 else 0
        entry = PreservedPage(page.index, page.address, page.order, caller | huge)
        layout.entry(entry.address, entry.order, entry.flags)
        moved = self.frames.moved(entry)
        for at, item in enumerate(moved):
            link = stream.pages.open_link(item, self.version)
            if link is None:
                try:
                    link = Link(self._metadata())
                except Refused:
                    self.frames.unmoved(moved[at:])
                    raise
                stream.pages.add_link(link, self.version)
            if self.frames.by_head and item.order not in (0, _HUGE_ORDER):
                self._met(Quirk.SLOT_OF_A_HEAD)
            self.frames.track(item.address >> SHIFT, item.order)
            link.pages.append(item)

    def write(self, stream: Stream, data: bytes) -> int:
        """Write bytes; how many were written, which is all of them.

        Raises:
            Refused: ENOMEM; what was copied before stays and counts.
        """
        self._mode(stream, SAVE)
        if self.version is PkramVersion.V1:
            return self._write_v1(stream, data)
        return self._write(stream, data)

    def finish_save_obj(self, stream: Stream) -> None:
        """End an object; nothing is checked but the mode."""
        self._mode(stream, SAVE)

    def finish_save(self, stream: Stream) -> None:
        """End the node: from now on it can be loaded."""
        self._mode(stream, SAVE).flags = IDLE

    def discard_save(self, stream: Stream) -> None:
        """Drop the node with all that was saved."""
        self._destroy(self._mode(stream, SAVE))
        stream.freed = True

    def _write_v1(self, stream: Stream, data: bytes) -> int:
        """Into the one page of the stream, which no object gets after the first that wrote."""
        if stream.object is None:
            raise NullDereference("no object is begun")
        if stream.bytes is None:
            stream.object.byte_pages.append((self._metadata(), bytearray(PAGE)))
            stream.bytes, stream.used = stream.object, 0
        if len(data) > PAGE - stream.used:
            raise KernelBug(f"{len(data)} bytes are more than the room left in the page")
        stream.bytes.byte_pages[0][1][stream.used : stream.used + len(data)] = data
        stream.used += len(data)
        stream.object.data_len += len(data)
        return len(data)

    def _write(self, stream: Stream, data: bytes) -> int:
        found = stream.bytes
        if found is None:
            raise NullDereference("no object takes bytes")
        at = 0
        while at < len(data):
            used = found.data_len % PAGE
            if not used:
                if found.needs_byte_link:
                    found.byte_links.append(self._metadata())
                found.byte_pages.append((self._metadata(), bytearray(PAGE)))
            piece = data[at : at + PAGE - used]
            found.byte_pages[-1][1][used : used + len(piece)] = piece
            found.data_len += len(piece)
            at += len(piece)
        return at
