"""What a console saw of a live machine while it was open: moments to walk back to, in bounded room.

A look that found nothing new is no moment of its own: a quiet machine has few of them.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime

from kho_console.abi.recording.bodies import Happened, Mark
from kho_console.engine import moments
from kho_console.engine.crash.timeline import KEPT
from kho_console.engine.observer import View
from kho_console.model.event import Event, EventsLost
from kho_console.model.happening import Happening
from kho_console.model.machine import KexecState
from kho_console.model.mechanism import Mechanisms
from kho_console.model.owner import Ownership
from kho_console.model.position import Landmark, What
from kho_console.model.preserved import PreservedMap
from kho_console.model.snapshot import Inventory, Side, Snapshot
from kho_console.model.unknown import Maybe, Unknown
from kho_console.model.value import dataclass
from kho_console.source.protocol import Source
from kho_console.source.recording.timeline import At, Marked

MOST_MOMENTS = 500
MOST_BYTES = 64 << 20
"""Bytes of memory for all moments together, by `weight`."""

_LEAST_WEIGHT = 16 << 10
"""Bytes of a snapshot, with findings and strip, where nothing in it is long."""

_EVENT_WEIGHT = 300
"""Bytes of an event, which all views with it share."""

_SET_APART = frozenset(
    {"taken", "kexec", "crash", "inventory", "outgoing", "incoming", "mechanisms"}
)
"""Fields of a snapshot that differ between two looks at the same, or are no plain values."""


_NOT_COMPARED = frozenset({"taken", "lock_taken", "preserved", "recovered", "ownership"})
"""The same of an inventory."""


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """A moment: what was seen, when it was seen first, and what is new in it."""

    view: View
    at: datetime
    news: tuple[tuple[What, str], ...]
    weight: int


class KeptLooks:
    """The moments of a live machine since the console was opened; see `Timeline`."""

    live = True

    def __init__(self, source: Source, most: int = MOST_MOMENTS, most_bytes: int = MOST_BYTES):
        """Keep looks at `source`, at most so many moments and bytes; the latest one stays."""
        self._source = source
        self._most = most
        self._most_bytes = most_bytes
        self._kept: deque[_Kept] = deque()
        self._bytes = 0
        self._done: list[str] = []

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        """How much memory the moments take."""
        return self._bytes

    def did(self, action: str) -> None:
        """The next look is the first one after an action."""
        self._done.append(action)

    def add(self, view: View) -> int:
        """Keep a look; how many of the oldest moments had to go for it."""
        last = self._kept[-1].view if self._kept else None
        # The clock may be set back; moments stay in their order.
        now = datetime.now(UTC)
        at = max(now, self._kept[-1].at) if self._kept else now
        news = tuple((What.ACTION, name) for name in self._done)
        if last is not None and not news and same(last, view):
            # The newer one stays in place of it: it shares more with those to come.
            old = self._kept.pop()
            self._bytes -= old.weight
            at, news = old.at, old.news
            last = self._kept[-1].view if self._kept else None
        elif last is not None:
            news += _new_events(last, view) + _new_findings(last, view)
        self._done.clear()
        self._put(_Kept(view, at, news, weight(view, last)))
        return self._let_go()

    def view(self, number: int) -> View:
        """What was seen at a moment."""
        return self._kept[number].view

    def source(self, number: int) -> Source:
        """See `Timeline.source`: of the past there are views, the machine itself is now."""
        return self._source

    def time(self, number: int) -> datetime:
        """See `Timeline.time`."""
        return self._kept[number].at if self._kept else datetime.now(UTC)

    def find(self, word: str) -> int:
        """See `Timeline.find`."""
        return moments.find(_Dated(self), word)

    def gaps(self, first: int) -> Iterator[tuple[int, float]]:
        """See `Timeline.gaps`."""
        return moments.gaps(_Dated(self).moments(first))

    def landmarks(self, what: What, first: int = 0) -> Iterator[Landmark]:
        """See `Timeline.landmarks`."""
        return iter(self._all(what)[first:])

    def count(self, what: What) -> int:
        """See `Timeline.count`."""
        return sum(kind is what for item in self._kept for kind, _ in item.news)

    def _all(self, what: What) -> list[Landmark]:
        found = (
            (moment, item.at, title)
            for moment, item in enumerate(self._kept)
            for kind, title in item.news
            if kind is what
        )
        return [
            Landmark(what, number, moment, at, title)
            for number, (moment, at, title) in enumerate(found)
        ]

    def _put(self, item: _Kept) -> None:
        self._kept.append(item)
        self._bytes += item.weight

    def _let_go(self) -> int:
        gone = 0
        while len(self._kept) > 1 and (
            len(self._kept) > self._most or self._bytes > self._most_bytes
        ):
            self._bytes -= self._kept.popleft().weight
            # What it shared with the one that went, it has alone now.
            first = self._kept.popleft()
            alone = weight(first.view, None)
            self._bytes += alone - first.weight
            self._kept.appendleft(replace(first, weight=alone))
            gone += 1
        return gone


class _Dated:
    """The same as `moments` reads recordings, so that times are named alike."""

    def __init__(self, kept: KeptLooks) -> None:
        self._kept = kept

    @property
    def timeline(self) -> "_Dated":
        return self

    def __len__(self) -> int:
        return len(self._kept)

    def at(self, number: int) -> At:
        if not 0 <= number < len(self._kept):
            raise moments.NoMomentError(f"there is no moment {number}")
        wall = moments.microseconds(self._kept.time(number))
        return At(number, wall / 1e6, wall)

    def moments(self, first: int = 0) -> Iterator[At]:
        return map(self.at, range(first, len(self._kept)))

    def last_before(self, wall: int) -> int | None:
        reached = sum(at.wall <= wall for at in self.moments())
        return reached - 1 if reached else None

    def mark(self, kind: Happened, number: int) -> Marked:
        found = next(self._kept.landmarks(What[kind.name], number), None)
        if found is None:
            raise moments.NoMomentError(f"there is no {kind.name.lower()} {number}")
        return Marked(Mark(kind, 0.0, moments.microseconds(found.at), None), found.moment)


def same(before: View, after: View) -> bool:
    """Whether two looks show the same; times, and how much memory is free, do not count."""
    first, second = before.snapshot, after.snapshot
    return (
        before.events_seen == after.events_seen
        and before.happenings == after.happenings
        and before.findings == after.findings
        and before.checks == after.checks
        and all(
            getattr(first, item.name) == getattr(second, item.name)
            for item in fields(Snapshot)
            if item.name not in _SET_APART
        )
        and _without_free(first) == _without_free(second)
        and replace(first.crash, taken=0.0) == replace(second.crash, taken=0.0)
        and _mechanisms(first.mechanisms) == _mechanisms(second.mechanisms)
        and _side(first.outgoing) == _side(second.outgoing)
        and _side(first.incoming) == _side(second.incoming)
        and _same_inventory(first.inventory, second.inventory)
    )


def _without_free(snapshot: Snapshot) -> KexecState:
    return replace(snapshot.kexec, memory_available=0)


def _mechanisms(found: Mechanisms) -> object:
    pkram = found.pkram
    if pkram is None or isinstance(pkram.image, Unknown):
        return pkram, found.kstate
    return pkram.pfn, pkram.image.nodes, pkram.image.faults, found.kstate


def _side(side: Maybe[Side]) -> object:
    return side if isinstance(side, Unknown) else (side.tree, side.blobs)


def _same_inventory(first: Inventory, second: Inventory) -> bool:
    return first is second or (
        _addresses(first.preserved) == _addresses(second.preserved)
        and _owned(first.ownership) == _owned(second.ownership)
        and all(
            getattr(first, item.name) == getattr(second, item.name)
            for item in fields(Inventory)
            if item.name not in _NOT_COMPARED
        )
    )


def _addresses(found: Maybe[PreservedMap]) -> object:
    return (
        found
        if isinstance(found, Unknown)
        else [(order, *map(bytes, runs.buffers)) for order, runs in found.by_order.items()]
    )


def _owned(found: Maybe[Ownership]) -> object:
    return found if isinstance(found, Unknown) else (found.owners, *map(bytes, found.buffers))


def _new_events(before: View, after: View) -> tuple[tuple[What, str], ...]:
    new = min(max(after.events_seen - before.events_seen, 0), len(after.events))
    return tuple((What.EVENT, _title(item)) for item in after.events[len(after.events) - new :])


def _title(event: Event | EventsLost) -> str:
    return event.reason if isinstance(event, EventsLost) else f"{event.action} {event.device}"


def _new_findings(before: View, after: View) -> tuple[tuple[What, str], ...]:
    known = {(item.id, item.subject) for item in before.findings}
    return tuple(
        (What.FINDING, item.text) for item in after.findings if (item.id, item.subject) not in known
    )


def weight(view: View, before: View | None) -> int:
    """About how many bytes of memory a view takes beyond those that it shares with another."""
    shared = set() if before is None else {id(item) for item, _ in _long_parts(before)}
    parts = {id(item): size for item, size in _long_parts(view) if id(item) not in shared}
    seen = 0 if before is None else before.events_seen
    new = min(max(view.events_seen - seen, 0), KEPT)
    return _LEAST_WEIGHT + sum(parts.values()) + _EVENT_WEIGHT * new


def _long_parts(view: View) -> Iterator[tuple[object, int]]:
    """What of a view can be long, with its bytes."""
    snapshot = view.snapshot
    preserved, ownership = snapshot.inventory.preserved, snapshot.inventory.ownership
    if isinstance(preserved, PreservedMap):
        for runs in (preserved.ranges, preserved.structure, *preserved.by_order.values()):
            yield runs, 16 * len(runs)
    if isinstance(ownership, Ownership):
        yield ownership, 36 * len(ownership) + 200 * len(ownership.owners)
    for side in (snapshot.outgoing, snapshot.incoming):
        if isinstance(side, Unknown):
            continue
        if not isinstance(side.tree, Unknown):
            yield side.tree, 4 * len(side.tree.content)
        for blob in () if isinstance(side.blobs, Unknown) else side.blobs:
            yield blob, 4 * (0 if isinstance(blob.content, Unknown) else len(blob.content))
    log = snapshot.machine.kernel_log
    yield log, 0 if isinstance(log, Unknown) else 2 * len(log)
    memory = snapshot.memory
    for entries in (memory.iomem, memory.ram, memory.blocks, memory.nodes):
        yield entries, 0 if isinstance(entries, Unknown) else 300 * len(entries)
    yield view.strip, 1 << 12
    yield view.events, 8 * len(view.events)
    yield view.happenings, 8 * len(view.happenings)
    for item in view.happenings:
        yield item, 400 + 8 * len(item.events) if isinstance(item, Happening) else 150
