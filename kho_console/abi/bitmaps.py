"""The bitmaps of one order turned into runs of physical memory, or only counted.

A host may have thousands of bitmaps with hundreds of millions of bits. So a batch of them is
handled by a few operations over whole arrays or long integers, and nothing but the runs is kept.
Bit b is byte b >> 3 under mask 1 << (b & 7), as in every bitmap of the kernel.
"""

from abc import ABC, abstractmethod
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from kho_console.abi import runs
from kho_console.abi.growing import GrowingAddresses
from kho_console.model.few import few
from kho_console.model.preserved import Runs, Totals, view_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kho_console.model.preserved import Addresses, Buffer

    Words = NDArray[np.uint64]
    Bits = NDArray[np.intp]

_BATCH = 1 << 16
"""Bytes of bitmaps handled at once: what is made of them still fits a processor's cache."""

_GAP = bytes(8)
"""A word without a bit, behind which a stretch of other memory begins."""

_PIECE = 512
"""Bytes of a batch looked at as one integer; a longer one takes longer for each bit."""

_SAME = (bytes(_PIECE), b"\xff" * _PIECE)
"""Pieces without an edge, behind a clear bit and behind a set one."""


class Bitmaps(ABC):
    """Takes the bitmaps of one order one by one and handles them in batches.

    Attributes:
        block: Bytes of physical memory that a bit stands for.
        ascending: Whether each bitmap so far stood for memory behind all before it.
    """

    def __init__(self, block: int) -> None:
        """Expect bitmaps whose bits stand for `block` bytes each."""
        self.block = block
        self.ascending = True
        self._content: list[bytes] = []
        self._size = 0
        self._stretches: list[tuple[int, int]] = []
        self._end = 0

    def add(self, start: int, content: bytes) -> None:
        """Take a bitmap, a multiple of 8 bytes, whose first bit stands for address `start`."""
        if start != self._end or not self._content:
            if start < self._end:
                self.ascending = False
            if self._content:
                self._content.append(_GAP)
                self._size += len(_GAP)
            self._stretches.append((self._size * 8, start))
        self._content.append(content)
        self._size += len(content)
        self._end = start + len(content) * 8 * self.block
        if self._size >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Handle what was taken since the last batch."""
        if not self._content:
            return
        self._content.append(_GAP)
        self._handle(b"".join(self._content), self._stretches)
        self._content, self._stretches, self._size = [], [], 0

    @abstractmethod
    def _handle(self, content: bytes, stretches: list[tuple[int, int]]) -> None:
        """Handle a batch.

        Args:
            content: The bitmaps; behind each stretch and at the end is a word without a bit.
            stretches: First bit and its address of each piece of contiguous memory.
        """


class Gathered(Bitmaps):
    """The runs of set bits."""

    def __init__(self, block: int) -> None:
        """Expect bitmaps whose bits stand for `block` bytes each."""
        super().__init__(block)
        self._starts = GrowingAddresses()
        self._ends = GrowingAddresses()

    def runs(self) -> Runs:
        """All runs. Nothing can be added any more."""
        self.flush()
        found = Runs(self._starts.finish(), self._ends.finish())
        return found if self.ascending else runs.joined([found])

    def _handle(self, content: bytes, stretches: list[tuple[int, int]]) -> None:
        edges = self._few_edges(content)
        if edges is None:
            self._handle_many(content, stretches)
            return
        first = [bit for bit, _ in stretches]
        addresses = array("Q")
        for edge in edges:
            bit, start = stretches[bisect_right(first, edge) - 1]
            addresses.append(start + (edge - bit) * self.block)
        self._begin(addresses[::2])
        self._ends.extend(addresses[1::2])

    def _few_edges(self, content: bytes) -> list[int] | None:
        """The numbers of all edges, ascending; None once there are many runs."""
        edges: list[int] = []
        for edge in _one_by_one(content):
            edges.append(edge)
            if not few(len(self._starts) + len(edges) // 2):
                return None
        return edges

    def _handle_many(self, content: bytes, stretches: list[tuple[int, int]]) -> None:
        import numpy as np

        words = np.frombuffer(content, "<u8")
        edges = _edges(words)
        self._begin(self._addresses(_positions(edges & words), stretches))
        # The starts are let go: memory is used again in time; more at once goes to the kernel.
        self._ends.extend(self._addresses(_positions(edges & ~words), stretches))

    def _begin(self, starts: "Buffer") -> None:
        """Take the starts of a batch; the first one may only carry on the last run."""
        content = view_of(starts)
        if len(content) and len(self._ends) and content[0] == self._ends.last:
            content = content[1:]
            self._ends.drop_last()
        self._starts.extend(content)

    def _addresses(self, bits: "Bits", stretches: list[tuple[int, int]]) -> "Addresses":
        """Where ascending bits of a batch lie in memory."""
        import numpy as np

        first = np.array([bit for bit, _ in stretches], np.intp)
        # Differences wrap around, and so do the sums that they are part of.
        moved = [(start - bit * self.block) % (1 << 64) for bit, start in stretches]
        places = np.array(moved, np.uint64)
        if len(places) > 1:
            counts = np.diff(bits.searchsorted(first), append=len(bits))
            places = np.repeat(places, counts)
        addresses = bits.view(np.uint64)
        addresses *= np.uint64(self.block)
        addresses += places
        return addresses


class Counted(Bitmaps):
    """The number of set bits and of their runs.

    Attributes:
        blocks: Set bits.
        ranges: Runs of them; right only where the bitmaps were ascending.
    """

    def __init__(self, block: int) -> None:
        """Expect bitmaps whose bits stand for `block` bytes each."""
        super().__init__(block)
        self.blocks = 0
        self.ranges = 0
        self._open_at = -1

    def _handle(self, content: bytes, stretches: list[tuple[int, int]]) -> None:
        bits = int.from_bytes(content, "little")
        self.blocks += bits.bit_count()
        self.ranges += (bits & ~(bits << 1)).bit_count()
        if stretches[0][1] == self._open_at and bits & 1:
            self.ranges -= 1
        last = content[-len(_GAP) - 1]
        self._open_at = self._end if last >> 7 else -1


def _one_by_one(content: bytes) -> Iterator[int]:
    """The numbers of all edges of a batch, ascending: a run begins, and ends, and so on."""
    before = 0
    for at in range(0, len(content), _PIECE):
        piece = content[at : at + _PIECE]
        if piece == _SAME[before]:
            continue
        bits = int.from_bytes(piece, "little")
        edges = bits ^ (bits << 1 | before)
        before = bits >> (_PIECE * 8 - 1)
        edges ^= before << _PIECE * 8
        while edges:
            lowest = edges & -edges
            yield at * 8 + lowest.bit_length() - 1
            edges ^= lowest


def _edges(words: "Words") -> "Words":
    """Bits that differ from the one before them; a run begins or has ended there."""
    import numpy as np

    one, top = np.uint64(1), np.uint64(63)
    edges = words << one
    edges[1:] |= words[:-1] >> top
    edges ^= words
    return edges.astype("<u8", copy=False)


def _positions(words: "Words") -> "Bits":
    """The numbers of all set bits, ascending."""
    import numpy as np

    busy = np.flatnonzero(words)
    if len(busy) > len(words) // 4:
        return np.flatnonzero(_bits(words))
    found = np.flatnonzero(_bits(words[busy]))
    positions: Bits = (busy[found >> 6] << 6) + (found & 63)
    return positions


def _bits(words: "Words") -> "NDArray[np.bool_]":
    import numpy as np

    return np.unpackbits(words.view(np.uint8), bitorder="little").view(np.bool_)


Taker = TypeVar("Taker", bound=Bitmaps)
"""One of the two ways to take bitmaps."""


def within(limit: int, start: int, block: int, bitmap: bytes) -> bool:
    """Whether all memory that a bitmap names ends at `limit` or before."""
    if start + len(bitmap) * 8 * block <= limit:
        return True
    return start + int.from_bytes(bitmap, "little").bit_length() * block <= limit


def totals(found: Mapping[int, Counted]) -> Totals | None:
    """The sums over a map's orders; None where only its runs tell, which may touch or overlap."""
    for counted in found.values():
        counted.flush()
    held = {order: counted for order, counted in sorted(found.items()) if counted.blocks}
    if len(held) > 1 or not all(counted.ascending for counted in held.values()):
        return None
    return Totals(
        bytes=sum(counted.blocks * counted.block for counted in held.values()),
        ranges=sum(counted.ranges for counted in held.values()),
        blocks_by_order={order: counted.blocks for order, counted in held.items()},
    )
