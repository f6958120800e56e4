"""A synthetic machine whose CPUs and memory never rest, and a screen on it whose keys are timed."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from textual import events

from kho_console.config.settings import Settings
from kho_console.engine.observer import Observer, View
from kho_console.model.event import Event, EventsLost
from kho_console.model.unknown import Maybe
from kho_console.source.live import LiveSource
from kho_console.source.protocol import EventStream
from kho_console.tui.app import KhoConsole
from kho_console.tui.screens.crash import Crash
from kho_console.tui.widgets.lines import Lines
from tests.bench.large_machine import LargeMachine
from tests.pilot.machines import LiveRecording, Stream, open_screen

RECORDING = "linux-7.3.4/hotplugged"
SIZE = (120, 40)
LIVELY = 2.0
"""Seconds between two looks without events, as on a live machine."""

_BLOCKS = "/sys/devices/system/memory/memory"
_AT_ONCE = 64
_COST = 50e-6
"""Seconds that pyudev takes for an event; they are spent here as well."""

_BETWEEN_KEYS = 0.05
_PATIENCE = 30.0


class Storm:
    """Events that come at their time, as from pyudev: each costs the processor some of it.

    Attributes:
        cost: Seconds that each event costs.
        given: Events that were taken.
    """

    def __init__(self) -> None:
        self.cost = _COST
        self._due: Iterator[tuple[float, Event | EventsLost]] = iter(())
        self._next: tuple[float, Event | EventsLost] | None = None
        self._changed = threading.Condition()
        self._closed = False
        self.given = 0

    def begin(self, many: Iterable[Event | EventsLost], rate: float | None) -> None:
        """Give `many`, so many a second; all at once without a rate."""
        began = time.monotonic()
        with self._changed:
            self._due = (
                (began + (0 if rate is None else number / rate), event)
                for number, event in enumerate(many)
            )
            self._next = next(self._due, None)
            self._changed.notify_all()

    def poll(self, timeout: float) -> list[Event | EventsLost]:
        with self._changed:
            end = time.monotonic() + timeout
            while not self._ready() and not self._closed and time.monotonic() < end:
                soon = end if self._next is None else min(end, self._next[0])
                self._changed.wait(max(soon - time.monotonic(), 0))
            found: list[Event | EventsLost] = []
            while self._ready() and len(found) < _AT_ONCE:
                assert self._next is not None
                found.append(self._next[1])
                self._next = next(self._due, None)
                _spend(self.cost)
            self.given += len(found)
            return found

    def _ready(self) -> bool:
        return self._next is not None and self._next[0] <= time.monotonic()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def _spend(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


class Stormy(LiveRecording):
    """A live machine with a storm on the stream that is listened to; all others are quiet."""

    def __init__(self) -> None:
        super().__init__(RECORDING)
        self.storm = Storm()
        self._here = LiveSource()
        self._taken = False

    def events(self) -> EventStream:  # type: ignore[override]
        # The doctor opens one as well, and closes it at once.
        if threading.current_thread().name != "kho-look" and not self._taken:
            self._taken = True
            return self.storm
        return super().events()

    def exists(self, path: str) -> Maybe[bool]:
        """No such block ever stays; that costs what the kernel here takes for such an answer."""
        if not path.startswith(_BLOCKS):
            return super().exists(path)
        return self._here.exists(f"{path}-that-never-was")

    def clock(self) -> float:
        return time.monotonic()


class Lossy(LargeMachine):
    """A large machine whose blocks come faster than it is listened to."""

    def __init__(self, blocks: int) -> None:
        super().__init__(blocks)
        self._stream = Stream()

    def events(self) -> EventStream:
        return self._stream

    def grow(self, heard: int, unheard: int) -> None:
        """So many blocks more: events of the first ones, then an overflow."""
        events = [self.online() for _ in range(heard)]
        for _ in range(unheard):
            self.online()
        self._stream.send(*events, EventsLost(self.clock(), "overflow"))


def one_dimm(count: int, sequence: int = 1) -> Iterator[Event]:
    """Blocks of one DIMM, one behind the other."""
    for number in range(count):
        name = f"memory{64 + number}"
        yield Event(time.monotonic(), "add", "memory", name, sequence + number)


def unrest(count: int, sequence: int = 1) -> Iterator[Event]:
    """Devices that never follow each other: every event is a line of its own."""
    for number in range(count):
        name = f"memory{(number * 7919) % 50_000}"
        yield Event(time.monotonic(), "online", "memory", name, sequence + number)


class Screen:
    """The Crash screen of a stormy machine, with a list to move in."""

    def __init__(self, app: KhoConsole, source: Stormy, crash: Crash, moved: list[Lines]) -> None:
        self._app = app
        self._crash = crash
        self._moved = moved
        self.source = source

    @property
    def view(self) -> View:
        assert self._app.view is not None
        return self._app.view

    async def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + _PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise AssertionError("it did not happen")
            await asyncio.sleep(0.01)

    async def keys(self, count: int) -> list[float]:
        """Seconds from a key to the frame that answers it, so many times."""
        taken = []
        for number in range(count):
            taken.append(await self._key("up" if number % 4 > 1 else "down"))
            await asyncio.sleep(_BETWEEN_KEYS)
        return taken

    async def _key(self, name: str) -> float:
        began = time.perf_counter()
        self._moved.clear()
        self._app.post_message(events.Key(name, None))
        while not self._moved:
            await asyncio.sleep(0.0005)
        drawn = asyncio.Event()
        self._crash.lines().call_after_refresh(drawn.set)
        await drawn.wait()
        return time.perf_counter() - began


@asynccontextmanager
async def screen() -> AsyncIterator[Screen]:
    """Open it, with a list of some hundred lines."""
    source = Stormy()
    app = KhoConsole(Observer(source), settings=Settings(interval=LIVELY))
    with _moves() as moved:
        async with app.run_test(size=SIZE) as pilot:
            crash = await open_screen(pilot, "7")
            assert isinstance(crash, Crash)
            found = Screen(app, source, crash, moved)
            source.storm.begin(unrest(300), None)
            await found.until(lambda: found.view.flow.seen >= 300 and not found.view.flow.backlog)
            yield found


@contextmanager
def _moves() -> Iterator[list[Lines]]:
    """The lists that a key has moved in."""
    moved: list[Lines] = []
    original: Any = Lines.move

    def move(lines: Lines, step: int) -> None:
        original(lines, step)
        moved.append(lines)

    setattr(Lines, "move", move)  # noqa: B010
    try:
        yield moved
    finally:
        setattr(Lines, "move", original)  # noqa: B010
