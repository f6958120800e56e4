"""The tree of the series of 2024 against its bindings."""

import re
from pathlib import Path
from shutil import copytree

import pytest

from kho_console.engine.observe import observe
from kho_console.model.finding import Severity
from kho_console.source.fixture import FixtureSource
from tests.engine.machines import Case, found, plain
from tests.recordings import folder

ID = "kho-2024-binding"

CASES = (
    Case(
        ID,
        Severity.ERROR,
        (
            "/sys/firmware/kho/dt",
            "at 0x74: /ftrace is ftrace-v2, not ftrace-v1: a kernel that knows only that "
            "refuses it",
        ),
        plain("made/hostile-kho2024-version"),
        (
            plain("made/kho2024-active"),
            plain("made/kho2024-restored"),
            # What is wrong with a tree of mainline, others say.
            plain("linux-6.18.15/finalized"),
        ),
    ),
    Case(
        "kho-2024-unclaimed",
        Severity.INFO,
        ("/sys/firmware/kho/dt", "guest at 0x20000000"),
        plain("made/kho2024-restored"),
        (plain("made/kho2024-active"), plain("linux-7.3.4/restored")),
    ),
)


def test_one_finding_for_each_violation() -> None:
    findings = found(observe(FixtureSource(folder("made/hostile-kho2024-bindings"))), ID)
    said = [re.sub(r".*breaks a binding: (.*)\.", r"\1", item.text) for item in findings]
    assert said == [
        "/guest: mem has 29 bytes, no whole records: nothing of it is kept",
        "events has 12 bytes, no whole pairs",
        "/ftrace/global-trace/cpu0 is ftrace,cpu-v2, not ftrace,cpu-v1: a kernel that knows "
        "only that refuses it",
        "/ftrace/global-trace/cpu1 has no cpu or no mem",
        "/ftrace/global-trace/cpu2 says that it is CPU 3",
        "/ftrace/global-trace/cpu3: mem has an odd number of records",
        "/ftrace/global-trace/cpu4: 1 of 1 data pages do not have 4096 bytes",
        "/ftrace/global-trace/cpu4: mem has a data page that is there already",
        "/ftrace/silent has no trace-flags",
        "/ftrace/later is ftrace,array-v2, not ftrace,array-v1: a kernel that knows only that "
        "refuses it",
    ]


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("kho_scratch=64M", "Look in the kernel log"),
        ("kho_scratch=0", "Boot with kho_scratch="),
        ("quiet", "Boot with kho_scratch="),
    ],
)
def test_an_area_that_was_asked_for_is_not_to_be_asked_for_again(
    tmp_path: Path, line: str, remedy: str
) -> None:
    machine = copytree(folder("made/kho2024-without-scratch"), tmp_path / "machine")
    (machine / "root/proc/cmdline").write_text(f"{line}\n")
    [finding] = found(observe(FixtureSource(machine)), "scratch-missing")
    assert (finding.remedy or "").startswith(remedy)
