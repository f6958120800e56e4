"""Bitmaps and block lists turned into runs of physical memory, with numpy throughout."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs

if TYPE_CHECKING:
    from kho_console.model.preserved import Addresses


def empty() -> Runs:
    """No run at all."""
    import numpy as np

    return Runs(np.empty(0, np.uint64), np.empty(0, np.uint64))


_LAST = (1 << 64) - 1


def of_ranges(ranges: Iterable[tuple[int, int]]) -> Runs:
    """Runs of `(start, end)` pairs of addresses, in any order, joined where they touch.

    What lies beyond the last address is cut off: no memory is there.
    """
    import numpy as np

    cut = [(min(start, _LAST), min(end, _LAST)) for start, end in ranges]
    pairs = np.array(cut, np.uint64).reshape(-1, 2)
    return joined([pairs[:, 0]], [pairs[:, 1]])


def of_pages(pages: Iterable[int], size: int) -> Runs:
    """Runs of whole pages of `size` bytes at any addresses below 2^64, joined where they touch."""
    import numpy as np

    starts = np.fromiter(pages, np.uint64)
    return joined([starts], [starts + np.uint64(size)])


def joined(starts: "list[Addresses]", ends: "list[Addresses]") -> Runs:
    """Runs out of pieces in any order; overlapping and touching pieces become one."""
    import numpy as np

    if not starts:
        return empty()
    first, last = np.concatenate(starts), np.concatenate(ends)
    if not len(first):
        return empty()
    if (first[1:] < first[:-1]).any():
        order = np.argsort(first, kind="stable")
        first, last = first[order], last[order]
    reach = np.maximum.accumulate(last)
    cut = np.flatnonzero(first[1:] > reach[:-1])
    heads = np.concatenate(([0], cut + 1))
    tails = np.concatenate((cut, [len(first) - 1]))
    return Runs(first[heads], reach[tails])


def union(groups: Mapping[int, Runs]) -> Runs:
    """All runs of all orders together; those of a single order are not copied."""
    if len(groups) == 1:
        return next(iter(groups.values()))
    return joined(
        [item.starts for item in groups.values()], [item.ends for item in groups.values()]
    )


def holes(memory: Runs) -> Iterator[MemoryRange]:
    """What lies before, between and behind the runs, up to 2^64."""
    end = 0
    for item in memory:
        yield MemoryRange(end, item.start - end)
        end = item.end
    yield MemoryRange(end, _LAST + 1 - end)


def bitmap_of(runs: Runs, base: int, block: int, size: int) -> bytes:
    """The bitmap of `size` bytes whose bit b stands for `block` bytes at `base + b * block`.

    Runs outside the bitmap's span are left out; inside they are whole blocks.
    """
    import numpy as np

    bits = np.zeros(size * 8, np.uint8)
    limit = base + size * 8 * block
    low = int(runs.ends.searchsorted(np.uint64(base), side="right"))
    high = int(runs.starts.searchsorted(np.uint64(min(limit, _LAST)), side="left"))
    for index in range(low, high):
        start = max(int(runs.starts[index]), base)
        end = min(int(runs.ends[index]), limit)
        bits[(start - base) // block : (end - base) // block] = 1
    return np.packbits(bits, bitorder="little").tobytes()
