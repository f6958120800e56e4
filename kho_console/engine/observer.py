"""Looks at one source again and again, for a face that stays open.

What a look needs is imported by the first one: a face can draw its frame before.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from enum import IntEnum
from typing import TYPE_CHECKING

from kho_console.model.event import Event, EventsLost
from kho_console.model.unknown import Maybe, Unknown
from kho_console.model.value import dataclass
from kho_console.source.protocol import EventStream, Source, SourceKind

if TYPE_CHECKING:
    from kho_console.engine.crash.timeline import Timeline
    from kho_console.engine.log_lines import LogLine
    from kho_console.engine.preserved_view import PreservedView
    from kho_console.engine.strip import StripMap
    from kho_console.model.check import Check
    from kho_console.model.finding import Finding
    from kho_console.model.happening import Flow, Gap, Happening
    from kho_console.model.snapshot import Snapshot

# A face that is handed a source names its type from here, as sources are not its to import.
__all__ = ["Look", "Observer", "Source", "View"]

_EVENTS_SHOWN = 100

_MOST_RECHECKED = 10_000
"""Events that a recheck goes through one by one; where more wait, it looks at all of memory."""

_LOG_PACE = 5.0
"""Seconds between two readings of the kernel log: it is read whole, and may be megabytes."""

_log = logging.getLogger(__name__)


class Look(IntEnum):
    """How much a look reads."""

    LIGHT = 1
    """Small files only; maps, processes and checks stay as they were."""
    EVENTS = 2
    """Small files, and what CPU and memory events change: memory, CPUs and the crash image."""
    SLOW = 3
    """Everything but what takes a kernel lock to read: that is not for a timer."""
    FULL = 4
    """Everything."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One look, with what it means.

    Attributes:
        snapshot: The machine.
        findings: What is worth attention, worst first.
        checks: What can be seen here, as of the last full look.
        events: The latest CPU and memory events, oldest first.
        events_seen: How many there were in all.
        happenings: What they amount to, newest last.
        flow: How they arrive.
        log: What of the kernel log is about our subjects, oldest first.
        strip: Physical memory as a strip.
        incoming: The memory that came in, where it is known without being searched for.
        taken: Seconds of the console's own monotonic clock when the look ended.
    """

    snapshot: "Snapshot"
    findings: "tuple[Finding, ...]"
    checks: "tuple[Check, ...]"
    events: tuple[Event | EventsLost, ...]
    events_seen: int
    happenings: "tuple[Happening | Gap, ...]"
    flow: "Flow"
    log: "Maybe[tuple[LogLine, ...]]"
    strip: "StripMap"
    incoming: "PreservedView"
    taken: float


class Observer:
    """Looks at a source.

    `look` belongs to one thread, `wait_for_events` to another.

    Attributes:
        turn: Whoever looks or changes takes it: a twin lives in this program and does one thing at
            a time. On a machine of its own it holds nobody up.
    """

    def __init__(self, source: Source, clock: Callable[[], float] = time.monotonic) -> None:
        """Watch `source`; `clock` tells the console's own monotonic seconds."""
        self._source = source
        self._clock = clock
        self._last: View | None = None
        self._lock = threading.Lock()
        self._events: deque[Event | EventsLost] = deque(maxlen=_EVENTS_SHOWN)
        self._unchecked: deque[Event | EventsLost] = deque(maxlen=_MOST_RECHECKED + 1)
        self._asked: list[Event | EventsLost] = []
        self._seen = 0
        self._replayed = 0
        self._timeline: Timeline | None = None
        self._log_read: float | None = None
        self._log_due = False
        self._stream: EventStream | None = None
        twin = source.kind is SourceKind.TWIN
        self.turn: AbstractContextManager[object] = threading.RLock() if twin else nullcontext()

    @property
    def source(self) -> Source:
        """What it looks at."""
        return self._source

    @property
    def live(self) -> bool:
        """Whether the source changes by itself."""
        return self._source.kind is SourceKind.LIVE

    @property
    def identity(self) -> tuple[str, str]:
        """The source's kind and name."""
        return self._source.kind, self._source.name

    def look(self, wanted: Look = Look.FULL) -> View:
        """Look at the machine. The first look is a full one.

        A light look becomes a full one where the small files tell that the handover has moved on.
        """
        began = time.monotonic()
        with self.turn:
            last = self._last
            if last is None or wanted is Look.FULL:
                view = self._full()
            elif wanted is Look.SLOW:
                view = self._slow(last)
            elif wanted is Look.EVENTS:
                view = self._answer_events(last)
            else:
                view = self._light(last)
        _log.log(
            logging.INFO if wanted > Look.LIGHT else logging.DEBUG,
            "%s look took %.3f s",
            wanted.name.lower(),
            time.monotonic() - began,
        )
        return view

    @property
    def unsettled(self) -> bool:
        """Whether events wait for a look: none answered them yet, or some may be missing."""
        with self._lock:
            return self._timeline is not None and self._timeline.unsettled

    def _full(self) -> View:
        from kho_console.engine.doctor import examine
        from kho_console.engine.observe import observe

        events, _ = self._begin()
        told = self._last.snapshot.crash.causes if self._last and self.live else ()
        snapshot = observe(self._source, events=[*told, *_heard(events)])
        self._settle(snapshot)
        return self._view(snapshot, examine(self._source, snapshot))

    def _slow(self, last: View) -> View:
        from kho_console.engine.observe import observe

        events, _ = self._begin()
        snapshot = observe(self._source, last.snapshot, walk=True, events=_heard(events))
        self._settle(snapshot)
        return self._view(snapshot, last.checks)

    def _answer_events(self, last: View) -> View:
        from kho_console.engine.crash.recheck import recheck

        events, complete = self._begin()
        snapshot = recheck(self._source, last.snapshot, events, complete=complete)
        if _signs(snapshot) != _signs(last.snapshot):
            return self._moved_on(last, snapshot)
        self._settle(snapshot)
        return self._view(self._with_log(snapshot), last.checks)

    def _light(self, last: View) -> View:
        from kho_console.engine.observe import observe

        snapshot = observe(self._source, last.snapshot)
        if _signs(snapshot) != _signs(last.snapshot):
            return self._moved_on(last, snapshot)
        return self._view(self._with_log(snapshot), last.checks)

    def _moved_on(self, last: View, snapshot: "Snapshot") -> View:
        """Look at what is costly as well.

        A crash image that has just gone is most often one that is being loaded anew: until it is
        there, nothing is read that takes the lock of that load.
        """
        fell = last.snapshot.kexec.crash_loaded is True and snapshot.kexec.crash_loaded is False
        return self._slow(last) if fell else self._full()

    def wait_for_events(self, timeout: float) -> list[Event | EventsLost]:
        """Wait for events of a live machine at most `timeout` seconds; those that arrived."""
        if self._stream is None:
            self._stream = self._source.events()
        arrived = self._stream.poll(timeout)
        if arrived:
            with self._lock:
                self._take(arrived)
        return arrived

    def _take(self, arrived: list[Event | EventsLost]) -> None:
        self._events.extend(arrived)
        self._unchecked.extend(arrived)
        self._seen += len(arrived)
        self._log_due = True
        self._told.take(arrived)

    @property
    def _told(self) -> "Timeline":
        from kho_console.engine.crash.timeline import Timeline

        if self._timeline is None:
            self._timeline = Timeline()
        return self._timeline

    def _begin(self) -> tuple[list[Event | EventsLost], bool]:
        """A look begins that answers events: those since the last one, and whether they are all.

        Where the last look ended in an error, this one is to answer its events as well.
        """
        with self._lock:
            events = [*self._asked, *self._unchecked][-_MOST_RECHECKED - 1 :]
            self._unchecked.clear()
            self._asked = events
            complete = len(events) <= _MOST_RECHECKED and not self._told.doubtful
            self._told.begin()
        return events, complete

    def _settle(self, snapshot: "Snapshot") -> None:
        self._asked = []
        if self.live:
            with self._lock:
                self._told.settle(snapshot)
        else:
            self._replay(snapshot)

    def _replay(self, snapshot: "Snapshot") -> None:
        """Take the events of a recording; those that a twin adds are each seen by a look."""
        from kho_console.engine.crash.events import seen_events

        found = seen_events(self._source)
        recorded = [] if isinstance(found, Unknown) else found
        with self._lock:
            if len(recorded) < self._replayed:
                self._timeline, self._replayed, self._seen = None, 0, 0
                self._events.clear()
                self._unchecked.clear()
            told, first = self._told, self._replayed == 0
            self._take(recorded[self._replayed :])
            self._replayed = len(recorded)
            told.begin()
            if first:
                told.settle_recorded(snapshot)
            else:
                told.settle(snapshot)

    def _with_log(self, snapshot: "Snapshot") -> "Snapshot":
        """With the kernel log read again, where events may have added to it."""
        now = self._clock()
        if not self._log_due or (self._log_read is not None and now - self._log_read < _LOG_PACE):
            return snapshot
        self._log_due, self._log_read = False, now
        host = replace(snapshot.machine, kernel_log=self._source.kernel_log())
        return replace(snapshot, machine=host)

    def _view(self, snapshot: "Snapshot", checks: "tuple[Check, ...]") -> View:
        from kho_console.engine.diagnose import diagnose
        from kho_console.engine.log_lines import about_handover
        from kho_console.engine.strip import strip_map

        last = self._last
        with self._lock:
            events, seen, told = tuple(self._events), self._seen, self._told
            happenings, flow = told.happenings, told.flow(self._source.clock())
        self._last = View(
            snapshot=snapshot,
            findings=diagnose(snapshot),
            checks=checks,
            events=events,
            events_seen=seen,
            happenings=happenings,
            flow=flow,
            log=about_handover(snapshot),
            strip=strip_map(snapshot, None if last is None else (last.snapshot, last.strip)),
            incoming=self._incoming(snapshot),
            taken=self._clock(),
        )
        return self._last

    def _incoming(self, snapshot: "Snapshot") -> "PreservedView":
        """What came in; searched for its owners only where the inventory is new."""
        from kho_console.engine import preserved_view
        from kho_console.engine.paths import IN

        last = self._last
        if last is not None and last.snapshot.inventory is snapshot.inventory:
            return last.incoming
        return preserved_view.look(self._source, snapshot, IN, unreliable=False)


def _heard(events: list[Event | EventsLost]) -> list[Event]:
    return [event for event in events if isinstance(event, Event)]


def _signs(snapshot: "Snapshot") -> tuple[object, ...]:
    """What of the small files tells that the costly part is out of date."""
    blobs = snapshot.outgoing.blobs
    known = () if isinstance(blobs, Unknown) else blobs
    return (
        snapshot.state,
        snapshot.kexec.loaded,
        snapshot.kexec.crash_loaded,
        snapshot.liveupdate_device,
        [(blob.name, blob.content) for blob in known],
    )
