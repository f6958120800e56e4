"""Looks at a machine that runs: what its events explain, and what no look may touch."""

from pathlib import Path

import pytest

from kho_console.engine.observer import Look, Observer, View
from kho_console.model.event import Event, EventsLost
from kho_console.model.happening import Gap
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import SourceKind
from tests.engine.crash_machines import (
    GIB,
    LOADED,
    MIB,
    REGION,
    Span,
    block,
    core_header,
    crash_machine,
)
from tests.fixture_folder import FixtureFolder
from tests.pilot.machines import Stream

LOW: tuple[Span, ...] = ((0x1000, 0x9_FC00), (MIB, 0x7FFE_0000))
DIMM: Span = (8 * GIB, 8 * GIB + GIB // 2)
BLOCKS = range(64, 68)
DUMPED: tuple[Span, ...] = ((MIB, REGION[0]), (REGION[1], 0x7FFE_0000))
LOCKED = {"/sys/kernel/kexec_crash_size", "/sys/devices/system/memory/crash_hotplug"}
STATE = "/sys/devices/system/memory/memory3/state"


class Running(FixtureSource):
    """A machine that a test changes while it is looked at.

    Attributes:
        asked: What was read.
        answers: What reading `crash_loaded` says next, before what its file holds.
        failing: Whether reading the memory layout ends in an error that no source should raise.
        heard: Its events.
    """

    kind = SourceKind.LIVE

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.asked: list[str] = []
        self.answers: list[bytes] = []
        self.failing = False
        self.heard = Stream()

    def read(self, path: str, limit: int = 1 << 20) -> bytes:
        self.asked.append(path)
        if self.failing and path == "/proc/iomem":
            raise RuntimeError("the disk is on fire")
        if path == LOADED and self.answers:
            return self.answers.pop(0)
        return super().read(path, limit)

    def events(self) -> Stream:  # type: ignore[override]
        return self.heard


class Machine:
    """The machine, its files, and a console that has looked at it once."""

    def __init__(self, place: Path, ram: tuple[Span, ...]) -> None:
        pages = {REGION[0]: core_header(DUMPED)}
        self.files: FixtureFolder = crash_machine(place, ram, [REGION], pages)
        self.files.open()
        self.source = Running(place)
        self.observer = Observer(self.source)
        self.observer.wait_for_events(0)
        self.look(Look.FULL)

    def hears(self, *events: Event | EventsLost) -> None:
        self.source.heard._waiting.extend(events)
        self.observer.wait_for_events(0)

    def look(self, wanted: Look = Look.EVENTS) -> View:
        self.source.asked.clear()
        return self.observer.look(wanted)

    def touched(self) -> set[str]:
        """Files whose reading takes the kexec lock, of those that the last look read."""
        return LOCKED.intersection(self.source.asked)


@pytest.fixture
def incomplete(tmp_path: Path) -> Machine:
    """A DIMM has come that the header does not describe."""
    return Machine(tmp_path / "machine", (*LOW, DIMM))


def memory(action: str, *numbers: int, at: float, sequence: int = 1) -> list[Event]:
    return [
        Event(at, action, "memory", f"memory{number}", sequence + count)
        for count, number in enumerate(numbers)
    ]


def causes(view: View) -> list[float]:
    return [event.monotonic for event in view.snapshot.crash.causes]


@pytest.mark.parametrize("first", [Look.EVENTS, Look.SLOW, Look.FULL])
def test_whichever_look_answers_events_knows_what_they_explain(
    incomplete: Machine, first: Look
) -> None:
    incomplete.hears(*memory("online", *BLOCKS, at=5.0))
    for wanted in (first, Look.FULL, Look.SLOW, Look.LIGHT, Look.EVENTS):
        assert causes(incomplete.look(wanted)) == [5.0] * 4


def test_a_gap_costs_a_whole_look_and_no_explanation(incomplete: Machine) -> None:
    incomplete.hears(*memory("online", 3, at=1.0, sequence=100))
    incomplete.look()
    assert "/sys/devices/system/memory" not in incomplete.source.asked
    incomplete.hears(*memory("online", *BLOCKS, at=5.0, sequence=7000))
    assert causes(incomplete.look()) == [5.0] * 4
    assert STATE in incomplete.source.asked


def test_events_of_a_look_that_failed_are_answered_by_the_next(incomplete: Machine) -> None:
    incomplete.hears(*memory("online", *BLOCKS, at=5.0))
    incomplete.source.failing = True
    with pytest.raises(RuntimeError):
        incomplete.look()
    incomplete.source.failing = False
    assert causes(incomplete.look()) == [5.0] * 4


def test_a_loss_is_made_up_for_and_what_was_not_heard_is_named(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "machine", LOW)
    for number in BLOCKS:
        block(machine.files, number, "online")
    lost = EventsLost(5.1, "the receive buffer of kernel events overflowed")
    machine.hears(*memory("add", *BLOCKS, at=5.0), lost)
    machine.look()
    (gap,) = [item for item in machine.look().happenings if isinstance(item, Gap)]
    assert gap.found == "memory64-67 went online without an event"


@pytest.mark.parametrize("wanted", [Look.LIGHT, Look.EVENTS])
def test_a_zero_that_lasts_an_instant_leads_to_no_look_that_takes_the_lock(
    incomplete: Machine, wanted: Look
) -> None:
    incomplete.source.answers = [b"0\n"]
    incomplete.hears(*memory("online", 3, at=9.0))
    view = incomplete.look(wanted)
    assert (incomplete.touched(), incomplete.source.answers) == (set(), [])
    assert (view.snapshot.crash.armed, view.snapshot.kexec.crash_loaded) == (True, True)


def test_while_an_image_is_loaded_anew_nothing_takes_its_lock(incomplete: Machine) -> None:
    incomplete.files.file(LOADED, "0\n")
    fallen = incomplete.look(Look.LIGHT)
    assert (fallen.snapshot.crash.armed, incomplete.touched()) == (False, set())
    incomplete.look(Look.LIGHT)
    assert incomplete.touched() == set()
    incomplete.files.file(LOADED, "1\n")
    assert incomplete.look(Look.LIGHT).snapshot.crash.armed is True
    assert incomplete.touched() == LOCKED
