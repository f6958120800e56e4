"""The calls that load: what is loaded is gone, there is no second look."""

import errno
from dataclasses import replace

from kho_console.abi.pkram.layout import HUGE, PAGE, SHIFT
from kho_console.model.pkram import PkramVersion, PreservedPage
from kho_console.twin.pkram.kernel import PkramState
from kho_console.twin.pkram.node import (
    LOAD,
    SAVE,
    KernelBug,
    Link,
    NullDereference,
    Object,
    Stream,
)
from kho_console.twin.pkram.quirks import Quirk
from kho_console.twin.refused import Refused

_MAX_ORDER = 11
"""`MAX_ORDER` of 6.3: v3 takes no folio of it or more."""


class Loading(PkramState):
    """Loading one node by a stream."""

    def prepare_load(self, stream: Stream, name: bytes) -> None:
        """Open a stream that loads a node, and take the node out of the list.

        Raises:
            Refused: ENODEV, ENOENT, or EBUSY while it is being saved.
        """
        if self.super_block is None:
            raise Refused(errno.ENODEV, "no super block")
        node = next((item for item in self.nodes if item.name == name), None)
        if node is None:
            raise Refused(errno.ENOENT, "no node of that name is listed")
        if node.flags == SAVE:
            raise Refused(errno.EBUSY, "it is being saved")
        self.nodes.remove(node)
        node.flags = LOAD
        stream.open(node)

    def prepare_load_obj(self, stream: Stream) -> None:
        """Take the next object, the newest first.

        Raises:
            Refused: ENODATA; EINVAL for one without any link, which stays in front (v2, v3).
        """
        node = self._mode(stream, LOAD)
        if not node.objects:
            raise Refused(errno.ENODATA, "no object is left")
        found = node.objects[0]
        if self.version is not PkramVersion.V1 and not found.links and not found.byte_links:
            self._warn("an object without links")
            raise Refused(errno.EINVAL, "an object without links")
        node.objects.pop(0)
        self._drop(found.frame)
        stream.object = stream.pages = stream.bytes = found
        stream.used, stream.detached, stream.unread = 0, None, None

    def load_page(self, stream: Stream) -> PreservedPage | None:
        """The next page, None where there is none any more.

        v1 and v2 put a page of an order together only where its entry says that it is huge; v3
        never writes that, and of its folios they return the first page alone.

        Raises:
            Refused: EINVAL for a folio that is too large or that others hold (v3).
        """
        self._mode(stream, LOAD)
        if stream.pages is None:
            raise NullDereference("no object gives pages")
        link = stream.detached or self._next_link(stream.pages)
        if link is None:
            return None
        stream.detached = link
        page = link.pages.pop(0)
        frame = page.address >> SHIFT
        if not link.pages:
            self._drop(link.frame)
            stream.detached = None
        self.frames.forget(frame, page.order)
        held = self.frames.references.get(frame, 1)
        if self.version is PkramVersion.V3 and (page.order >= _MAX_ORDER or held != 1):
            raise Refused(errno.EINVAL, f"order {page.order}, {held} references")
        whole = self.version is PkramVersion.V3 or page.flags & HUGE
        return page if whole else replace(page, order=0)

    def _next_link(self, found: Object) -> Link | None:
        """The next link with pages; one without, which no kernel leaves, is passed over."""
        while found.links:
            link = found.links.pop(0)
            if link.pages:
                return link
            self._drop(link.frame)
        return None

    def read(self, stream: Stream, size: int) -> bytes:
        """Up to `size` bytes; fewer at the end of the data."""
        self._mode(stream, LOAD)
        found = stream.bytes
        if found is None:
            raise NullDereference("no object gives bytes")
        if self.version is PkramVersion.V1 and size > PAGE - stream.used:
            raise KernelBug(f"{size} bytes are more than the room left in the page")
        parts: list[bytes] = []
        left = min(size, found.data_len)
        while left and found.byte_pages:
            frame, content = found.byte_pages[0]
            parts.append(bytes(content[stream.used : stream.used + min(left, PAGE - stream.used)]))
            stream.used += len(parts[-1])
            left -= len(parts[-1])
            found.data_len -= len(parts[-1])
            if stream.used == PAGE or not found.data_len:
                found.byte_pages.pop(0)
                self._drop(frame)
                stream.used = 0
        return b"".join(parts)

    def finish_access(self, stream: Stream, *, good: bool) -> None:
        """Close an access (v2, v3): with `good` the rest of a link half loaded is lost for ever."""
        link, stream.detached = stream.detached, None
        if link is None or good:
            return
        for page in link.pages:
            self.frames.forget(page.address >> SHIFT, page.order)
        # The page of the link itself is not freed on this path.

    def finish_load_obj(self, stream: Stream) -> None:
        """End an object; what was not loaded of it is freed."""
        self._mode(stream, LOAD)
        if stream.object is not None:
            if self.version is PkramVersion.V1 and stream.object.byte_pages:
                stream.unread = stream.object.byte_pages[0][0]
                self._put(stream.unread)
            self._free(stream.object)
            stream.object = None

    def finish_load(self, stream: Stream) -> None:
        """End the node; what was not loaded of it is freed."""
        self._destroy(self._mode(stream, LOAD))
        if stream.unread is not None:
            self._put(stream.unread)
            self._met(Quirk.PUT_TWICE)
        stream.freed = True
