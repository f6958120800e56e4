"""Simulated physical memory: what a twin wrote, over what was recorded."""

from kho_console.abi.memory import MissingMemory, PhysicalMemory

_LARGEST_READ = 256 << 20


class NoMemory:
    """Memory of which nothing is known."""

    def read(self, address: int, size: int) -> bytes:
        """See `PhysicalMemory.read`."""
        raise MissingMemory(address, "not recorded")


class SimulatedMemory:
    """Pages by address. What neither the twin nor its fixture knows is "not recorded".

    Attributes:
        page_size: Bytes of a page.
        writes: How often something was written.
    """

    def __init__(self, base: PhysicalMemory, page_size: int, *, whole: bool = False) -> None:
        """Lay an empty memory over `base`.

        Args:
            base: What is known besides.
            page_size: Bytes of a page.
            whole: All pages of the machine can be read from it, and not only those that matter.
        """
        self.page_size = page_size
        self._whole = whole
        self._base = base
        self._pages: dict[int, bytes] = {}
        self._zero = bytes(page_size)
        self.writes = 0

    def read(self, address: int, size: int) -> bytes:
        """Exactly `size` bytes; see `PhysicalMemory.read`."""
        if size > _LARGEST_READ:
            raise MissingMemory(address, f"{size} bytes at once are too many")
        parts: list[bytes] = []
        at, end = address, address + size
        while at < end:
            page = at & -self.page_size
            stop = min(end, page + self.page_size)
            known = self._pages.get(page)
            if known is None:
                # What the twin never touched is read in one piece.
                while stop < end and stop not in self._pages:
                    stop = min(end, stop + self.page_size)
                parts.append(self._base.read(at, stop - at))
            else:
                parts.append(known[at - page : stop - page])
            at = stop
        return b"".join(parts)

    def write(self, address: int, data: bytes) -> None:
        """Put `data` at `address`; the rest of a page that was not known becomes zero."""
        self.writes += 1
        at = 0
        while at < len(data):
            page = (address + at) & -self.page_size
            first = address + at - page
            piece = data[at : at + self.page_size - first]
            if len(piece) < self.page_size:
                old = self._page(page)
                piece = old[:first] + piece + old[first + len(piece) :]
            self._pages[page] = piece
            at += self.page_size - first

    def zero(self, address: int, size: int) -> None:
        """Clear whole pages."""
        self.writes += 1
        for page in range(address, address + size, self.page_size):
            self._pages[page] = self._zero

    def recorded(self, page: int) -> bool:
        """Whether the fixture holds the page, so that somebody needs it."""
        if self._whole:
            return False
        try:
            self._base.read(page, 1)
        except MissingMemory:
            return False
        return True

    def _page(self, page: int) -> bytes:
        known = self._pages.get(page)
        if known is not None:
            return known
        try:
            return self._base.read(page, self.page_size)
        except MissingMemory:
            return self._zero
