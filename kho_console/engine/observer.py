"""Looks at one source again and again, for a face that stays open.

What a look needs is imported by the first one: a face can draw its frame before.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import IntEnum
from itertools import islice
from typing import TYPE_CHECKING

from kho_console.model.event import Event, EventsLost
from kho_console.model.unknown import Maybe, Unknown
from kho_console.model.value import dataclass
from kho_console.source.protocol import EventStream, Source, SourceKind

if TYPE_CHECKING:
    from kho_console.engine.log_lines import LogLine
    from kho_console.engine.strip import StripMap
    from kho_console.model.check import Check
    from kho_console.model.finding import Finding
    from kho_console.model.snapshot import Snapshot

# A face that is handed a source names its type from here, as sources are not its to import.
__all__ = ["EVENTS_KEPT", "Look", "Observer", "Source", "View"]

EVENTS_KEPT = 10_000
"""Events that stay in memory; adding 1 TiB in blocks of 128 MiB makes 8,192."""

_EVENTS_SHOWN = 100

_log = logging.getLogger(__name__)


class Look(IntEnum):
    """How much a look reads."""

    LIGHT = 1
    """Small files only; maps, processes and checks stay as they were."""
    SLOW = 2
    """Everything but what takes a kernel lock to read: that is not for a timer."""
    FULL = 3
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
        log: What of the kernel log is about our subjects, oldest first.
        strip: Physical memory as a strip.
        taken: Seconds of the console's own monotonic clock when the look ended.
    """

    snapshot: "Snapshot"
    findings: "tuple[Finding, ...]"
    checks: "tuple[Check, ...]"
    events: tuple[Event | EventsLost, ...]
    events_seen: int
    log: "Maybe[tuple[LogLine, ...]]"
    strip: "StripMap"
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
        self._events: deque[Event | EventsLost] = deque(maxlen=EVENTS_KEPT)
        self._seen = 0
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
            else:
                view = self._light(last)
        _log.log(
            logging.INFO if wanted > Look.LIGHT else logging.DEBUG,
            "%s look took %.3f s",
            wanted.name.lower(),
            time.monotonic() - began,
        )
        return view

    def _full(self) -> View:
        from kho_console.engine.doctor import examine
        from kho_console.engine.observe import observe

        if not self.live:
            self._replay()
        snapshot = observe(self._source)
        return self._view(snapshot, examine(self._source, snapshot))

    def _slow(self, last: View) -> View:
        from kho_console.engine.observe import observe

        return self._view(observe(self._source, last.snapshot, walk=True), last.checks)

    def _light(self, last: View) -> View:
        from kho_console.engine.observe import observe

        snapshot = observe(self._source, last.snapshot)
        if _signs(snapshot) != _signs(last.snapshot):
            return self._full()
        return self._view(snapshot, last.checks)

    def wait_for_events(self, timeout: float) -> int:
        """Wait for events of a live machine at most `timeout` seconds, and count them."""
        if self._stream is None:
            self._stream = self._source.events()
        arrived = self._stream.poll(timeout)
        with self._lock:
            self._events.extend(arrived)
            self._seen += len(arrived)
        return len(arrived)

    def _replay(self) -> None:
        from kho_console.engine.crash import seen_events

        recorded = seen_events(self._source)
        with self._lock:
            self._events.clear()
            self._events.extend([] if isinstance(recorded, Unknown) else recorded)
            self._seen = len(self._events)

    def _view(self, snapshot: "Snapshot", checks: "tuple[Check, ...]") -> View:
        from kho_console.engine.diagnose import diagnose
        from kho_console.engine.log_lines import about_handover
        from kho_console.engine.strip import strip_map

        last = self._last
        with self._lock:
            skipped = max(len(self._events) - _EVENTS_SHOWN, 0)
            events, seen = tuple(islice(self._events, skipped, None)), self._seen
        self._last = View(
            snapshot=snapshot,
            findings=diagnose(snapshot),
            checks=checks,
            events=events,
            events_seen=seen,
            log=about_handover(snapshot),
            strip=strip_map(snapshot, None if last is None else (last.snapshot, last.strip)),
            taken=self._clock(),
        )
        return self._last


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
