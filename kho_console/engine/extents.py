"""Preserved extents as a list: chosen by owner, found by address, summed up, never all built."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kho_console.model.memory import MemoryRange
from kho_console.model.owner import Extent, Owner, Ownership
from kho_console.model.preserved import PreservedMap

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_OWNER = "owner:"


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


def named(words: str, name: Callable[[Owner], str]) -> Callable[[Owner], bool]:
    """The owners that a filter lets through: all its words stand in the owner's name.

    Args:
        words: What an operator typed, as in `owner:memfd web`.
        name: What a face calls an owner.
    """
    parts = [part.removeprefix(_OWNER).lower() for part in words.split()]

    def matches(owner: Owner) -> bool:
        found = name(owner).lower()
        return all(part in found for part in parts)

    return matches


@dataclass(frozen=True, slots=True)
class Share:
    """What one owner has of preserved memory: bytes, in so many extents."""

    owner: Owner
    bytes: int
    extents: int


def shares(ownership: Ownership) -> tuple[Share, ...]:
    """The share of every owner that has any, the largest first."""
    import numpy as np

    count = len(ownership.owners)
    extents = np.bincount(ownership.owner_of, minlength=count).tolist()
    sizes = np.zeros(count, np.uint64)
    np.add.at(sizes, ownership.owner_of, ownership.ends - ownership.starts)
    found: dict[Owner, Share] = {}
    for owner, size, number in zip(ownership.owners, sizes.tolist(), extents, strict=True):
        before = found.get(owner, Share(owner, 0, 0))
        found[owner] = Share(owner, before.bytes + size, before.extents + number)
    held = (share for share in found.values() if share.extents)
    return tuple(sorted(held, key=lambda share: -share.bytes))


def first_of(rows: Rows, wanted: Owner) -> int:
    """The first row of an owner, 0 where it has none."""
    import numpy as np

    owners = rows.ownership.owner_of if rows.kept is None else rows.ownership.owner_of[rows.kept]
    same = [at for at, owner in enumerate(rows.ownership.owners) if owner == wanted]
    found = np.isin(owners, same)
    return int(found.argmax()) if found.any() else 0


def orders(preserved: PreservedMap, found: MemoryRange) -> tuple[int, ...]:
    """The orders of the blocks that make up a range, ascending."""
    return tuple(sorted(at for at, runs in preserved.by_order.items() if runs.touches(found)))
