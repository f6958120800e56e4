"""That a fault is found, told, made small, and can be had again; the rest would prove nothing."""

import time
from pathlib import Path

import pytest

from kho_console.abi.error import FormatError
from tests.fuzz import __main__ as command
from tests.fuzz import failure, guard, long
from tests.fuzz.catalogue import catalogue
from tests.fuzz.guard import MOST_BYTES, Hang, limited
from tests.fuzz.target import Changes, Target, attempt, damaged


def faulty(changes: Changes) -> None:
    """Breaks on a byte that no good input has."""
    for data in changes.values():
        if data is not None and b"\xff" in data:
            raise IndexError("a fault")


TARGET = Target("faulty", {"0": bytes(64), "1": b"good" * 16}, faulty)


def test_a_fault_is_found_and_made_small() -> None:
    found = next(
        (number, error)
        for number in range(5000)
        if (error := failure.tried(TARGET, damaged(TARGET, 1, number))) is not None
    )
    number, error = found
    changes = failure.shrunk(TARGET, damaged(TARGET, 1, number), failure.place(error))
    assert [data for data in changes.values() if data is not None and data.count(0xFF) == 1]
    assert len(changes) == 1


def test_a_case_is_the_same_again() -> None:
    assert damaged(TARGET, 1, 7) == damaged(TARGET, 1, 7)
    assert len({str(damaged(TARGET, seed, 7)) for seed in range(20)}) > 10


def test_a_failure_is_written_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    changes = {"0": b"\xff", "1": None}
    error = failure.tried(TARGET, changes)
    assert error is not None
    path = failure.of(TARGET, 1, 3, changes, error).write()
    assert failure.read(path) == ("faulty", {"0": b"\xff"})
    assert failure.origin(path) == ("faulty", 1, 3)


def test_no_time_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "CLOCK_SECONDS", 0.05)
    with pytest.raises(Hang), limited():
        time.sleep(20)
    monkeypatch.setattr(guard, "WORK_SECONDS", 0.05)
    monkeypatch.setattr(guard, "CLOCK_SECONDS", 60)
    with pytest.raises(Hang), limited():
        while True:
            pass


def test_no_memory_without_end() -> None:
    with pytest.raises(MemoryError), limited():
        bytearray(2 * MOST_BYTES)
    assert len(bytearray(2 * MOST_BYTES)) == 2 * MOST_BYTES


def test_an_error_without_a_reason_is_a_fault() -> None:
    def refuses(changes: Changes) -> None:
        raise FormatError(-1, "before the beginning")

    with pytest.raises(AssertionError):
        attempt(Target("refuses", {}, refuses), {})


def test_a_plan_has_all_targets_and_as_many_cases_as_wanted() -> None:
    works = long.plan(200_000, "")
    assert {work.name for work in works} >= catalogue().keys()
    cases = sum(work.stop - work.start for work in works)
    assert 199_000 < cases < 201_000


def test_a_run_in_two_processes(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--cases", "300", "--seed", "1", "--only", "structs"]) == 0
    printed = capsys.readouterr()
    assert "300 cases in" in printed.out
    assert "0 failures, 0 processes ended unasked" in printed.out


def test_one_case_alone() -> None:
    assert command.main(["--case", "structs", "1", "5"]) == 0
