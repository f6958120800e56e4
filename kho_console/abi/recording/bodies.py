"""The bodies of records, but for CONTENT; see the package for the format."""

import json
from collections.abc import Mapping
from enum import IntEnum
from typing import TypeAlias

from kho_console.abi.error import FormatError
from kho_console.abi.recording.content import compress, expand
from kho_console.abi.recording.fields import Fields, times
from kho_console.abi.recording.framing import LARGEST_TABLE, MARKER, Frame, number
from kho_console.model.value import dataclass

TABLES = 64
"""Tables of a checkpoint; those in which nothing changed are not written again."""

_LEAST_ENTRY = 21
"""Bytes of an entry of an index: a distance, four counts, two times."""

_LEAST_RECORD = 6
"""Bytes of a record: its kind, the length of its body, a checksum."""

Changes: TypeAlias = Mapping[bytes, int]
"""Offset of the content that each key has; 0 where nothing is known of it any more."""


class Happened(IntEnum):
    """Kinds of marks."""

    EVENT = 1
    ACTION = 2
    FINDING = 3


@dataclass(frozen=True, slots=True)
class Moment:
    """One look: its two times, and what was new."""

    monotonic: float
    wall: int
    changes: Changes


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened: its kind, its two times, a JSON value."""

    kind: int
    monotonic: float
    wall: int
    content: object


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there were so far."""

    moments: int = 0
    events: int = 0
    actions: int = 0
    findings: int = 0

    def of(self, kind: Happened) -> int:
        """Marks of a kind."""
        return (self.events, self.actions, self.findings)[kind - 1]


