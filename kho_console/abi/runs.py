"""Runs of physical memory out of pieces, pages and bitmaps."""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kho_console.model.few import few
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs


def empty() -> Runs:
    """No run at all."""
    return Runs(array("Q"), array("Q"))


_LAST = (1 << 64) - 1


def of_ranges(ranges: Iterable[tuple[int, int]]) -> Runs:
    """Runs of `(start, end)` pairs of addresses, in any order, joined where they touch.

    What lies beyond the last address is cut off: no memory is there.
    """
    starts, ends = array("Q"), array("Q")
    for start, end in ranges:
        starts.append(min(start, _LAST))
        ends.append(min(end, _LAST))
    return joined([Runs(starts, ends)])


def of_pages(pages: Iterable[int], size: int) -> Runs:
    """Runs of whole pages of `size` bytes at any addresses below 2^64, joined where they touch."""
    return of_ranges((page, page + size) for page in pages)


def joined(pieces: Sequence[Runs]) -> Runs:
    """Runs out of pieces in any order; overlapping and touching pieces become one."""
    return _joined_few(pieces) if few(sum(map(len, pieces))) else _joined_many(pieces)


def _joined_few(pieces: Sequence[Runs]) -> Runs:
    starts, ends = array("Q"), array("Q")
    reach = -1
    for start, end in sorted(pair for piece in pieces for pair in piece.pairs()):
        if start > reach:
            starts.append(start)
            ends.append(end)
            reach = end
        elif end > reach:
            ends[-1] = reach = end
    return Runs(starts, ends)


def _joined_many(pieces: Sequence[Runs]) -> Runs:
    import numpy as np

    first = np.concatenate([piece.starts for piece in pieces])
    last = np.concatenate([piece.ends for piece in pieces])
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
    return joined(list(groups.values()))


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
    span = MemoryRange(base, size * 8 * block)
    for index in runs.near(span):
        start = max(runs[index].start, base)
        end = min(runs[index].end, span.end)
        bits[(start - base) // block : (end - base) // block] = 1
    return np.packbits(bits, bitorder="little").tobytes()
