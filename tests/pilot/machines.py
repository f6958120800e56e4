"""Sources and waits for tests of the screen."""

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from kho_console.config.settings import Settings
from kho_console.engine.actions.perform import Writer
from kho_console.engine.journal import Journal
from kho_console.engine.observer import Observer
from kho_console.engine.opening import rehearse
from kho_console.engine.writer_lock import WriterLock
from kho_console.model.event import Event, EventsLost
from kho_console.model.record import Who
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import SMALL_FILE, EventStream, SourceKind
from kho_console.tui.app import KhoConsole
from kho_console.tui.means import Means, Mode
from kho_console.tui.section import Section
from kho_console.tui.widgets.banner import Banner
from kho_console.tui.widgets.choice import Choice
from kho_console.tui.widgets.keys import Keys
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Panel
from tests.engine.changeable import Changeable
from tests.recordings import folder

NEVER = 3600.0
"""An interval that no test lives to see; ticks are made by hand."""

ME = Who(1000, "operator", None, None, None)

EACH_LOOK = "/proc/sys/kernel/kexec_load_disabled"
"""A file that every look reads exactly once."""


class Stream:
    """Events that a test hands over."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._waiting: list[Event | EventsLost] = []
        self.closed = False

    def send(self, *events: Event | EventsLost) -> None:
        with self._arrived:
            self._waiting.extend(events)
            self._arrived.notify_all()

    def poll(self, timeout: float) -> list[Event | EventsLost]:
        with self._arrived:
            self._arrived.wait_for(lambda: self._waiting or self.closed, timeout)
            taken, self._waiting = self._waiting, []
        return taken

    def close(self) -> None:
        with self._arrived:
            self.closed = True
            self._arrived.notify_all()


class LiveRecording(FixtureSource):
    """A recording that says it is a live machine.

    Attributes:
        reads: How often each path was read.
        streams: All streams that were opened, the closed ones too.
        gate: While it is not set, reading `EACH_LOOK` blocks.
        broken: While it is set, reading anything ends in an error that no source should raise.
    """

    kind = SourceKind.LIVE

    def __init__(self, name: str) -> None:
        super().__init__(folder(name))
        self.reads: Counter[str] = Counter()
        self.streams: list[Stream] = []
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False

    def read(self, path: str, limit: int = SMALL_FILE) -> bytes:
        self.reads[path] += 1
        if self.broken:
            raise RuntimeError("the disk is on fire")
        if path == EACH_LOOK:
            assert self.gate.wait(60)
        return super().read(path, limit)

    def events(self) -> EventStream:  # type: ignore[override]
        self.streams.append(Stream())
        return self.streams[-1]

    @property
    def listeners(self) -> list[Stream]:
        return [stream for stream in self.streams if not stream.closed]

    @property
    def looks(self) -> int:
        return self.reads[EACH_LOOK]


def console(name: str, theme: str = "dark") -> KhoConsole:
    settings = Settings(theme=theme, interval=NEVER)
    return KhoConsole(Observer(FixtureSource(folder(name))), settings=settings)


def rehearsal(name: str, journal: Path | None = None, *faults: str) -> KhoConsole:
    """A console on a twin of a recording, with a journal where one is given."""
    source = rehearse(FixtureSource(folder(name)), faults)
    kept = None if journal is None else Journal(journal, ME, mirror=None)
    means = Means(source, Mode.TWIN, Writer(kept), journal=journal)
    return KhoConsole(Observer(source), settings=Settings(interval=NEVER), means=means)


def writing(machine: Changeable, folder: Path) -> KhoConsole:
    """A console that may change a machine that says it is live; journal and lock in a folder."""
    journal, lock = folder / "journal.jsonl", folder / "lock"
    writer = Writer(Journal(journal, ME, mirror=None), WriterLock(lock, ME))
    means = Means(machine, Mode.WRITE, writer, None, journal, lock)
    return KhoConsole(Observer(machine), settings=Settings(interval=NEVER), means=means)


async def until(pilot: Pilot[int], condition: Callable[[], object]) -> None:
    """Let the application work until `condition` holds."""
    for _ in range(1000):
        await pilot.pause()
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError("it did not happen")


async def seen(pilot: Pilot[int]) -> Section:
    """The screen on top, once it shows a view."""
    app = pilot.app
    assert isinstance(app, KhoConsole)
    await until(pilot, lambda: app.view is not None)
    await until(pilot, lambda: isinstance(app.screen, Section) and app.screen.view is app.view)
    await pilot.pause()
    assert isinstance(app.screen, Section)
    return app.screen


async def open_screen(pilot: Pilot[int], *keys: str) -> Section:
    await seen(pilot)
    await pilot.press(*keys)
    return await seen(pilot)


def text(screen: Screen[Any]) -> str:
    """All that a screen shows, from top to bottom."""
    shown: list[tuple[int, str]] = [
        (widget.region.y, widget.text)
        for widget in screen.query(Widget)
        if isinstance(widget, Panel | Lines | Choice) and widget.display and widget.region
    ]
    return "\n".join(words for _, words in sorted(shown))


def banner(screen: Section) -> str:
    return screen.query_one(Banner).text.splitlines()[0]


def bottom(screen: Section) -> str:
    return screen.query_one(Keys).text
