"""One cursor over everything that has moments."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kho_console.abi.recording.bodies import Happened, Mark
from kho_console.engine.moments import NoMomentError
from kho_console.engine.opening import rehearse
from kho_console.engine.replay import SPEEDS, Cursor
from kho_console.engine.timeline import OneMoment, RecordedMoments
from kho_console.model.position import Landmark, Motion, What
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import Source
from kho_console.source.recording import Recording
from kho_console.source.recording.writer import RecordingWriter
from tests.pilot.machines import LiveRecording
from tests.recordings import folder
from tests.source.recorded import FACTS, MICRO

EVENTS = (10, 10, 25, 90)
"""The moments that were first seen with an event."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A hundred moments a second apart, with events, an action and a finding."""
    path = tmp_path_factory.mktemp("replay") / "a.kho"
    writer = RecordingWriter(path)
    writer.run(FACTS)
    for number in range(100):
        wall = number * MICRO
        for _ in range(EVENTS.count(number)):
            content: object = {"action": "online", "subsystem": "cpu", "device": "cpu1"}
            writer.mark(Mark(Happened.EVENT, float(number), wall, content))
        if number == 50:
            writer.mark(Mark(Happened.ACTION, 50.0, wall, {"action": "finalize"}))
            writer.mark(Mark(Happened.FINDING, 50.0, wall, {"text": "it is so"}))
        writer.moment(float(number), wall, {b"F/n": b"v%d" % number})
    writer.close()
    return Recording(path)


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Growing:
    """A live machine whose moments are kept."""

    machine: Source
    moments: int = 1
    live: bool = True
    asked: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return self.moments

    def source(self, number: int) -> Source:
        self.asked.append(number)
        return self.machine

    def time(self, number: int) -> datetime:
        return datetime.fromtimestamp(number, UTC)

    def find(self, word: str) -> int:
        return int(word)

    def gaps(self, first: int) -> Iterator[tuple[int, float]]:
        return ((number, 1.0) for number in range(first + 1, self.moments))

    def landmarks(self, what: What, first: int = 0) -> Iterator[Landmark]:
        return iter(())

    def count(self, what: What) -> int:
        return 0


def test_it_stands_on_the_last_moment_and_steps(recording: Recording) -> None:
    cursor = Cursor.of(recording.at(99))
    position = cursor.position
    assert (position.number, position.count, position.motion) == (99, 100, Motion.PAUSED)
    assert position.last - position.first == timedelta(seconds=99)
    assert not cursor.step()
    assert cursor.step(-9)
    assert cursor.source.read("/n") == b"90"
    assert cursor.step(-1000)
    assert cursor.position.number == 0
    assert Cursor.of(recording.at(7)).position.number == 7


def test_it_plays_at_its_speed_and_stops_at_the_end(recording: Recording) -> None:
    clock = Clock()
    cursor = Cursor(RecordedMoments(recording), 10, clock)
    assert not cursor.tick()
    cursor.play()
    clock.now += 0.5
    assert not cursor.tick()
    clock.now += 2.5
    assert cursor.tick()
    assert cursor.position.number == 13
    assert cursor.faster() == 2.0
    clock.now += 10
    cursor.tick()
    assert cursor.position.number == 33
    cursor.pause()
    clock.now += 10
    assert not cursor.tick()
    cursor.play()
    clock.now += 1000
    cursor.tick()
    assert (cursor.position.number, cursor.position.motion) == (99, Motion.PAUSED)
    cursor.play()
    assert (cursor.position.number, cursor.position.motion) == (0, Motion.PLAYING)
    assert cursor.faster(-100) == SPEEDS[0]
    assert cursor.faster(100) == SPEEDS[-1]


def test_it_jumps_to_times_events_actions_and_findings(recording: Recording) -> None:
    cursor = Cursor(RecordedMoments(recording), 0)
    seen = []
    while (found := cursor.next(What.EVENT)) is not None:
        seen.append((found.number, cursor.position.number))
    assert seen == [(0, 10), (2, 25), (3, 90)]
    assert cursor.position.motion is Motion.PAUSED
    back = []
    while (found := cursor.previous(What.EVENT)) is not None:
        back.append(cursor.position.number)
    assert back == [25, 10]
    action, finding = cursor.next(What.ACTION), cursor.previous(What.FINDING)
    assert action is not None and (action.title, cursor.position.number) == ("finalize", 50)
    assert finding is None
    assert cursor.jump("+7") and cursor.position.number == 7
    assert cursor.jump("finding:0") and cursor.position.number == 50
    assert cursor.jump("1970-01-01T00:01:01") and cursor.position.number == 61
    with pytest.raises(NoMomentError):
        cursor.jump("event:9")
    assert cursor.position.number == 61


def test_a_live_machine_is_followed_paused_and_walked_back() -> None:
    clock = Clock()
    line = Growing(LiveRecording("linux-7.3.4/cold"))
    cursor = Cursor(line, clock=clock)
    assert cursor.position.motion is Motion.LIVE
    line.moments = 40
    assert cursor.tick()
    assert cursor.position.number == 39
    cursor.pause()
    line.moments = 60
    assert not cursor.tick()
    assert cursor.step(-5) and cursor.position.number == 34
    cursor.play()
    clock.now += 100
    cursor.tick()
    assert (cursor.position.number, cursor.position.motion) == (59, Motion.LIVE)
    cursor.step(-5)
    assert cursor.follow() and cursor.position.number == 59


@pytest.mark.parametrize("kind", ["fixture", "twin", "live"])
def test_what_has_one_moment_stands_there(kind: str) -> None:
    fixture = FixtureSource(folder("linux-7.3.4/cold"))
    sources: dict[str, Source] = {
        "fixture": fixture,
        "twin": rehearse(fixture),
        "live": LiveRecording("linux-7.3.4/cold"),
    }
    source = sources[kind]
    cursor = Cursor(OneMoment(source))
    assert cursor.source is source
    assert cursor.position.motion is (Motion.LIVE if kind == "live" else Motion.PAUSED)
    assert not cursor.step(-1) and not cursor.tick()
    assert cursor.next(What.EVENT) is None and cursor.previous(What.ACTION) is None
    with pytest.raises(NoMomentError, match="one moment"):
        cursor.jump("+5")


@pytest.mark.parametrize("step", [-3600, 1_700_000_000])
def test_it_plays_on_where_the_clock_was_set(step: int, tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "a.kho")
    writer.run(FACTS)
    for number in range(100):
        wall = 4000 + number + (step if number >= 50 else 0)
        writer.moment(float(number), wall * MICRO, {})
    # Another boot, which nobody recorded for an hour.
    writer.run(FACTS)
    writer.moment(1.0, (4100 + step + 3600) * MICRO, {})
    writer.close()
    clock = Clock()
    cursor = Cursor(RecordedMoments(Recording(tmp_path / "a.kho")), 45, clock)
    cursor.play()
    seen = []
    for _ in range(10):
        clock.now += 1
        cursor.tick()
        seen.append(cursor.position.number)
    assert seen == list(range(46, 56))
    clock.now += 44 + 59
    cursor.tick()
    assert cursor.position.number == 99
    clock.now += 1
    assert cursor.tick()
    assert cursor.position.number == 100
