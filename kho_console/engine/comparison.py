"""What came in against what goes out: values by path, and bytes where nothing decodes them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from kho_console.engine import blob_view, trees
from kho_console.engine.blob_view import Line
from kho_console.model.blob import Blob, BlobState
from kho_console.model.snapshot import Side, Snapshot
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass

_MOST_STRETCHES = 1000


class Change(StrEnum):
    """How a value of one side stands to the other side."""

    GONE = "only in"
    ADDED = "only out"
    CHANGED = "changed"
    SAME = "the same"
    UNKNOWN = "not comparable"


@dataclass(frozen=True, slots=True)
class Pair:
    """One value on both sides.

    Attributes:
        change: How they differ.
        path: The value's path, or a blob's name where sides are compared.
        came: As it came in; None where it did not.
        goes: As it goes out; None where it does not.
    """

    change: Change
    path: bytes
    came: Line | None
    goes: Line | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides of one thing.

    Attributes:
        pairs: All values, those of the incoming side in their order, then what was added.
        differing: How many bytes differ; None where values were compared, not bytes.
        stretches: Offsets of bytes that differ, the first ones where there are very many.
    """

    pairs: tuple[Pair, ...]
    differing: int | None = None
    stretches: tuple[range, ...] = ()

    @property
    def counted(self) -> Counter[Change]:
        """How many values there are of each change."""
        return Counter(pair.change for pair in self.pairs)


def blobs(snapshot: Snapshot) -> Maybe[Comparison]:
    """The blobs of both sides by name; values are their sizes."""
    incoming, outgoing = snapshot.incoming, snapshot.outgoing
    if isinstance(incoming, Unknown):
        return incoming
    if isinstance(incoming.blobs, Unknown):
        return incoming.blobs
    if isinstance(outgoing.blobs, Unknown):
        return outgoing.blobs
    came = {item.name: item for item in incoming.blobs}
    goes = {item.name: item for item in outgoing.blobs}
    names = [*came, *(name for name in goes if name not in came)]
    return Comparison(tuple(_blob_pair(name, came.get(name), goes.get(name)) for name in names))


def contents(snapshot: Snapshot, name: bytes | None) -> Maybe[Comparison]:
    """The root trees of both sides, or their blobs called `name`."""
    incoming, outgoing = snapshot.incoming, snapshot.outgoing
    if isinstance(incoming, Unknown):
        return incoming
    missing = _missing(incoming, "in", name) or _missing(outgoing, "out", name)
    if missing is not None:
        return missing
    came, goes = blob_view.lines(incoming, name), blob_view.lines(outgoing, name)
    if not isinstance(came, Unknown) and not isinstance(goes, Unknown):
        return Comparison(tuple(_pairs(came, goes)))
    return _bytes(trees.content(incoming, name), trees.content(outgoing, name))


def _missing(side: Side, word: str, name: bytes | None) -> Unknown | None:
    """Why there is nothing on a side that can be compared."""
    found = trees.content(side, name)
    if isinstance(found, Unknown):
        return Unknown(found.cause, f"{word}: {found.reason}")
    blob = None if name is None else side.blob(name)
    if blob is not None and blob.state is BlobState.STALE:
        return Unknown(Cause.RELEASED, f"{blob.reason} ({word})")
    return None


def _blob_pair(name: bytes, came: Blob | None, goes: Blob | None) -> Pair:
    if came is None or goes is None:
        change = Change.ADDED if came is None else Change.GONE
    elif any(
        isinstance(item.content, Unknown) or item.state is BlobState.STALE for item in (came, goes)
    ):
        change = Change.UNKNOWN
    else:
        change = Change.SAME if came.content == goes.content else Change.CHANGED
    return Pair(change, name, _size(came), _size(goes))


def _size(blob: Blob | None) -> Line | None:
    if blob is None:
        return None
    size = None if isinstance(blob.size, Unknown) else blob.size
    word = blob.state.cause if isinstance(blob.state, Unknown) else blob.state
    return Line(0, blob.name, size, "bytes", str(word))


def _pairs(came: Sequence[Line], goes: Sequence[Line]) -> Iterator[Pair]:
    there, here = dict(_by_path(came)), dict(_by_path(goes))
    for key, line in there.items():
        other = here.get(key)
        if other is None:
            yield Pair(Change.GONE, key[0], line, None)
        else:
            same = (line.value, line.size) == (other.value, other.size)
            yield Pair(Change.SAME if same else Change.CHANGED, key[0], line, other)
    for key, line in here.items():
        if key not in there:
            yield Pair(Change.ADDED, key[0], None, line)


def _by_path(lines: Iterable[Line]) -> Iterator[tuple[tuple[bytes, int], Line]]:
    """Lines by their path; a damaged tree may have a path twice, so it is counted."""
    seen: Counter[bytes] = Counter()
    for line in lines:
        if line.path:
            seen[line.path] += 1
            yield (line.path, seen[line.path]), line


def _bytes(came: Maybe[bytes], goes: Maybe[bytes]) -> Maybe[Comparison]:
    import numpy as np

    if isinstance(came, Unknown):
        return came
    if isinstance(goes, Unknown):
        return goes
    common = min(len(came), len(goes))
    differ = np.flatnonzero(
        np.frombuffer(came, np.uint8, common) != np.frombuffer(goes, np.uint8, common)
    )
    rest = range(common, max(len(came), len(goes)))
    # A stretch begins where the offset before does not differ.
    cuts = np.flatnonzero(np.diff(differ) > 1)[:_MOST_STRETCHES]
    starts = [*differ[:1].tolist(), *differ[cuts + 1].tolist()]
    ends = [*differ[cuts].tolist(), *differ[-1:].tolist()]
    found = [range(start, end + 1) for start, end in zip(starts, ends, strict=True)]
    stretches = [*found, rest] if rest else found
    return Comparison((), len(differ) + len(rest), tuple(stretches[:_MOST_STRETCHES]))
