"""Events of one action on neighbouring devices become one happening."""

import re
from bisect import bisect_left
from operator import attrgetter

from kho_console.model.event import Event
from kho_console.model.happening import Effect, Happening
from kho_console.model.machine import Cpus, MemoryLayout
from kho_console.model.memory import MemoryBlock
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Maybe, Unknown

TOGETHER = 2.0
"""Seconds between two events of one DIMM; onlining a block takes a good part of one on slow
machines."""

_MOST = 16_384
"""Events of one happening; adding 2 TiB in blocks of 128 MiB makes as many."""

WAITING = Unknown(Cause.NOT_YET, "not looked at since")
"""What a look has still to tell."""

_NO_CPU_NODE = Unknown(Cause.ABSENT, "no node tells that it has the CPU")
_SEVERAL = Unknown(Cause.ABSENT, "they lie in several nodes")
_NO_BLOCKS = Unknown(Cause.ABSENT, "there is no such memory block")


class Group:
    """A happening that may still grow.

    Attributes:
        number: See `Happening.number`.
        events: Its events so far.
        before: See `Happening.before`; None until a look answered it.
        after: See `Happening.after`.
    """

    def __init__(self, number: int, event: Event) -> None:
        """Begin with its first event."""
        self.number = number
        self.events = [event]
        self.before: Maybe[Effect] | None = None
        self.after: Maybe[Effect] = WAITING
        device = _number(event)
        self._devices = range(0) if device is None else range(device, device + 1)
        self._node: Maybe[int] = _NO_CPU_NODE if event.subsystem == "cpu" else WAITING
        self._size: Maybe[int] = 0 if event.subsystem == "cpu" else WAITING
        self._told: Happening | None = None

    @property
    def happening(self) -> Happening:
        """It as a value, as it stands."""
        if self._told is None:
            first = self.events[0]
            self._told = Happening(
                action=first.action,
                subsystem=first.subsystem,
                devices=self._devices,
                node=self._node,
                size=self._size,
                events=tuple(self.events),
                before=WAITING if self.before is None else self.before,
                after=self.after,
                number=self.number,
            )
        return self._told

    def take(self, event: Event) -> bool:
        """Whether an event of the same action belongs to it; it has it then."""
        device = _number(event)
        known = self._devices
        near = device is not None and known and device in (known.start - 1, known.stop)
        late = event.monotonic - self.events[-1].monotonic > TOGETHER
        if device is None or not near or late or len(self.events) >= _MOST:
            return False
        self._devices = range(min(known.start, device), max(known.stop, device + 1))
        self.events.append(event)
        self._told = None
        return True

    def answer(self, before: Maybe[Effect], after: Maybe[Effect]) -> None:
        """Say how the crash image stood before its first event, and stands since its last."""
        self.before = before if self.before is None else self.before
        self.after = after
        self._told = None

    def place(self, now: Snapshot, then: Snapshot) -> None:
        """Find its devices as they are now; those that have gone, as they were then."""
        if not self._devices:
            return
        if self.events[0].subsystem == "cpu":
            self._node = _home(self._devices, now.cpus, then.cpus)
        else:
            self._place_memory(now.memory, then.memory)
        self._told = None

    def _place_memory(self, now: MemoryLayout, then: MemoryLayout) -> None:
        blocks = [found for layout in (now, then) for found in _blocks(layout, self._devices)]
        if not blocks:
            self._node = self._size = _NO_BLOCKS
        else:
            self._size = len(self._devices) * blocks[0].range.size
            nodes = {item.node for item in blocks if not isinstance(item.node, Unknown)}
            self._node = blocks[0].node if not nodes else _SEVERAL
            if len(nodes) == 1:
                self._node = nodes.pop()


def _blocks(layout: MemoryLayout, devices: range) -> list[MemoryBlock]:
    if isinstance(layout.blocks, Unknown):
        return []
    number = attrgetter("number")
    first = bisect_left(layout.blocks, devices.start, key=number)
    last = bisect_left(layout.blocks, devices.stop, key=number)
    return list(layout.blocks[first:last])


def _home(devices: range, now: Cpus, then: Cpus) -> Maybe[int]:
    """The node of CPUs; one that does not run any more is known from before only."""
    nodes = {
        node for cpu in devices for cpus in (now, then) if (node := cpus.node(cpu)) is not None
    }
    if not nodes:
        return _NO_CPU_NODE
    return nodes.pop() if len(nodes) == 1 else _SEVERAL


def _number(event: Event) -> int | None:
    found = re.fullmatch(rf"{event.subsystem}([0-9]{{1,9}})", event.device)
    return None if found is None else int(found[1])
