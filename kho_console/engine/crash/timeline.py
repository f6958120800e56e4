"""CPU and memory events and the looks between them, told as what happened.

One thread hands in events, another one looks: whoever calls holds a lock.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from kho_console.engine.crash import rescan
from kho_console.engine.crash.causes import explained
from kho_console.engine.crash.effect import effect
from kho_console.engine.crash.grouping import WAITING, Group
from kho_console.engine.crash.pace import Pace
from kho_console.model.event import Event, EventsLost
from kho_console.model.happening import Effect, Flow, Gap, Happening
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Maybe, Unknown

KEPT = 16_384
"""Events that stay in memory, unless those of the latest happening are more."""

MOST_ROWS = 1_000
"""Happenings and gaps that stay in memory; faces go through them after each look."""

_MOST_OPEN = 8
"""Groups of one action that may grow at a time: DIMMs go on line beside each other."""

_OUT_OF_ORDER = 256
"""Numbers that an event may come late; farther back, it is another kernel that counts."""

_BETWEEN = Unknown(Cause.ABSENT, "other events came before it was looked at")
_FIRST = Unknown(Cause.NOT_YET, "not looked at before")
_NOT_COMPARED = Unknown(Cause.ABSENT, "there was no look before to compare with")
_RECORDED = Unknown(Cause.NOT_RECORDED, "only how it stood after all of the events was recorded")


class _Loss:
    """A gap whose re-scan may still be due."""

    def __init__(self, number: int, monotonic: float, lost: EventsLost | None, missed: int) -> None:
        self.number = number
        self.monotonic = monotonic
        self.lost = lost
        self.missed = missed
        self.more = 0
        self.found: Maybe[str] = WAITING
        self.suspects: dict[str, rescan.Change] | None = None

    @property
    def gap(self) -> Gap:
        lost = self.lost
        if lost is not None and self.more:
            lost = replace(lost, reason=f"{lost.reason}; and {self.more} more such")
        return Gap(self.monotonic, lost, self.missed, self.found, self.number)

    def compare(self, found: Maybe[dict[str, rescan.Change]]) -> bool:
        """Whether the re-scan is done with it.

        A device that changed while it was looked at may be ahead of its event. So it is missed
        only where the event has not come by the next look either.
        """
        if self.suspects is None:
            if isinstance(found, Unknown):
                self.found = found
                return True
            self.suspects = dict(found)
            if found:
                return False
        self.found = rescan.in_words(self.suspects)
        return True

    def hear(self, event: Event) -> None:
        """An event that came late clears its device."""
        if self.suspects is None or event.device not in self.suspects:
            return
        if rescan.leads_to(event.action, self.suspects[event.device].state):
            del self.suspects[event.device]


_Row: TypeAlias = Group | _Loss


class Timeline:
    """What happened, newest last; its memory is bounded however many events come.

    A look begins, reads the machine, and settles: what had arrived when it began is answered by
    it. Events that come meanwhile wait for the next one.
    """

    def __init__(self, kept: int = KEPT) -> None:
        """Keep so many events."""
        self._kept = kept
        self._rows: deque[_Row] = deque()
        self._weight = 0
        self._numbers = 0
        self._open: dict[tuple[str, str], deque[Group]] = {}
        self._waiting: dict[int, Group] = {}
        self._losses: list[_Loss] = []
        self._asked: list[tuple[Group, int]] = []
        self._asked_losses: list[_Loss] = []
        self._told: dict[str, str] = {}
        self._heard: dict[str, tuple[str, ...]] = {}
        self._lost_since = False
        self._sequence: int | None = None
        self._pace = Pace()
        self._seen = self._asked_seen = self._answered = self._lost = self._gaps = 0
        self._looked: Snapshot | None = None
        self._effect: Maybe[Effect] = _FIRST

    @property
    def unsettled(self) -> bool:
        """Whether a look is due."""
        return bool(self._waiting or self._losses)

    @property
    def doubtful(self) -> bool:
        """Whether the next look must look at everything, since events may be missing."""
        return bool(self._losses)

    @property
    def happenings(self) -> tuple[Happening | Gap, ...]:
        """All that is kept, newest last."""
        return tuple(row.happening if isinstance(row, Group) else row.gap for row in self._rows)

    def flow(self, now: float) -> Flow:
        """How events arrive, at monotonic seconds `now` of the machine."""
        backlog = self._seen - self._answered
        return Flow(self._seen, self._pace.rate(now), backlog, self._lost, self._gaps)

    def take(self, events: Iterable[Event | EventsLost]) -> None:
        """Take what arrived, in its order."""
        for item in events:
            if isinstance(item, EventsLost):
                self._lost += 1
                self._loss(item.monotonic, item, 0)
                self._lost_since = True
            else:
                self._event(item)
        while len(self._rows) > 1 and (self._weight > self._kept or len(self._rows) > MOST_ROWS):
            self._drop(self._rows.popleft())

    def begin(self) -> None:
        """A look begins."""
        self._asked = [(group, len(group.events)) for group in self._waiting.values()]
        self._asked_losses = list(self._losses)
        self._asked_seen = self._seen
        self._told.update((device, actions[-1]) for device, actions in self._heard.items())
        self._heard = {}

    def settle(self, snapshot: Snapshot) -> None:
        """The look that began has seen `snapshot`, of CPUs, memory and crash image too."""
        then, now = self._effect, effect(snapshot.crash)
        self._settle_groups(snapshot, then, now, _BETWEEN)
        if self._asked_losses:
            found = self._unannounced(snapshot)
            done = {id(item) for item in self._asked_losses if item.compare(found)}
            self._losses = [item for item in self._losses if id(item) not in done]
        self._told = {}
        self._looked, self._effect, self._answered = snapshot, now, self._asked_seen

    def settle_recorded(self, snapshot: Snapshot) -> None:
        """All events are from a recording, and `snapshot` is how the machine stood after them.

        The last event is credited with that only where no other one may have made it so.
        """
        self.begin()
        now = effect(snapshot.crash)
        told = not self._lost_since and explained(snapshot.crash, snapshot.memory)
        self._settle_groups(snapshot, _RECORDED, now if told else _RECORDED, _RECORDED)
        for item in self._losses:
            item.found = _RECORDED
        self._losses, self._told, self._heard = [], {}, {}
        self._looked, self._effect, self._answered = snapshot, now, self._seen

    def _unannounced(self, snapshot: Snapshot) -> Maybe[dict[str, rescan.Change]]:
        if self._looked is None:
            return _NOT_COMPARED
        return rescan.unannounced(self._looked, snapshot, self._told, self._heard)

    def _settle_groups(
        self,
        snapshot: Snapshot,
        then: Maybe[Effect],
        now: Maybe[Effect],
        between: Maybe[Effect],
    ) -> None:
        """Say what changed; where several happenings share the change, whose it is stays open."""
        looked = snapshot if self._looked is None else self._looked
        last = len(self._asked) - 1
        for at, (group, count) in enumerate(self._asked):
            before = then if at == 0 or then == now else between
            group.answer(before, now if at == last or then == now else between)
            group.place(snapshot, looked)
            if len(group.events) == count:
                self._waiting.pop(group.number, None)
        self._asked = []

    def _event(self, event: Event) -> None:
        self._seen += 1
        self._pace.add((event.monotonic,))
        self._check_sequence(event)
        self._lost_since = False
        self._hear(event)
        group = self._group(event)
        self._weight += 1
        self._waiting[group.number] = group

    def _group(self, event: Event) -> Group:
        """The group that has the event now: one that grows still, or a new one."""
        growing = self._open.setdefault((event.subsystem, event.action), deque(maxlen=_MOST_OPEN))
        group = next((item for item in reversed(growing) if item.take(event)), None)
        if group is None:
            group = Group(self._next(), event)
            growing.append(group)
            self._rows.append(group)
        return group

    def _hear(self, event: Event) -> None:
        for loss in self._losses:
            loss.hear(event)
        before = self._heard.get(event.device, ())
        if before[-1:] != (event.action,):
            others = (action for action in before if action != event.action)
            self._heard[event.device] = (*others, event.action)

    def _check_sequence(self, event: Event) -> None:
        """Numbers are drawn before events are sent: those of two CPUs may come out of order."""
        number = event.sequence
        if number is None:
            return
        known = [item for item in (self._sequence, event.follows) if item is not None]
        last = max(known, default=number)
        self._sequence = number if number < last - _OUT_OF_ORDER else max(number, last)
        if number > last + 1:
            self._gaps += 1
            self._loss(event.monotonic, None, number - last - 1)

    def _loss(self, monotonic: float, lost: EventsLost | None, missed: int) -> None:
        """Note a loss; until a look answers it, one row stands for those that follow as well."""
        latest = self._losses[-1] if self._losses else None
        if latest is not None and latest not in self._asked_losses:
            if latest.lost is None:
                latest.lost = lost
            elif lost is not None:
                latest.more += 1
            latest.missed += missed
            return
        item = _Loss(self._next(), monotonic, lost, missed)
        self._losses.append(item)
        self._rows.append(item)
        self._weight += 1

    def _drop(self, row: _Row) -> None:
        self._weight -= len(row.events) if isinstance(row, Group) else 1
        if isinstance(row, Group):
            self._waiting.pop(row.number, None)
            # It may still grow; what would come to it begins anew.
            for growing in self._open.values():
                if row in growing:
                    growing.remove(row)

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers
