"""What doctor says of the loaded crash image and of udev."""

from pathlib import Path

import pytest

from kho_console.engine.doctor import examine
from kho_console.model.check import Result
from kho_console.source.fixture import FixtureSource
from tests.engine.machines import Machine, edited

CRASH = "linux-7.3.4/crash-loaded"
LOADED = "/sys/kernel/kexec_crash_loaded"
RULES = "/usr/lib/udev/rules.d/98-kexec.rules"


def result(machine: Machine, place: Path, wanted: str) -> Result:
    snapshot = machine(place)
    source = FixtureSource(place / "machine")
    return next(item.result for item in examine(source, snapshot) if item.id == wanted)


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (edited(CRASH), Result.PASS),
        (edited("linux-7.3.4/cold"), Result.PASS),
        (edited(CRASH, physmem=False), Result.WARNING),
        (edited(CRASH, {LOADED: None}, physmem=False), Result.UNKNOWN),
    ],
)
def test_the_header(machine: Machine, expected: Result, tmp_path: Path) -> None:
    assert result(machine, tmp_path, "crash-header") is expected


_RELOAD = 'SUBSYSTEM=="memory", RUN+="/usr/lib/udev/kdump-udev-throttler"\n'
_SKIP = 'SUBSYSTEM=="memory", ATTRS{crash_hotplug}=="1", GOTO="end"\n'


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, Result.UNKNOWN),
        ({RULES: _RELOAD}, Result.WARNING),
        ({RULES: f'{_SKIP}{_RELOAD}LABEL="end"\n'}, Result.PASS),
    ],
)
def test_rules_of_udev(files: dict[str, str | None], expected: Result, tmp_path: Path) -> None:
    assert result(edited(CRASH, files), tmp_path, "crash-udev") is expected
