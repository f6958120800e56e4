"""The moments of a source: one now, or as many as were recorded."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Protocol

from kho_console.abi.recording.bodies import Happened
from kho_console.engine import moments
from kho_console.engine.moments import NoMomentError
from kho_console.engine.noted import behind
from kho_console.model.position import Landmark, What
from kho_console.model.snapshot import Moment
from kho_console.source.protocol import Source, SourceKind
from kho_console.source.recording import RecordedSource, Recording, RecordingError
from kho_console.source.recording.timeline import Marked

_KINDS = {
    What.EVENT: Happened.EVENT,
    What.ACTION: Happened.ACTION,
    What.FINDING: Happened.FINDING,
}
_TITLES = ("text", "action", "lost")


class Timeline(Protocol):
    """Moments in their order; `NoMomentError` where one cannot be read any more."""

    @property
    def live(self) -> bool:
        """Whether moments are added by a machine that runs."""
        ...

    def __len__(self) -> int: ...

    def source(self, number: int) -> Source:
        """The machine at a moment."""
        ...

    def time(self, number: int) -> datetime:
        """When a moment was, UTC."""
        ...

    def find(self, word: str) -> int:
        """The moment that an operator names.

        Raises:
            NoMomentError: There is none.
        """
        ...

    def gaps(self, first: int) -> Iterator[tuple[int, float]]:
        """Each moment behind one, with the seconds since the one before."""
        ...

    def landmarks(self, what: What, first: int = 0) -> Iterator[Landmark]:
        """All of a kind, from a number on."""
        ...

    def count(self, what: What) -> int:
        """How many there are of a kind."""
        ...


class OneMoment:
    """A source that has no past: a fixture, a twin, or a machine that is not recorded."""

    def __init__(self, source: Source) -> None:
        """Take the source as its only moment."""
        self._source = source
        self._began = source.facts().captured_at or datetime.now(UTC)

    @property
    def live(self) -> bool:
        """See `Timeline.live`."""
        return self._source.kind is SourceKind.LIVE

    def __len__(self) -> int:
        return 1

    def source(self, number: int) -> Source:
        """See `Timeline.source`."""
        return self._source

    def time(self, number: int) -> datetime:
        """See `Timeline.time`."""
        return datetime.now(UTC) if self.live else self._began

    def find(self, word: str) -> int:
        """See `Timeline.find`."""
        if word in (moments.START, moments.END):
            return 0
        raise NoMomentError(f"{self._source.name} has one moment only")

    def gaps(self, first: int) -> Iterator[tuple[int, float]]:
        """See `Timeline.gaps`."""
        return iter(())

    def landmarks(self, what: What, first: int = 0) -> Iterator[Landmark]:
        """See `Timeline.landmarks`."""
        return iter(())

    def count(self, what: What) -> int:
        """See `Timeline.count`."""
        return 0


class RecordedMoments:
    """The moments of a recording."""

    live = False

    def __init__(self, recording: Recording) -> None:
        """Take an open recording."""
        self._recording = recording

    def __len__(self) -> int:
        return len(self._recording)

    def source(self, number: int) -> Source:
        """See `Timeline.source`."""
        try:
            return self._recording.at(number)
        except RecordingError as error:
            raise NoMomentError(str(error)) from error

    def time(self, number: int) -> datetime:
        """See `Timeline.time`."""
        return moments.told(moments.near(self._recording.timeline, number).wall)

    def find(self, word: str) -> int:
        """See `Timeline.find`."""
        return moments.find(self._recording, word)

    def gaps(self, first: int) -> Iterator[tuple[int, float]]:
        """See `Timeline.gaps`."""
        return moments.gaps(self._recording.moments(first))

    def landmarks(self, what: What, first: int = 0) -> Iterator[Landmark]:
        """See `Timeline.landmarks`."""
        found = self._recording.marks(_KINDS[what], first)
        return (_landmark(what, number, item) for number, item in enumerate(found, first))

    def count(self, what: What) -> int:
        """See `Timeline.count`."""
        return self._recording.timeline.file.counts.of(_KINDS[what])


def timeline_of(source: Source) -> tuple[Timeline, int]:
    """The moments of a source, and the number of the one that it is."""
    inner = behind(source)
    if isinstance(inner, RecordedSource):
        return RecordedMoments(inner.recording), inner.at.number
    return OneMoment(source), 0


def other_moment(source: Source, word: str) -> Source | None:
    """Another moment of the recording that a source is a moment of; None where `word` names none.

    Raises:
        NoMomentError: It is a moment as an operator names one, and not there.
    """
    timeline, _ = timeline_of(source)
    try:
        moments.finder(word)
    except NoMomentError:
        return None
    return timeline.source(timeline.find(word)) if isinstance(timeline, RecordedMoments) else None


def moment_of(source: Source) -> Moment | None:
    """Which moment of a recording a source is; None for any other source."""
    inner = behind(source)
    if not isinstance(inner, RecordedSource):
        return None
    return Moment(inner.at.number, len(inner.recording), moments.told(inner.at.wall))


def at_end(source: Source) -> bool:
    """Whether a source is the last moment of those that it belongs to."""
    timeline, number = timeline_of(source)
    return number == len(timeline) - 1


def _landmark(what: What, number: int, found: Marked) -> Landmark:
    content = found.mark.content if isinstance(found.mark.content, dict) else {}
    words = [content[name] for name in _TITLES if isinstance(content.get(name), str)]
    if what is What.EVENT and not isinstance(content.get("lost"), str):
        words = [f"{content.get('action')} {content.get('device')}"]
    title = words[0] if words else what.value
    return Landmark(what, number, found.moment, moments.told(found.mark.wall), title)
