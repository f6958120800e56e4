"""Moments of a recording as an operator names them."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Protocol, TypeAlias

from kho_console.abi.recording.bodies import Happened
from kho_console.source.recording import RecordingError
from kho_console.source.recording.timeline import At, Marked

START, END = "start", "end"

FORMS = (
    "a time (2026-11-21T10:00:00, UTC without an offset), HH:MM:SS of its last day, "
    "+SECONDS from its start, -SECONDS from its end (also 5m, 2h, 1d), "
    "event:N, action:N, finding:N, moment:N (from 0), start or end"
)
"""What `find` reads."""


class Times(Protocol):
    """Times of moments, and what was seen first with them; see the timeline of a recording."""

    def at(self, number: int) -> At:
        """The times of a moment."""
        ...

    def last_before(self, wall: int) -> int | None:
        """The last moment at a time, microseconds since the epoch; None before the first."""
        ...

    def moments(self, first: int = 0) -> Iterator[At]:
        """All moments from one on."""
        ...

    def mark(self, kind: Happened, number: int) -> Marked:
        """One thing that happened."""
        ...


class Dated(Protocol):
    """Moments with times: a recording, or what a console saw while it was open."""

    @property
    def timeline(self) -> Times:
        """Their times."""
        ...

    def __len__(self) -> int: ...


Finder: TypeAlias = Callable[[Dated], int]

_EPOCH = datetime.fromtimestamp(0, UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1) // _MICROSECOND
_SAME = 2.0
"""Seconds by which two clocks may differ after a long time: one of them is kept right."""

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_RELATIVE = re.compile(r"([+-])(\d{1,12}(?:\.\d{1,6})?)([smhd]?)", re.ASCII)
_NUMBERED = re.compile(r"(event|action|finding|moment):(\d{1,12})", re.ASCII)


class NoMomentError(ValueError):
    """A word that names no moment, or none of this recording."""


def find(recording: Dated, word: str) -> int:
    """The number of the moment that `word` names.

    Raises:
        NoMomentError: There is none.
    """
    try:
        return finder(word)(recording)
    except RecordingError as error:
        raise NoMomentError(str(error)) from error
    except OverflowError as error:
        raise NoMomentError(f"{word} is a time beyond all calendars") from error


def finder(word: str) -> Finder:
    """How to find the moment that `word` names.

    Raises:
        NoMomentError: It is none of the forms.
    """
    if word in (START, END):
        return lambda recording: 0 if word == START else len(recording) - 1
    if found := _NUMBERED.fullmatch(word):
        return _numbered(found[1], int(found[2]))
    if found := _RELATIVE.fullmatch(word):
        return _relative(found[1], float(found[2]) * _UNITS[found[3]])
    try:
        clock = time.fromisoformat(word)
    except ValueError:
        return _absolute(word)
    return lambda recording: _within(recording, _on_its_day(recording, clock))


def _numbered(what: str, number: int) -> Finder:
    def moment(recording: Dated) -> int:
        return recording.timeline.at(number).number

    def marked(recording: Dated) -> int:
        return recording.timeline.mark(Happened[what.upper()], number).moment

    return moment if what == "moment" else marked


def _relative(sign: str, seconds: float) -> Finder:
    def moment(recording: Dated) -> int:
        if not _is_steady(recording):
            return _counted(recording, sign, seconds)
        count = len(recording)
        start = near(recording.timeline, 0 if sign == "+" else count - 1).wall
        distance = round(seconds * 1e6)
        return _within(recording, start + distance if sign == "+" else start - distance)

    return moment


def _is_steady(recording: Dated) -> bool:
    """Whether both clocks went alike: nobody set the time of day, and no machine was booted."""
    timeline = recording.timeline
    first, last = near(timeline, 0), near(timeline, len(recording) - 1)
    return abs((last.wall - first.wall) / 1e6 - (last.monotonic - first.monotonic)) < _SAME


def _counted(recording: Dated, sign: str, seconds: float) -> int:
    """The last moment after so many seconds, or before so many until the end."""
    passed = {0: 0.0}
    total = 0.0
    for number, more in gaps(recording.timeline.moments()):
        total += more
        passed[number] = total
    wanted = seconds if sign == "+" else total - seconds
    if not -1 < wanted < total + 1:
        side = "behind" if sign == "+" else "before"
        raise NoMomentError(f"{sign}{seconds:g}s is {side} the recording, which has {total:.0f} s")
    return max((number for number, at in passed.items() if at <= wanted), default=0)


def near(timeline: Times, number: int) -> At:
    """The times of a moment, or where it is damaged of the next one, or of the last.

    Raises:
        RecordingError: There is no such moment, or none that can be read.
    """
    try:
        return timeline.at(number)
    except RecordingError:
        found = next(timeline.moments(number), None)
        found = found or next(iter(deque(timeline.moments(), 1)), None)
        if found is None:
            raise
        return replace(found, number=number)


def gaps(found: Iterable[At]) -> Iterator[tuple[int, float]]:
    """Each moment but the first, with the seconds since the one before.

    They are those of the clock that nobody sets; where it begins anew, those of the time of day.
    """
    for before, after in pairwise(found):
        seconds = after.monotonic - before.monotonic
        yield after.number, seconds if seconds >= 0 else max(after.wall - before.wall, 0) / 1e6


def _absolute(word: str) -> Finder:
    try:
        wanted = datetime.fromisoformat(word)
        wanted = wanted.replace(tzinfo=wanted.tzinfo or UTC)
        wall = microseconds(wanted)
    except (ValueError, OverflowError) as error:
        raise NoMomentError(f"{word!r} names no moment: give {FORMS}") from error
    return lambda recording: _within(recording, wall)


def _on_its_day(recording: Dated, clock: time) -> int:
    """A time of day on the last day of a recording, or where that is behind it on the day before.

    Microseconds since the epoch.
    """
    first, last = (near(recording.timeline, at).wall for at in (0, len(recording) - 1))
    wanted = datetime.combine(told(last).date(), clock, clock.tzinfo or UTC)
    wall = microseconds(wanted)
    return wall - _DAY if wall > last and wall - _DAY >= first else wall


def _within(recording: Dated, wall: int) -> int:
    """The last moment at a time, which must lie in the recording."""
    timeline = recording.timeline
    first, last = near(timeline, 0).wall, near(timeline, len(recording) - 1).wall
    # What is asked for to the second is there when a moment is in that second.
    if first // 10**6 <= wall // 10**6 <= last // 10**6:
        return timeline.last_before(wall) or 0
    found = None if _is_steady(recording) else _passing(timeline.moments(), wall)
    if found is None:
        side = "behind" if wall > last else "before"
        raise NoMomentError(f"{side} the recording, which {_span(recording)}")
    return found


def _passing(found: Iterable[At], wall: int) -> int | None:
    """The last moment at which a time of day was reached, where the clock was set meanwhile."""
    reached = None
    for before, after in pairwise(found):
        if before.wall <= wall < after.wall:
            reached = before.number
        elif after.wall // 10**6 == wall // 10**6:
            reached = after.number
    return reached


def _span(recording: Dated) -> str:
    timeline = recording.timeline
    first, last = near(timeline, 0).wall, near(timeline, len(recording) - 1).wall
    end = f"{told(last):%T}" if told(first).date() == told(last).date() else f"{told(last):%F %T}"
    return f"goes from {told(first):%F %T}Z to {end}Z"


def told(wall: int) -> datetime:
    """Microseconds since the epoch as a time, UTC."""
    return _EPOCH + timedelta(microseconds=wall)


def microseconds(time: datetime) -> int:
    """A time with its offset as microseconds since the epoch."""
    return (time - _EPOCH) // _MICROSECOND
