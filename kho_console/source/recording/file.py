"""The bytes of a recording, and where in them its checkpoints lie."""

import os
import weakref
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

from kho_console.abi.error import FormatError
from kho_console.abi.recording import bodies, content, framing
from kho_console.abi.recording.bodies import Checkpoint, Counts, Entry, Index
from kho_console.abi.recording.framing import HEADER, MARKER, Frame, Kind
from kho_console.source.protocol import SourceError
from kho_console.source.recording.error import RecordingError
from kho_console.source.regular import open_regular

_STRETCH = 1 << 16
_MOST_RECENT = 1 << 10
"""Checkpoints that are followed back one by one; an index comes after far fewer."""


_KEPT, _KEPT_SIZE = 256, 1 << 16
"""Values that are kept, and the bytes of one that is not too large for it."""


class _Opened:
    """The bytes of an open file as far as it went when it was opened."""

    def __init__(self, path: Path) -> None:
        self._descriptor = open_regular(str(path), str(path))
        weakref.finalize(self, os.close, self._descriptor)
        self.size = os.fstat(self._descriptor).st_size

    def read(self, offset: int, size: int) -> bytes:
        """See `Reader.read`."""
        room = max(self.size - offset, 0)
        return os.pread(self._descriptor, min(size, room), offset)


