"""The moments of a recording: their times, what happened between them, what was known at each."""

import zlib
from collections import deque
from collections.abc import Callable, Iterator

from kho_console.abi.error import FormatError
from kho_console.abi.recording import bodies
from kho_console.abi.recording.bodies import TABLES, Entry, Happened, Mark
from kho_console.abi.recording.framing import HEADER, Frame, Kind
from kho_console.model.value import dataclass
from kho_console.source.recording.error import RecordingError
from kho_console.source.recording.file import RecordingFile, counted

EVENTS_KEPT = 10_000
"""Events before a moment that are given with it."""


@dataclass(frozen=True, slots=True)
class At:
    """A moment of a recording.

    Attributes:
        number: Counted from 0.
        monotonic: Seconds of the machine's monotonic clock.
        wall: Microseconds since the epoch.
    """

    number: int
    monotonic: float
    wall: int


@dataclass(frozen=True, slots=True)
class Marked:
    """Something that happened, and the first moment that was seen with it."""

    mark: Mark
    moment: int


class Known:
    """What was known at a moment: the place of each key's content.

    Attributes:
        at: The moment.
        run: Offset of the run that it belongs to.
    """

    def __init__(
        self, file: RecordingFile, at: At, run: int, tables: tuple[int, ...], new: dict[bytes, int]
    ) -> None:
        """Take the tables of a checkpoint, and what changed since."""
        self.at = at
        self.run = run
        self._file = file
        self._tables = tables
        self._new = new
        self._read: dict[int, bodies.Changes] = {}

    def get(self, key: bytes) -> bytes | None:
        """The value of a key; None where it has none.

        Raises:
            FormatError: It is damaged.
        """
        place = self._new.get(key)
        if place is None:
            place = self._table(table_of(key)).get(key, 0)
        return self._file.value(place) if place else None

    def keys(self) -> Iterator[bytes]:
        """All keys that have a value.

        Raises:
            FormatError: A table is damaged.
        """
        for number in range(len(self._tables)):
            yield from (key for key in self._table(number) if key not in self._new)
        yield from (key for key, place in self._new.items() if place)

    def _table(self, number: int) -> bodies.Changes:
        if not self._tables or not self._tables[number]:
            return {}
        if number not in self._read:
            record = self._file.frame(self._tables[number], Kind.TABLE)
            self._read[number] = bodies.read_table(record)
        return self._read[number]


