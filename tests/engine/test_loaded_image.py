"""Before a kexec: which image is loaded, as far as the journal of this boot knows."""

from functools import partial
from pathlib import Path

import pytest

from kho_console.engine.actions import execute, load, loaded_image
from kho_console.engine.actions.perform import Writer, perform
from kho_console.engine.actions.planning import Planner, plan
from kho_console.engine.journal import Journal
from kho_console.engine.writer_lock import WriterLock
from kho_console.model.action import Action
from kho_console.model.change import Change, Execute, Execution, KexecImage, Load, Unload
from kho_console.model.check import Check, Result
from kho_console.model.outcome import Ending, Outcome
from kho_console.model.record import Who
from kho_console.source.protocol import SourceError
from tests.engine.changeable import Changeable

ME = Who(1000, "alice", None, None, None)
BOOT, LOADED = "/proc/sys/kernel/random/boot_id", "/sys/kernel/kexec_loaded"
IMAGE = KexecImage("/boot/vmlinuz", "/boot/initrd", b"kho=on")
CRASH = KexecImage("/boot/crash", None, b"", crash=True)
BROKEN = KexecImage("/boot/broken", None, b"")
START = partial(execute.execute, how=Execution.SYSTEM_CALL)


def loading(image: KexecImage) -> Planner:
    return partial(load.loading, change=Load(image), validation=())


def answer(machine: Changeable, change: Change) -> None:
    if isinstance(change, Load) and change.image is BROKEN:
        raise SourceError.from_errno("kexec_file_load", 8)
    if isinstance(change, Load | Unload) and change != Load(CRASH):
        machine.files[LOADED] = "1\n" if isinstance(change, Load) else "0\n"


class Machine(Changeable):
    """It knows whether an image is loaded, and not which."""

    def __init__(self, place: Path) -> None:
        super().__init__("linux-7.3.4/cold", answer)
        self.files |= {BOOT: "boot-1\n", LOADED: "0\n", "/sys/kernel/kexec_crash_loaded": "1\n"}
        self.journal = place / "journal"
        self.writer = Writer(Journal(self.journal, ME, None), WriterLock(place / "lock", ME))

    def agreed(self, planner: Planner) -> Action:
        action = plan(self, planner, journal=self.journal)
        assert isinstance(action, Action)
        return action

    def does(self, planner: Planner) -> Outcome:
        return perform(self, planner, self.agreed(planner), self.writer)

    def told(self) -> Check | None:
        found = [it for it in self.agreed(START).preconditions if it.id == loaded_image.ID]
        assert len(found) < 2
        return found[0] if found else None


def test_the_journal_tells_who_loaded_it_and_that_it_cannot_tell_more(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert machine.told() is None
    for planner in (loading(IMAGE), loading(CRASH), loading(BROKEN)):
        machine.does(planner)
    told = machine.told()
    assert told is not None and told.result is Result.PASS
    assert "alice loaded /boot/vmlinuz with /boot/initrd at 2" in told.text
    assert "another tool" in told.text
    machine.boot = "boot-2"
    machine.files[BOOT] = "boot-2\n"
    told = machine.told()
    assert told is not None and told.result is Result.WARNING
    assert "not loaded from this console" in told.text


def test_an_image_of_somebody_else_is_said_to_be(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.does(loading(IMAGE))
    machine.does(load.unload)
    machine.files[LOADED] = "1\n"
    told = machine.told()
    assert told is not None and "not loaded from this console" in told.text
    machine.journal.unlink()
    machine.journal.mkdir()
    told = machine.told()
    assert told is not None and told.result is Result.UNKNOWN
    assert plan(machine, START, journal=None) == plan(machine, START)


def test_a_load_whose_end_is_not_written_is_no_known_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "end", lambda *_: None)
        machine.does(loading(IMAGE))
    told = machine.told()
    assert told is not None and told.result is Result.WARNING
    assert "stands as interrupted" in told.text


def test_another_image_than_was_agreed_to_is_not_started(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.does(loading(IMAGE))
    agreed = machine.agreed(START)
    machine.does(loading(KexecImage("/boot/other", None, b"")))
    outcome = perform(machine, START, agreed, machine.writer)
    assert outcome.ending is Ending.REFUSED
    assert "/boot/other" in outcome.text
    assert Execute(Execution.SYSTEM_CALL) not in machine.asked
