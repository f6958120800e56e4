"""What recorders beside runs of the live-update runbook have kept of real kernels."""

from pathlib import Path

import pytest

from kho_console.engine.observe import observe
from kho_console.source.recording import Recording
from tests.recordings import FIXTURES

THROUGH = sorted(FIXTURES.glob("linux-*/live-update.khorec"))
STOPPED = sorted(FIXTURES.glob("linux-*/wrong-target.khorec"))


def name(path: Path) -> str:
    return path.parent.name


@pytest.mark.parametrize("path", THROUGH, ids=name)
def test_it_went_through_the_kexec(path: Path) -> None:
    recording = Recording(path)
    seen = [observe(recording.at(number)) for number in range(len(recording))]
    came = [item.booted_through_handover for item in seen]
    assert (came[0], came[-1]) == (False, True)
    assert came == sorted(came, key=bool)
    assert len({item.machine.boot_id for item in seen}) == 2
    # Nothing names PKRAM on these kernels, and what looked for it is newer than the recordings.
    assert {item.mechanisms.pkram for item in seen} == {None}
    assert all(item.machine.release == name(path).removeprefix("linux-") for item in seen)


@pytest.mark.parametrize("path", STOPPED, ids=name)
def test_the_wrong_kernel_was_never_loaded(path: Path) -> None:
    recording = Recording(path)
    seen = [observe(recording.at(number)) for number in range(len(recording))]
    assert {item.kexec.loaded for item in seen} == {False}
    assert {item.booted_through_handover for item in seen} == {False}


def test_there_are_both_of_both_generations() -> None:
    assert {name(path).rpartition(".")[0] for path in THROUGH} >= {"linux-6.18", "linux-7.3"}
    assert {name(path) for path in THROUGH} == {name(path) for path in STOPPED}
