"""Records a machine: looks at it again and again, and writes down what it answered."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from kho_console import __version__
from kho_console.abi.recording.bodies import Happened, Mark
from kho_console.engine import files, paths
from kho_console.engine.crash.events import seen_events
from kho_console.engine.essential import essential
from kho_console.engine.journal_tail import JournalTail
from kho_console.engine.observer import Look, Observer, View
from kho_console.engine.tracing import TracingSource
from kho_console.engine.walk import everything, read_residue
from kho_console.model.event import Event, EventsLost
from kho_console.model.finding import Finding
from kho_console.model.unknown import Unknown
from kho_console.model.value import dataclass
from kho_console.source.protocol import Source, SourceKind
from kho_console.source.recording import answers
from kho_console.source.recording.error import RecordingError
from kho_console.source.recording.source import event_content
from kho_console.source.recording.writer import RecordingWriter

__all__ = ["Limits", "Recorder", "RecordingError"]

SLOW_EVERY = 60.0
"""Seconds between looks that walk over processes and preserved memory."""

_WAKE = 0.2
"""Seconds after which it looks whether somebody ended it."""

_CRASH_SIZE = answers.path_key(answers.FILE, paths.CRASH_SIZE)
"""Only a full look asks for it, as reading it takes the kexec lock."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, how often and how much.

    Attributes:
        every: Seconds between two moments.
        duration: Seconds after which it ends; None for never.
        size: Bytes of the file and the older one beside it; None for any.
        age: Seconds after which a moment may go; None for never.
    """

    every: float = 1.0
    duration: float | None = None
    size: int | None = None
    age: float | None = None


class Recorder:
    """Writes the moments of one source to a file.

    Where a limit of size or age is reached at half, the file becomes `FILE.1` in place of the one
    that was there, and begins anew: so both together keep the limit, and the latest half is there.
    """

    def __init__(
        self,
        source: Source,
        path: Path,
        limits: Limits,
        journal: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Record `source` to `path`.

        Args:
            source: The machine.
            path: The file; behind what it holds the recording goes on.
            limits: How long, how often, how much.
            journal: Whose new lines are recorded as actions; None for none.
            clock: The console's own monotonic seconds.
            now: Seconds since the epoch.

        Raises:
            OSError: The file cannot be opened or written.
            RecordingError: It is none that may be written.
        """
        self._traced = TracingSource(source)
        self._observer = Observer(self._traced, clock)
        self._path = path
        self._limits = limits
        self._journal = None if journal is None else JournalTail(journal)
        self._clock = clock
        self._now = now
        self._slow_due = clock() + SLOW_EVERY
        self._first_at: float | None = None
        self._heard = False
        self._known: dict[bytes, bytes] = {}
        self._findings: frozenset[tuple[str, str]] = frozenset()
        self._writer = RecordingWriter(path)
        self._stream = source.events() if self._live else None
        self._begin()

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def moments(self) -> int:
        """How many moments the file has."""
        return self._writer.counts.moments

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._writer.size

    def run(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Record until the limit of time, or until `stopped` says so.

        Raises:
            OSError: Something cannot be written; the file ends with the last whole moment.
        """
        limits = self._limits
        self._hear_of_the_past()
        due = self._clock()
        while True:
            self.tick()
            end = self._clock() - self._elapsed() + (limits.duration or 0.0)
            due = max(due + limits.every, self._clock())
            over = limits.duration is not None and due >= end
            self._wait(end if over else due, stopped)
            if over or stopped():
                return

    def hear(self, *events: Event | EventsLost) -> None:
        """Write events down at once; the next moment is seen with them, and looks at everything.

        Raises:
            OSError: They cannot be written.
        """
        monotonic, wall = self._times()
        for event in events:
            self._mark(Happened.EVENT, event.monotonic, monotonic, wall, event_content(event))
        self._heard = self._heard or bool(events)

    def tick(self) -> None:
        """Record one moment.

        Raises:
            OSError: It cannot be written.
            RecordingError: The limit of size leaves no room for one moment.
        """
        view = self._look()
        monotonic, wall = self._times()
        if self._first_at is None:
            self._first_at = self._clock()
        self._actions(monotonic, wall)
        self._new_findings(view.findings, monotonic, wall)
        taken = self._traced.taken()
        if self._live:
            taken = {key: essential(key, value) for key, value in taken.items()}
        self._writer.moment(monotonic, wall, self._changes(taken))
        if self._is_full():
            self._rotate()
            self._new_findings(view.findings, monotonic, wall)
            self._writer.moment(monotonic, wall, self._known)
            if self._is_full():
                reason = f"one moment alone has {self.size} bytes: the limit of size is too small"
                raise RecordingError(self._path, reason)

    def close(self) -> None:
        """Write the index, and close the file.

        Raises:
            OSError: It cannot be written.
        """
        if self._stream is not None:
            self._stream.close()
        self._writer.close()

    @property
    def _live(self) -> bool:
        return self._traced.kind is SourceKind.LIVE

    def _begin(self) -> None:
        facts = self._traced.facts()
        boot = files.text(self._traced.source, f"{paths.SYSCTL}/random/boot_id")
        self._writer.run(
            {
                "host": facts.hostname,
                "release": facts.release,
                "machine": facts.machine,
                "page_size": facts.page_size,
                "description": facts.description,
                "source": [self._traced.kind, self._traced.name],
                "boot": None if isinstance(boot, Unknown) else boot,
                "console": __version__,
            }
        )
        self._findings = frozenset()

    def _look(self) -> View:
        """A look; what takes a kernel lock is read at the beginning and when something happened."""
        if not self._known or self._heard:
            wanted = Look.FULL
        elif self._clock() >= self._slow_due:
            wanted = Look.SLOW
        else:
            wanted = Look.LIGHT
        if wanted is not Look.LIGHT:
            self._slow_due = self._clock() + SLOW_EVERY
        self._heard = False
        view = self._observer.look(wanted)
        if self._traced.answered(_CRASH_SIZE):
            self._read_more(view)
        return view

    def _read_more(self, view: View) -> None:
        """What screens show on demand only, and of a recorded machine all its paths."""
        read_residue(self._traced, view.snapshot)
        everything(self._traced)

    def _changes(self, taken: Mapping[bytes, bytes]) -> dict[bytes, bytes | None]:
        """What is new; after a full look nothing is known but what it brought."""
        known = dict(taken) if _CRASH_SIZE in taken else {**self._known, **taken}
        changes: dict[bytes, bytes | None] = {
            key: value for key, value in known.items() if self._known.get(key) != value
        }
        changes.update(dict.fromkeys(self._known.keys() - known.keys()))
        self._known = known
        return changes

    def _times(self) -> tuple[float, int]:
        """The machine's monotonic time, and the time of day there."""
        if self._live:
            return self._traced.clock(), int(self._now() * 1e6)
        elapsed, captured = self._elapsed(), self._traced.facts().captured_at
        wall = self._now() if captured is None else captured.timestamp() + elapsed
        return self._traced.clock() + elapsed, round(wall * 1e6)

    def _elapsed(self) -> float:
        """Seconds since the first moment."""
        return 0.0 if self._first_at is None else self._clock() - self._first_at

    def _mark(
        self, kind: Happened, at: float, monotonic: float, wall: int, content: object
    ) -> None:
        then = max(wall - round((monotonic - at) * 1e6), 0)
        self._writer.mark(Mark(kind, at, then, content))

    def _actions(self, monotonic: float, wall: int) -> None:
        for at, line in [] if self._journal is None else self._journal.new():
            then = monotonic - (wall / 1e6 - at.timestamp())
            self._mark(Happened.ACTION, then, monotonic, wall, line)

    def _new_findings(self, findings: tuple[Finding, ...], monotonic: float, wall: int) -> None:
        for item in findings:
            if (item.id, item.subject) not in self._findings:
                content = {
                    "id": item.id,
                    "severity": item.severity,
                    "subject": item.subject,
                    "text": item.text,
                }
                self._mark(Happened.FINDING, monotonic, monotonic, wall, content)
        self._findings = frozenset((item.id, item.subject) for item in findings)

    def _hear_of_the_past(self) -> None:
        """Write down the events that a recorded machine has already seen."""
        found = seen_events(self._traced.source)
        if not isinstance(found, Unknown):
            self.hear(*found)

    def _wait(self, until: float, stopped: Callable[[], bool]) -> None:
        """Wait, hearing events of a live machine."""
        while not stopped() and (left := until - self._clock()) > 0:
            if self._stream is None:
                time.sleep(min(left, _WAKE))
            else:
                self.hear(*self._stream.poll(min(left, _WAKE)))

    def _is_full(self) -> bool:
        limits = self._limits
        large = limits.size is not None and self.size > limits.size // 2
        return large or (limits.age is not None and self._age() > limits.age / 2)

    def _age(self) -> float:
        """Seconds since the file's first moment, whoever has recorded it."""
        first = self._writer.first
        return 0.0 if first is None else (self._times()[1] - first.wall) / 1e6

    def _rotate(self) -> None:
        self._writer.close(rename=self._path.with_name(f"{self._path.name}.1"))
        self._writer = RecordingWriter(self._path)
        self._begin()
