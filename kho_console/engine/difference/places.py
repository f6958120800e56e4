"""Memory that somebody has at two moments: how much, and how much of it in the same place."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from kho_console.model.difference import Change, Difference, Subject, Told
from kho_console.model.few import few
from kho_console.model.preserved import Runs

if TYPE_CHECKING:
    from kho_console.model.preserved import Addresses


def memory(
    subject: Subject, before: Mapping[bytes, Runs], after: Mapping[bytes, Runs]
) -> Iterator[Difference]:
    """What is different in who has which memory."""
    for name, was in before.items():
        now = after.get(name)
        if now is None:
            yield Difference(subject, Change.GONE, name, "", _size(was), None)
        elif was.bytes != now.bytes:
            yield Difference(subject, Change.CHANGED, name, "size", _size(was), _size(now))
        elif common(was, now) != was.bytes:
            places = (_first_only_in(was, now), _first_only_in(now, was))
            yield Difference(subject, Change.MOVED, name, "", *places)
    for name, now in after.items():
        if name not in before:
            yield Difference(subject, Change.ADDED, name, "", None, _size(now))


def common(a: Runs, b: Runs) -> int:
    """How many bytes lie in runs of both."""
    if len(a) > len(b):
        a, b = b, a
    if not len(a):
        return 0
    if few(len(a) + len(b)):
        return sum(map(b.bytes_in, a))
    return _common_many(a, b)


def only_in(a: Runs, b: Runs) -> Iterator[tuple[int, int]]:
    """Start and end of what lies in runs of `a` and in none of `b`, ascending."""
    cuts = b.pairs()
    nothing = (1 << 65, 1 << 65)
    cut = next(cuts, nothing)
    for start, end in a.pairs():
        while cut[1] <= start:
            cut = next(cuts, nothing)
        while cut[0] < end:
            if start < cut[0]:
                yield start, cut[0]
            start = max(start, cut[1])
            if cut[1] > end:
                break
            cut = next(cuts, nothing)
        if start < end:
            yield start, end


def _common_many(a: Runs, b: Runs) -> int:
    import numpy as np

    sizes = b.ends - b.starts
    below = np.concatenate((np.zeros(1, np.uint64), np.cumsum(sizes, dtype=np.uint64)))

    def bytes_below(edges: "Addresses") -> "Addresses":
        """Bytes of `b` below each edge."""
        at = b.starts.searchsorted(edges, side="right")
        last = np.maximum(at, 1) - 1
        inside = np.minimum(edges, b.ends[last]) - b.starts[last]
        found: Addresses = np.where(at > 0, below[last] + inside, np.uint64(0))
        return found

    return int((bytes_below(a.ends) - bytes_below(a.starts)).sum())


def _size(found: Runs) -> Told:
    return Told(found.bytes, "bytes")


def _first_only_in(a: Runs, b: Runs) -> Told:
    """Where the first byte lies that is in `a` alone; there is one where they are not the same."""
    return Told(next(only_in(a, b))[0], "address")
