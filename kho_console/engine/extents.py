"""Preserved extents as a list: chosen by a mask, found by address, summed up, never all built."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from kho_console.model.few import few
from kho_console.model.memory import MemoryRange
from kho_console.model.owner import Extent, Owner, Ownership
from kho_console.model.preserved import PreservedMap, Runs
from kho_console.model.value import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LAST = (1 << 64) - 1
_AT_ONCE = 1 << 15


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Some of the extents of a map, ascending.

    Attributes:
        ownership: All extents.
        kept: Indices into them, or None where all are kept.
        bytes: Sum of the sizes of all kept extents.
    """

    ownership: Ownership
    kept: "NDArray[np.intp] | None"
    bytes: int

    def __len__(self) -> int:
        return len(self.ownership) if self.kept is None else len(self.kept)

    def __getitem__(self, row: int) -> Extent:
        return self.ownership[row if self.kept is None else int(self.kept[row])]

    def __iter__(self) -> Iterator[Extent]:
        return (self[row] for row in range(len(self)))

    def row_at(self, address: int) -> int:
        """The row that holds `address`, else the first one behind it, else the last one."""
        return max(min(self._first_behind(address), len(self) - 1), 0)

    def within(self, found: MemoryRange) -> range:
        """The rows that share a byte with `found`."""
        first, last = self._first_behind(found.start), self._first_behind(found.end - 1)
        held = last < len(self) and self[last].range.start < found.end
        return range(first, last + held)

    def joined(self) -> Runs:
        """The kept extents as ranges, joined where they touch."""
        import numpy as np

        starts, ends = self.ownership.starts, self.ownership.ends
        if self.kept is not None:
            starts, ends = starts[self.kept], ends[self.kept]
        if not len(starts):
            return Runs(starts, ends)
        cuts = np.flatnonzero(starts[1:] != ends[:-1])
        return Runs(
            starts[np.concatenate(([0], cuts + 1))],
            ends[np.concatenate((cuts, [len(ends) - 1]))],
        )

    def _first_behind(self, address: int) -> int:
        """The first row that ends behind `address`.

        The whole arrays are searched: taking the kept ones out of them would cost a copy.
        """
        import numpy as np

        place = np.uint64(min(address, _LAST))
        found = int(self.ownership.ends.searchsorted(place, side="right"))
        return found if self.kept is None else int(self.kept.searchsorted(found))


def select(ownership: Ownership, mask: "NDArray[np.bool_] | None") -> Rows:
    """The extents that a mask lets through; all of them without a mask."""
    if mask is None or mask.all():
        return Rows(ownership, None, ownership.bytes)
    import numpy as np

    kept = np.flatnonzero(mask)
    sizes = ownership.ends - ownership.starts
    return Rows(ownership, kept, int(sizes.take(kept).sum()))


def touching(ownership: Ownership, wanted: Runs) -> "NDArray[np.bool_]":
    """Which extents share a byte with any of the runs.

    Piece by piece, so that the runs near a piece stay in the processor's cache: both may be
    millions.
    """
    import numpy as np

    kept = np.zeros(len(ownership), bool)
    for at in range(0, len(ownership), _AT_ONCE):
        starts, ends = ownership.starts[at : at + _AT_ONCE], ownership.ends[at : at + _AT_ONCE]
        first = int(wanted.ends.searchsorted(starts[0], side="right"))
        last = int(wanted.starts.searchsorted(ends[-1], side="left"))
        if first < last:
            near = wanted.ends[first:last].searchsorted(starts, side="right")
            found = wanted.starts[first:last].take(near, mode="clip") < ends
            kept[at : at + _AT_ONCE] = found & (near < last - first)
    return kept


@dataclass(frozen=True, slots=True)
class Share:
    """What one owner has of preserved memory: bytes, in so many extents."""

    owner: Owner
    bytes: int
    extents: int


def shares(rows: Rows) -> tuple[Share, ...]:
    """What each owner has of the rows, the largest share first."""
    found = _shares_few(rows) if few(len(rows)) else _shares_many(rows)
    return tuple(sorted(found, key=lambda share: -share.bytes))


def _shares_few(rows: Rows) -> Iterable[Share]:
    found: dict[Owner, Share] = {}
    for extent in rows:
        before = found.get(extent.owner, Share(extent.owner, 0, 0))
        size = before.bytes + extent.range.size
        found[extent.owner] = Share(extent.owner, size, before.extents + 1)
    return [found[owner] for owner in dict.fromkeys(rows.ownership.owners) if owner in found]


def _shares_many(rows: Rows) -> Iterable[Share]:
    import numpy as np

    ownership, kept = rows.ownership, rows.kept
    owner_of, sizes = ownership.owner_of, ownership.ends - ownership.starts
    if kept is not None:
        owner_of, sizes = owner_of.take(kept), sizes.take(kept)
    count = len(ownership.owners)
    extents = np.bincount(owner_of, minlength=count).tolist()
    totals = np.zeros(count, np.uint64)
    np.add.at(totals, owner_of, sizes)
    found: dict[Owner, Share] = {}
    for owner, size, number in zip(ownership.owners, totals.tolist(), extents, strict=True):
        before = found.get(owner, Share(owner, 0, 0))
        found[owner] = Share(owner, before.bytes + size, before.extents + number)
    return [share for share in found.values() if share.extents]


def first_of(rows: Rows, wanted: Owner) -> int:
    """The first row of an owner, 0 where it has none."""
    import numpy as np

    owners = rows.ownership.owner_of if rows.kept is None else rows.ownership.owner_of[rows.kept]
    same = np.array([owner == wanted for owner in rows.ownership.owners], bool)
    found = same[owners]
    return int(found.argmax()) if found.any() else 0


def orders(preserved: PreservedMap, found: MemoryRange) -> tuple[int, ...]:
    """The orders of the blocks that make up a range, ascending."""
    return tuple(sorted(at for at, runs in preserved.by_order.items() if runs.touches(found)))