class Timeline:
    """A recording as moments in their order."""

    def __init__(self, file: RecordingFile) -> None:
        """Take an open recording."""
        self.file = file

    def __len__(self) -> int:
        return self.file.counts.moments

    def known(self, number: int) -> Known:
        """What was known at a moment.

        Raises:
            RecordingError: There is no such moment, or it cannot be read any more.
        """
        self._check(number, len(self), "moment")
        with _Damage(self):
            entry = self._region(lambda item: item.counts.moments <= number + 1)
            if entry is None:
                return self._walked(number, None, 0, (), len(HEADER))
            found = self.file.checkpoint(entry.place)
            return self._walked(number, entry, found.run, found.tables, self._behind(entry))

    def moments(self, first: int = 0) -> Iterator[At]:
        """All moments from one on. What cannot be read any more is left out.

        The moment before a checkpoint stands in that, too, whatever became of its own record.
        """
        entry = self._region(lambda item: item.counts.moments <= first)
        number = entry.counts.moments if entry else 0
        for record in self.file.frames(self._behind(entry)):
            if record.kind == Kind.CHECKPOINT:
                before = bodies.read_checkpoint(record).entry
                last = before.counts.moments - 1
                if last >= max(number, first):
                    yield At(last, before.monotonic, before.wall)
                number = last + 1
            elif record.kind == Kind.MOMENT:
                if number >= first:
                    yield _at(number, record)
                number += 1

    def at(self, number: int) -> At:
        """The times of a moment.

        Raises:
            RecordingError: There is no such moment.
        """
        self._check(number, len(self), "moment")
        found = next(self.moments(number), None)
        if found is None or found.number != number:
            raise RecordingError(self.file.path, f"moment {number} is damaged")
        return found

    def last_before(self, wall: int) -> int | None:
        """The last moment at a time, microseconds since the epoch; None before the first."""
        entry = self._region(lambda item: item.wall <= wall)
        found = entry.counts.moments - 1 if entry else None
        start = entry.counts.moments if entry else 0
        for moment in self.moments(start):
            if moment.wall > wall:
                break
            found = moment.number
        return found

    def marks(self, kind: Happened, first: int = 0) -> Iterator[Marked]:
        """All marks of a kind from one on."""
        entry = self._region(lambda item: item.counts.of(kind) <= first)
        counts = entry.counts if entry else bodies.Counts()
        for record in self.file.frames(self._behind(entry)):
            found = record.kind == Kind.MARK and record.body[:1] == bytes((kind,))
            if found and counts.of(kind) >= first:
                yield Marked(bodies.read_mark(record), min(counts.moments, len(self) - 1))
            counts = counted(counts, record)

    def mark(self, kind: Happened, number: int) -> Marked:
        """A mark of a kind, counted from 0.

        Raises:
            RecordingError: There is no such mark.
        """
        self._check(number, self.file.counts.of(kind), kind.name.lower())
        found = next(self.marks(kind, number), None)
        if found is None:
            raise RecordingError(self.file.path, f"{kind.name.lower()} {number} is damaged")
        return found

    def marks_before(self, known: Known, kind: Happened) -> list[Mark]:
        """The marks of a kind that a moment was seen with, of its own run, the latest ones."""
        entry = self._region(lambda item: item.counts.moments <= known.at.number)
        before = entry.counts.of(kind) if entry else 0
        first = max(before - EVENTS_KEPT, 0)
        return list(deque(self._between(kind, first, known), EVENTS_KEPT))

    def _between(self, kind: Happened, first: int, known: Known) -> Iterator[Mark]:
        """Marks from one on; stretches without any are not read."""
        number = known.at.number
        while True:
            entry = self._without(kind, first, number)
            moment = entry.counts.moments if entry else 0
            seen = entry.counts.of(kind) if entry else 0
            for record in self.file.frames(self._behind(entry)):
                if record.kind == Kind.CHECKPOINT and seen > first:
                    break
                if record.kind == Kind.MOMENT:
                    if moment == number:
                        return
                    moment += 1
                elif record.kind == Kind.MARK and record.body[:1] == bytes((kind,)):
                    if seen >= first and record.start > known.run:
                        yield bodies.read_mark(record)
                    seen += 1
            else:
                return
            first = seen

    def _without(self, kind: Happened, first: int, number: int) -> Entry | None:
        """The last checkpoint before both a mark and a moment."""
        return self._region(
            lambda item: item.counts.of(kind) <= first and item.counts.moments <= number
        )

    def _walked(
        self, number: int, entry: Entry | None, run: int, tables: tuple[int, ...], start: int
    ) -> Known:
        """Go from a checkpoint to a moment, taking what changed on the way."""
        new: dict[bytes, int] = {}
        at = None
        count = 0
        if entry is not None:
            count = entry.counts.moments
            at = At(count - 1, entry.monotonic, entry.wall)
        for record in self._until(start) if count <= number else ():
            if record.kind == Kind.RUN:
                run, tables, new = record.start, (), {}
            elif record.kind == Kind.MOMENT:
                found = bodies.read_moment(record)
                new.update(found.changes)
                at = At(count, found.monotonic, found.wall)
                count += 1
                if count > number:
                    break
        if at is None or at.number != number:
            raise FormatError(start, f"moment {number} cannot be read any more")
        return Known(self.file, at, run, tables, new)

    def _until(self, start: int) -> Iterator[Frame]:
        """The records up to the next checkpoint."""
        for record in self.file.frames(start):
            if record.kind == Kind.CHECKPOINT:
                return
            yield record

    def _region(self, fits: Callable[[Entry], bool]) -> Entry | None:
        with _Damage(self):
            return self.file.latest(fits)

    def _behind(self, entry: Entry | None) -> int:
        """Offset of what follows a checkpoint, or the header."""
        if entry is None:
            return len(HEADER)
        with _Damage(self):
            return self.file.frame(entry.place, Kind.CHECKPOINT).end

    def _check(self, number: int, there: int, what: str) -> None:
        if 0 <= number < there:
            return
        reason = f"there is no {what} {number}; it has {there} of them, counted from 0"
        raise RecordingError(self.file.path, reason)


class _Damage:
    """Turns what the format refuses into an error that names the file."""

    def __init__(self, timeline: Timeline) -> None:
        self._path = timeline.file.path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FormatError):
            reason = f"damaged at 0x{error.offset:x}: {error.reason}"
            raise RecordingError(self._path, reason) from error


def table_of(key: bytes) -> int:
    """The table that holds a key."""
    return zlib.crc32(key) % TABLES


def _at(number: int, record: Frame) -> At:
    found = bodies.read_moment(record)
    return At(number, found.monotonic, found.wall)
