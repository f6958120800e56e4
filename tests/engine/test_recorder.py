"""What is recorded of a machine is what a look at it would show."""

import json
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from kho_console.abi.recording.bodies import Happened
from kho_console.engine.doctor import examine
from kho_console.engine.observe import observe
from kho_console.engine.recorder import SLOW_EVERY, Limits, Recorder
from kho_console.model.check import Result
from kho_console.model.event import Event
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import SMALL_FILE
from kho_console.source.recording import Recording, RecordingError
from tests.engine.same import shape
from tests.pilot.machines import LiveRecording
from tests.recordings import RECORDINGS, folder

LOCKED = ("/sys/kernel/kexec_crash_size", "/sys/devices/system/memory/crash_hotplug")


@dataclass
class Clock:
    """A clock that stands until it is set."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("name", RECORDINGS[::2])
def test_a_recorded_moment_shows_what_the_machine_showed(name: str, tmp_path: Path) -> None:
    path, origin = tmp_path / "a.kho", FixtureSource(folder(name))
    with Recorder(origin, path, Limits(duration=0.0)) as recorder:
        recorder.run()
    source = Recording(path).at(0)
    seen, expected = observe(source), observe(origin)
    assert shape(seen) == shape(expected)
    assert seen.source.kind == "recording"
    whole, *checks = examine(source, seen)
    assert (whole.id, whole.result) == ("recording", Result.PASS)
    assert checks == list(examine(origin, expected))
    assert source.events().poll(0) == origin.events().poll(0)


def test_a_timer_takes_no_lock_and_an_event_looks_at_everything(tmp_path: Path) -> None:
    machine, clock = LiveRecording("linux-7.3.4/sessions"), Clock()
    path = tmp_path / "a.kho"
    with Recorder(machine, path, Limits(), clock=clock, now=clock) as recorder:
        for _ in range(5):
            recorder.tick()
            clock.now += SLOW_EVERY
        assert [machine.reads[item] for item in LOCKED] == [1, 1]
        clock.now += 1
        recorder.hear(Event(50.0, "online", "memory", "memory9", 7))
        recorder.tick()
        assert [machine.reads[item] for item in LOCKED] == [2, 2]
    recording = Recording(path)
    assert len(recording) == 6
    assert recording.at(4).events().poll(0) == []
    assert recording.at(5).events().poll(0) == [Event(50.0, "online", "memory", "memory9", 7)]
    assert recording.timeline.at(5).wall == int(clock.now * 1e6)


class Loading(LiveRecording):
    """A live machine whose image is loaded, whose memory shrinks, when a test says so."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.files: dict[str, bytes] = {}

    def read(self, path: str, limit: int = SMALL_FILE) -> bytes:
        return self.files[path] if path in self.files else super().read(path, limit)


