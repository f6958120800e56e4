"""Rows of the list of preserved extents: chosen by owner, found by address, never all built."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kho_console.model.memory import MemoryRange
from kho_console.model.owner import Extent, Owner, Ownership
from kho_console.model.preserved import PreservedMap

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Some of the extents of a map, ascending.

    Attributes:
        ownership: All extents.
        kept: Indices into them, or None where all are kept.
    """

    ownership: Ownership
    kept: "NDArray[np.intp] | None" = None

    def __len__(self) -> int:
        return len(self.ownership) if self.kept is None else len(self.kept)

    def __getitem__(self, row: int) -> Extent:
        return self.ownership[row if self.kept is None else int(self.kept[row])]

    @property
    def bytes(self) -> int:
        """Sum of the sizes of all kept extents."""
        sizes = self.ownership.ends - self.ownership.starts
        return int((sizes if self.kept is None else sizes[self.kept]).sum())

    def row_at(self, address: int) -> int:
        """The row that holds `address`, else the first one behind it, else the last one."""
        import numpy as np

        ends = self.ownership.ends if self.kept is None else self.ownership.ends[self.kept]
        found = int(ends.searchsorted(np.uint64(address), side="right"))
        return max(min(found, len(self) - 1), 0)


def select(ownership: Ownership, wanted: Callable[[Owner], bool]) -> Rows:
    """The extents whose owner is wanted; each owner is asked for once."""
    import numpy as np

    chosen = [at for at, owner in enumerate(ownership.owners) if wanted(owner)]
    if len(chosen) == len(ownership.owners):
        return Rows(ownership)
    return Rows(ownership, np.flatnonzero(np.isin(ownership.owner_of, chosen)))


def orders(preserved: PreservedMap, found: MemoryRange) -> tuple[int, ...]:
    """The orders of the blocks that make up a range, ascending."""
    return tuple(sorted(at for at, runs in preserved.by_order.items() if runs.touches(found)))