class RecordingFile:
    """A recording as it was when it was opened; what is written later is not seen.

    Attributes:
        path: The file.
        counts: How much of everything it holds.
        end: Offset behind the last whole record.
        last: The last checkpoint; None where there is none yet.
        index_place: Offset of the last index; 0 for none.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, and read what lies behind its last checkpoint.

        Raises:
            RecordingError: It cannot be read, or is no recording.
        """
        self.path = path
        try:
            self._bytes = _Opened(path)
            framing.check_header(self._bytes)
        except SourceError as error:
            raise RecordingError(path, error.unknown.reason) from error
        except FormatError as error:
            raise RecordingError(path, error.reason) from error
        self.last = self._last_checkpoint(self._bytes.size)
        self.index_place = self.last.index if self.last else 0
        self._whole_scan = False
        self._read_tail()
        self._values: OrderedDict[int, bytes] = OrderedDict()

    @property
    def last_index(self) -> Index | None:
        """The last index; None without one, or where one is damaged and `recent` has them all."""
        _ = self.recent
        return None if self._whole_scan else self._last_index

    @cached_property
    def recent(self) -> tuple[Entry, ...]:
        """The checkpoints that no index has, ascending; all of them where an index is damaged."""
        found: list[Entry] = []
        at = self.last
        try:
            while at is not None and at.entry.place > self.index_place:
                found.append(at.entry)
                if len(found) > _MOST_RECENT:
                    raise FormatError(at.entry.place, "no index among so many checkpoints")
                at = self.checkpoint(at.before) if at.before else None
            _ = self._last_index
        except FormatError:
            return self._scanned()
        return tuple(reversed(found))

    @property
    def torn(self) -> int:
        """Bytes behind the last whole record."""
        return self._bytes.size - self.end

    def frames(self, start: int) -> Iterator[Frame]:
        """The whole records from `start` on; after damage it goes on at the next checkpoint."""
        while True:
            try:
                record = framing.read_frame(self._bytes, start)
                if record.kind == Kind.CHECKPOINT:
                    bodies.read_checkpoint(record)
            except FormatError:
                later = self._next_checkpoint(start + 1)
                if later is None:
                    return
                record = later
            yield record
            start = record.end

    def frame(self, place: int, kind: Kind) -> Frame:
        """The record of a kind at `place`.

        Raises:
            FormatError: There is none.
        """
        record = framing.read_frame(self._bytes, place)
        if record.kind != kind:
            raise FormatError(place, f"no {kind.name.lower()} where one should be")
        return record

    def checkpoint(self, place: int) -> Checkpoint:
        """The checkpoint at `place`.

        Raises:
            FormatError: There is none.
        """
        return bodies.read_checkpoint(self.frame(place, Kind.CHECKPOINT))

    def latest(self, fits: Callable[[Entry], bool]) -> Entry | None:
        """The last checkpoint that fits; those that fit come before those that do not.

        Where an index is damaged, or it is not at its place any more, the file is read through
        for those that are left.
        """
        try:
            found = self._listed(fits)
            if found is not None:
                self.checkpoint(found.place)
        except FormatError:
            self.recent = self._scanned()
            found = _last_of(self.recent, fits)
        return found

    def _listed(self, fits: Callable[[Entry], bool]) -> Entry | None:
        recent = self.recent
        if recent and fits(recent[0]):
            return _last_of(recent, fits)
        index = self.last_index
        if index is None:
            return None
        if not (index.checkpoints and fits(index.checkpoints[0])):
            earlier = _last_of(index.indexes, fits)
            if earlier is None:
                return None
            index = self._index(earlier.place)
        return _last_of(index.checkpoints, fits)

    def value(self, place: int) -> bytes:
        """The value of the content at `place`; those that were asked for last are kept.

        Raises:
            FormatError: It is damaged.
        """
        found = self._values.pop(place, None)
        if found is None:
            found = self._value(place)
        if len(found) <= _KEPT_SIZE:
            self._values[place] = found
            if len(self._values) > _KEPT:
                self._values.popitem(last=False)
        return found

    def _value(self, place: int) -> bytes:
        """The value of the content at `place`.

        Raises:
            FormatError: It is damaged.
        """
        chain = []
        while place:
            record = self.frame(place, Kind.CONTENT)
            chain.append((content.read(record), place))
            if len(chain) > content.LONGEST_CHAIN + 1:
                raise FormatError(place, "a value rests on too many others")
            place = chain[-1][0].base
        data = b""
        for found, start in reversed(chain):
            data = content.value(found, data, start)
        return data

    def _read_tail(self) -> None:
        start = framing.read_frame(self._bytes, self.last.entry.place).end if self.last else 0
        counts = self.last.entry.counts if self.last else Counts()
        self.end = start or len(HEADER)
        for record in self.frames(self.end):
            counts = counted(counts, record)
            if record.kind == Kind.INDEX:
                self.index_place = record.start
            self.end = record.end
        self.counts = counts

    def _last_checkpoint(self, behind: int) -> Checkpoint | None:
        """The last checkpoint that starts before `behind`, found backwards by its marker."""
        while behind > len(HEADER):
            start = max(behind - _STRETCH, len(HEADER))
            data = self._bytes.read(start, behind - start + len(MARKER) - 1)
            at = data.rfind(MARKER)
            while at >= 0:
                record = self._checkpoint_around(start + at)
                if record is not None:
                    return bodies.read_checkpoint(record)
                at = data.rfind(MARKER, 0, at + len(MARKER) - 1)
            behind = start
        return None

    def _next_checkpoint(self, start: int) -> Frame | None:
        while start < self._bytes.size:
            data = self._bytes.read(start, _STRETCH + len(MARKER) - 1)
            at = data.find(MARKER)
            while at >= 0:
                record = self._checkpoint_around(start + at)
                if record is not None:
                    return record
                at = data.find(MARKER, at + 1)
            start += _STRETCH
        return None

    def _checkpoint_around(self, marker: int) -> Frame | None:
        """The checkpoint whose marker stands there; None where it is anything else."""
        for start in framing.starts_before(marker):
            try:
                record = framing.read_frame(self._bytes, max(start, 0), framing.LARGEST_CHECKPOINT)
                bodies.read_checkpoint(record)
            except FormatError:
                continue
            if record.kind == Kind.CHECKPOINT:
                return record
        return None

    @cached_property
    def _last_index(self) -> Index | None:
        return self._index(self.index_place) if self.index_place else None

    def _index(self, place: int) -> Index:
        return bodies.read_index(self.frame(place, Kind.INDEX))

    def _scanned(self) -> tuple[Entry, ...]:
        self._whole_scan = True
        return tuple(
            bodies.read_checkpoint(record).entry
            for record in self.frames(len(HEADER))
            if record.kind == Kind.CHECKPOINT
        )


def counted(counts: Counts, record: Frame) -> Counts:
    """The counts behind a record."""
    moments, events, actions, findings = (
        counts.moments,
        counts.events,
        counts.actions,
        counts.findings,
    )
    if record.kind == Kind.MOMENT:
        moments += 1
    elif record.kind == Kind.MARK and record.body:
        kind = record.body[0]
        events += kind == bodies.Happened.EVENT
        actions += kind == bodies.Happened.ACTION
        findings += kind == bodies.Happened.FINDING
    elif record.kind == Kind.CHECKPOINT:
        return bodies.read_checkpoint(record).entry.counts
    return Counts(moments, events, actions, findings)


def _last_of(entries: tuple[Entry, ...], fits: Callable[[Entry], bool]) -> Entry | None:
    at = bisect_right(entries, False, key=lambda entry: not fits(entry))
    return entries[at - 1] if at else None
