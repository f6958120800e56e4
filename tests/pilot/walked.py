"""A recording with a few moments, and what happened between them."""

import json
from datetime import UTC, datetime
from pathlib import Path

from kho_console.config.settings import Settings
from kho_console.engine.observer import Observer
from kho_console.engine.opening import open_source
from kho_console.engine.recorder import Limits, Recorder
from kho_console.model.event import Event
from kho_console.source.fixture import FixtureSource
from kho_console.tui.app import KhoConsole
from tests.pilot.machines import NEVER, LiveRecording
from tests.recordings import folder

BEGAN = datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)
MOMENTS = ("cold", "cold", "sessions", "sessions", "ready", "ready")
"""The states of a 7.3.4, ten seconds apart: a CPU goes at the second moment and comes back at the
fourth, an action was begun and ended before the fifth."""


class Clock:
    """Stands until it is set."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Going(LiveRecording):
    """A live machine that becomes another recorded one.

    Attributes:
        up: Seconds since it was started.
    """

    up = 0.0

    def clock(self) -> float:
        """See `Source.clock`."""
        return self.up

    def go(self, state: str) -> None:
        """Be as another recording of the kernel."""
        FixtureSource.__init__(self, folder(f"linux-7.3.4/{state}"))


def recorded(place: Path) -> Path:
    """Record it to a file in a folder."""
    path, journal = place / "walk.kho", place / "journal.jsonl"
    machine, wall, clock = Going("linux-7.3.4/cold"), Clock(BEGAN.timestamp()), Clock()
    with Recorder(machine, path, Limits(), journal, clock, wall) as recorder:
        for number, state in enumerate(MOMENTS):
            machine.go(state)
            if number == 1:
                recorder.hear(Event(10.0, "offline", "cpu", "cpu1", 918))
            if number == 3:
                recorder.hear(Event(30.0, "online", "cpu", "cpu1", 919))
            if number == 4:
                _act(journal)
            recorder.tick()
            wall.now += 10
            machine.up += 10
            # Each moment reads everything slow, too.
            clock.now += 100
    return path


def _act(journal: Path) -> None:
    """Write down an action as it is done 35 seconds behind the first moment."""
    who = {"uid": 0, "user": "root", "login": None, "tty": None, "ssh": None}
    begun = {"step": "begin", "host": "hv-17", "boot": "b", "source": "live", "who": who}
    ended: dict[str, object] = {
        "step": "end",
        "ending": "done",
        "text": "an image is loaded",
        "errno": None,
    }
    asked: dict[str, object] = {**begun, "action": "load", "changes": []}
    with journal.open("a") as file:
        for line in (asked, {**ended, "found": []}):
            common = {"schema": 1, "at": "2026-11-21T10:00:35.000Z", "id": "1"}
            file.write(json.dumps({**common, **line}) + "\n")


def replaying(path: Path, clock: Clock, at: str | None = None) -> KhoConsole:
    """A console on it."""
    observer = Observer(open_source(str(path), at), clock)
    return KhoConsole(observer, settings=Settings(interval=NEVER), clock=clock)
