"""The memory that records refer to: that regions cover it, and that no page is there twice."""

from typing import TYPE_CHECKING

from kho_console.abi import runs
from kho_console.model.preserved import Runs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BEYOND = 1 << 52
_MOST_RUNS = 1 << 20
"""Runs that are kept to be held against each other; of so many, few hosts have more."""


class Touched:
    """Memory that was referred to so far.

    Attributes:
        lost: Address of the first page that no region covers; None where each is covered, or
            where there are no regions to ask.
        beyond: Address of the first page that lies beyond all memory; None where none does.
        scattered: Whether there were too many runs to tell which overlap.
    """

    def __init__(self, cover: Runs | None) -> None:
        """Begin with none; `cover` are the regions that the next kernel reserves."""
        self.lost: int | None = None
        self.beyond: int | None = None
        self.scattered = False
        self._cover = cover
        self._pieces: list[Runs] = []
        self._count = 0

    @property
    def curious(self) -> bool:
        """Whether more memory can tell anything."""
        return not self.scattered or (self._cover is not None and self.lost is None)

    def take(self, starts: "NDArray[np.uint64]", ends: "NDArray[np.uint64]") -> None:
        """Take memory from each of `starts` to each of `ends`."""
        import numpy as np

        wrong = (starts >= _BEYOND) | (ends <= starts)
        if wrong.any():
            self.beyond = int(starts[int(np.argmax(wrong))])
            starts, ends = starts[~wrong], ends[~wrong]
        self._ask_regions(starts, ends)
        if self.scattered:
            return
        self._count += len(starts)
        if self._count > _MOST_RUNS:
            self.scattered = True
            self._pieces.clear()
        elif len(starts):
            self._pieces.append(Runs(np.ascontiguousarray(starts), np.ascontiguousarray(ends)))

    def since(self, first: int) -> Runs:
        """What was taken from call number `first` on; nothing where there was too much of it."""
        return runs.joined(self._pieces[first:])

    @property
    def taken(self) -> int:
        """How many pieces were kept so far."""
        return len(self._pieces)

    def twice(self) -> int:
        """Bytes that are referred to more than once, as far as runs were kept."""
        if self.scattered or not self._pieces:
            return 0
        return sum(piece.bytes for piece in self._pieces) - runs.joined(self._pieces).bytes

    def _ask_regions(self, starts: "NDArray[np.uint64]", ends: "NDArray[np.uint64]") -> None:
        import numpy as np

        if self._cover is None or self.lost is not None or not len(starts):
            return
        if not len(self._cover):
            self.lost = int(starts[0])
            return
        at = np.searchsorted(self._cover.starts, starts, side="right").astype(np.int64) - 1
        bare = (at < 0) | (ends > self._cover.ends[np.maximum(at, 0)])
        if bare.any():
            self.lost = int(starts[int(np.argmax(bare))])