def test_what_changes_between_moments_is_there_at_each(tmp_path: Path) -> None:
    machine, clock = Loading("linux-7.3.4/sessions"), Clock()
    path, expected = tmp_path / "a.kho", []
    with Recorder(machine, path, Limits(), clock=clock, now=clock) as recorder:
        for number in range(6):
            machine.files["/sys/kernel/kexec_loaded"] = b"%d\n" % (number // 3)
            meminfo = b"MemTotal: 2243248 kB\nMemFree: 1 kB\nMemAvailable: %d kB\n" % number
            machine.files["/proc/meminfo"] = meminfo
            recorder.tick()
            seen = observe(machine)
            expected.append((shape(seen.kexec), shape(seen.outgoing), shape(seen.inventory)))
            clock.now += 1
    recording = Recording(path)
    for number, was in enumerate(expected):
        seen = observe(recording.at(number))
        assert (shape(seen.kexec), shape(seen.outgoing), shape(seen.inventory)) == was


def test_an_unchanged_tick_costs_at_most_100_bytes(tmp_path: Path) -> None:
    machine, clock = LiveRecording("linux-7.3.4/ready"), Clock()
    with Recorder(machine, tmp_path / "a.kho", Limits(), clock=clock, now=clock) as recorder:
        recorder.tick()
        for _ in range(5):
            before = recorder.size
            clock.now += 1
            recorder.tick()
            assert recorder.size - before <= 100


def test_of_a_running_machine_only_what_is_shown_is_kept(tmp_path: Path) -> None:
    machine = LiveRecording("linux-7.3.4/sessions")
    path = tmp_path / "a.kho"
    with Recorder(machine, path, Limits()) as recorder:
        recorder.tick()
    source = Recording(path).at(0)
    assert source.read("/proc/meminfo").count(b"\n") == 2
    assert machine.read("/proc/meminfo").count(b"\n") > 10
    assert shape(observe(source).kexec) == shape(observe(machine).kexec)


def test_findings_and_actions_are_marked(tmp_path: Path) -> None:
    machine, clock = LiveRecording("linux-7.3.4/sessions"), Clock(1_795_222_100.0)
    path, journal = tmp_path / "a.kho", tmp_path / "journal.jsonl"
    journal.write_text('{"at": "2026-11-21T00:00:00Z", "step": "begin", "id": "old"}\n')
    with Recorder(machine, path, Limits(), journal, clock=clock, now=clock) as recorder:
        recorder.tick()
        with journal.open("a") as file:
            file.write('{"at": "2026-11-21T00:48:20Z", "step": "begin", "id": "new"}\nnonsense\n')
            file.write('{"at": "2026-11-21T00:48:21Z", "ste')
        recorder.tick()
        recorder.tick()
    recording = Recording(path)
    findings = [item.mark.content for item in recording.marks(Happened.FINDING)]
    assert len(findings) == len({json.dumps(item) for item in findings}) > 2
    (action,) = recording.marks(Happened.ACTION)
    assert isinstance(action.mark.content, dict)
    assert (action.moment, action.mark.content["id"]) == (1, "new")
    assert action.mark.wall == 1_795_222_100 * 10**6


def test_at_half_of_a_limit_the_file_is_begun_anew(tmp_path: Path) -> None:
    machine, clock = LiveRecording("linux-7.3.4/sessions"), Clock()
    path, older = tmp_path / "a.kho", tmp_path / "a.kho.1"
    with Recorder(machine, path, Limits(age=10.0), clock=clock, now=clock) as recorder:
        for _ in range(14):
            recorder.tick()
            clock.now += 1
    new, old = Recording(path), Recording(older)
    # The last moment of the old file is the first one of the new, with all that is known.
    assert old.timeline.at(len(old) - 1).wall == new.timeline.at(0).wall
    assert machine.reads[LOCKED[0]] == 1
    for recording in (old, new):
        seen = observe(recording.at(0))
        assert seen.inventory.sessions == observe(machine).inventory.sessions
        assert list(recording.marks(Happened.FINDING))


def test_a_file_is_as_old_as_its_first_moment_whoever_recorded_it(tmp_path: Path) -> None:
    machine, clock = LiveRecording("linux-7.3.4/cold"), Clock()
    path, older = tmp_path / "a.kho", tmp_path / "a.kho.1"
    for _ in range(3):
        assert not older.exists()
        with Recorder(machine, path, Limits(age=10.0), clock=lambda: 0.0, now=clock) as recorder:
            recorder.tick()
        clock.now += 2.6
    assert older.exists()


def test_a_limit_of_size_holds_for_both_files(tmp_path: Path) -> None:
    machine, clock = LiveRecording("linux-7.3.4/cold"), Clock()
    path = tmp_path / "a.kho"
    with Recorder(machine, path, Limits(size=400_000), clock=clock, now=clock) as recorder:
        for number in range(60):
            recorder.hear(Event(1.0, "x" * 9000, "cpu", f"cpu{number}", None))
            recorder.tick()
            assert sum(item.stat().st_size for item in tmp_path.iterdir()) <= 420_000
    assert path.with_name("a.kho.1").exists()
    with (
        pytest.raises(RecordingError, match="too small"),
        Recorder(machine, tmp_path / "b.kho", Limits(size=9000)) as recorder,
    ):
        recorder.tick()


def test_a_limit_of_the_system_ends_it_with_whole_moments(tmp_path: Path) -> None:
    path = tmp_path / "a.kho"
    command = [sys.executable, "-m", "kho_console", "record", str(path), "--every", "0.001"]
    done = subprocess.run(
        [*command, "--for", "60", "--source", "linux-7.3.4/cold"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (160_000, 160_000)),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 3
    assert "File too large; what was recorded before is whole" in done.stderr
    recording = Recording(path)
    assert len(recording) > 1
    assert observe(recording.at(len(recording) - 1)).machine.release == "7.3.4"