@dataclass(frozen=True, slots=True)
class Entry:
    """A checkpoint in an index.

    Attributes:
        place: Its offset.
        counts: What lies before it.
        monotonic: Seconds of the last moment before it.
        wall: Microseconds since the epoch of that moment.
    """

    place: int
    counts: Counts
    monotonic: float
    wall: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All that is known at a moment.

    Attributes:
        entry: Where it is, and what lies before it.
        run: Offset of the run.
        before: Offset of the checkpoint before; 0 for none.
        index: Offset of the last index; 0 for none.
        tables: Offset of each table; 0 for an empty one.
    """

    entry: Entry
    run: int
    before: int
    index: int
    tables: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """Where checkpoints lie: those since the last index, and the indexes before."""

    checkpoints: tuple[Entry, ...]
    indexes: tuple[Entry, ...]


def run(facts: Mapping[str, object]) -> bytes:
    """The body of a RUN record."""
    return json.dumps(facts).encode()


def read_run(record: Frame) -> dict[str, object]:
    """What a RUN record tells.

    Raises:
        FormatError: It is no JSON object.
    """
    found = _json(record.body, record.start)
    if not isinstance(found, dict):
        raise FormatError(record.start, "the facts of a run are no JSON object")
    return found


def moment(found: Moment, start: int) -> bytes:
    """The body of a MOMENT record at offset `start`."""
    return times(found.monotonic, found.wall) + _entries(found.changes, start)


def read_moment(record: Frame) -> Moment:
    """The look that a MOMENT record holds.

    Raises:
        FormatError: It is damaged.
    """
    fields = Fields(record.body, record.start)
    return Moment(*fields.times(), _read_entries(fields))


def mark(found: Mark) -> bytes:
    """The body of a MARK record."""
    return (
        bytes((found.kind,))
        + times(found.monotonic, found.wall)
        + json.dumps(found.content).encode()
    )


def read_mark(record: Frame) -> Mark:
    """What a MARK record tells.

    Raises:
        FormatError: It is damaged.
    """
    fields = Fields(record.body, record.start)
    kind = fields.take(1)[0]
    return Mark(kind, *fields.times(), _json(fields.rest(), record.start))


def table(entries: Changes, start: int) -> bytes:
    """The body of a TABLE record at offset `start`."""
    plain = _entries(entries, start)
    return number(len(plain)) + compress(plain)


def read_table(record: Frame) -> Changes:
    """The keys and contents of a TABLE record.

    Raises:
        FormatError: It is damaged.
    """
    fields = Fields(record.body, record.start)
    size = fields.number()
    return _read_entries(Fields(_expanded(fields, size, record), record.start))


def checkpoint(found: Checkpoint) -> bytes:
    """The body of a CHECKPOINT record at the offset that its entry names."""
    start = found.entry.place
    before = (found.run, found.before, found.index)
    return b"".join(
        (
            MARKER,
            _counts(found.entry.counts),
            times(found.entry.monotonic, found.entry.wall),
            *(_distance(start, place) for place in before),
            number(len(found.tables)),
            *(_distance(start, place) for place in found.tables),
        )
    )


def read_checkpoint(record: Frame) -> Checkpoint:
    """A CHECKPOINT record.

    Raises:
        FormatError: It is damaged.
    """
    fields = Fields(record.body, record.start)
    if fields.take(len(MARKER)) != MARKER:
        raise fields.wrong("a checkpoint without its marker")
    entry = Entry(record.start, _read_counts(fields, record.start), *fields.times())
    places = fields.place(), fields.place(), fields.place()
    tables = tuple(fields.place() for _ in range(fields.count(1)))
    if len(tables) != TABLES:
        raise fields.wrong(f"{len(tables)} tables in place of {TABLES}")
    return Checkpoint(entry, *places, tables)


def index(found: Index, start: int) -> bytes:
    """The body of an INDEX record at offset `start`."""
    entries = (*found.checkpoints, *found.indexes)
    plain = number(len(found.checkpoints)) + number(len(found.indexes))
    plain += b"".join(
        _distance(start, item.place) + _counts(item.counts) + times(item.monotonic, item.wall)
        for item in entries
    )
    return number(len(plain)) + compress(plain)


def read_index(record: Frame) -> Index:
    """An INDEX record.

    Raises:
        FormatError: It is damaged, or its entries do not ascend.
    """
    outer = Fields(record.body, record.start)
    size = outer.number()
    fields = Fields(_expanded(outer, size, record), record.start)
    first, second = fields.count(_LEAST_ENTRY), fields.count(_LEAST_ENTRY)
    if not first or (first + second) * _LEAST_ENTRY > fields.left:
        raise fields.wrong("an index has fewer entries than it says, or none")
    entries = [
        Entry(fields.place(), _read_counts(fields, record.start), *fields.times())
        for _ in range(first + second)
    ]
    found = Index(tuple(entries[:first]), tuple(entries[first:]))
    for part in (found.checkpoints, found.indexes):
        places = [item.place for item in part]
        if places != sorted(set(places)) or 0 in places:
            raise fields.wrong("the entries of an index do not ascend")
    return found


def _expanded(fields: Fields, size: int, record: Frame) -> bytes:
    return expand(fields.rest(), size, record.start, most=LARGEST_TABLE)


def _entries(changes: Changes, start: int) -> bytes:
    parts = [number(len(changes))]
    for key, place in changes.items():
        parts += (number(len(key)), key, _distance(start, place))
    return b"".join(parts)


def _read_entries(fields: Fields) -> dict[bytes, int]:
    return {fields.take(fields.number()): fields.place() for _ in range(fields.count(2))}


def _distance(start: int, place: int) -> bytes:
    return number(start - place if place else 0)


def _counts(found: Counts) -> bytes:
    return b"".join(map(number, (found.moments, found.events, found.actions, found.findings)))


def _read_counts(fields: Fields, before: int) -> Counts:
    """Counts of what has so many bytes at most."""
    counted = [fields.number() for _ in range(4)]
    if sum(counted) > before // _LEAST_RECORD:
        raise fields.wrong("more moments and marks than have room before it")
    return Counts(*counted)


def _json(data: bytes, start: int) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(start, f"no JSON: {error or 'nested too deeply'}") from error
