"""What became of the memory that came in with a tree of 2024: claimed, returned, or it waits.

Mainline releases its incoming map at boot and tells nothing of the kind.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from kho_console.model.kho2024 import Fate, FateShare, Kho2024
from kho_console.model.memory import MemoryRange
from kho_console.model.snapshot import Side
from kho_console.model.unknown import Maybe, Unknown


class Fates:
    """Ranges with what became of each, by address; empty where that is not seen."""

    def __init__(self, found: tuple[tuple[MemoryRange, Fate], ...] = ()) -> None:
        """Keep them."""
        self._found = sorted(found, key=lambda pair: pair[0].start)
        self._starts = [item.start for item, _ in self._found]
        # Nodes may list overlapping memory, so a long range may reach over later ones.
        self._reach = list(accumulate((item.end for item, _ in self._found), max))

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[tuple[MemoryRange, Fate]]:
        return iter(self._found)

    def within(self, wanted: MemoryRange) -> tuple[Fate, ...]:
        """What became of the memory of a range, each fate once."""
        met: set[Fate] = set()
        at = bisect_left(self._starts, wanted.end)
        while at and self._reach[at - 1] > wanted.start and len(met) < len(Fate):
            at -= 1
            item, fate = self._found[at]
            if item.end > wanted.start:
                met.add(fate)
        return tuple(fate for fate in Fate if fate in met)

    def shares(self) -> tuple[FateShare, ...]:
        """The sums of the fates that occur."""
        sizes = {fate: [item.size for item, met in self._found if met is fate] for fate in Fate}
        return tuple(FateShare(fate, len(all_), sum(all_)) for fate, all_ in sizes.items() if all_)


def fates(side: Maybe[Side]) -> Fates:
    """What became of the memory of an incoming side."""
    if isinstance(side, Unknown) or isinstance(side.blobs, Unknown):
        return Fates()
    payloads = (blob.payload for blob in side.blobs)
    known = (item.fates for item in payloads if isinstance(item, Kho2024))
    return Fates(tuple(pair for found in known for pair in found))
