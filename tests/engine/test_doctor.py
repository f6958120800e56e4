"""What doctor says, and what it says to do."""

from dataclasses import replace
from pathlib import Path

import pytest

from kho_console.engine import doctor
from kho_console.engine.observe import observe
from kho_console.model.check import Check, Result
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import SourceKind
from tests.engine.machines import edited, recorded
from tests.recordings import folder

COLD = "linux-7.3.4/cold"
DEVICE = "/dev/liveupdate"


def check(name: str, snapshot: Snapshot) -> Check:
    checks = doctor.examine(FixtureSource(folder(COLD)), snapshot)
    return next(item for item in checks if item.id == name)


UNTOLD = replace(recorded(COLD).machine, config=Unknown(Cause.NOT_PERMITTED, "it is for root"))


@pytest.mark.parametrize(
    ("snapshot", "result", "words"),
    [
        (recorded(COLD), Result.PASS, "open sessions can be listed"),
        (recorded("linux-6.18.15/ready"), Result.WARNING, "built without live update"),
        (replace(recorded(COLD), liveupdate_device=False), Result.WARNING, "is off here"),
        (
            replace(recorded(COLD), liveupdate_device=False, machine=UNTOLD),
            Result.UNKNOWN,
            "whether this kernel has live update is not known",
        ),
    ],
)
def test_where_there_is_no_live_update_nothing_passes(
    snapshot: Snapshot, result: Result, words: str
) -> None:
    found = check("sessions", snapshot)
    assert found.result is result
    assert words in found.text
    assert result is Result.PASS or f"{DEVICE} is not there" in (found.evidence or "")
    assert (found.remedy is not None) is (result is Result.WARNING)


def test_what_cannot_be_seen_comes_with_a_remedy(tmp_path: Path) -> None:
    loaded = "/sys/kernel/kexec_loaded"
    gone = check("kexec-files", edited(COLD, {loaded: None})(tmp_path))
    assert "CONFIG_KEXEC_FILE" in (gone.remedy or "")
    shut = check("kexec-files", edited(COLD, {loaded: None}, unreadable={loaded: 13})(tmp_path))
    assert (shut.result, shut.remedy) == (Result.FAIL, "run it as root")
    later = check("preserved-map", recorded("linux-6.18.15/cold"))
    assert "once the handover is finalized" in (later.remedy or "")
    nothing = check("preserved-map", edited(COLD, {"/sys/kernel/debug/kho": None})(tmp_path))
    assert "the check of the handover" in (nothing.remedy or "")


class Live(FixtureSource):
    """A recording in place of this machine."""

    kind = SourceKind.LIVE


def test_a_missing_tool_is_told_without_the_whole_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path: None)
    source = Live(folder(COLD))
    found = next(
        item for item in doctor.examine(source, observe(source)) if item.id == "tool-kexec"
    )
    assert (found.result, found.evidence) == (
        Result.WARNING,
        "no kexec in PATH, /usr/sbin or /sbin",
    )


@pytest.mark.parametrize(
    ("name", "result", "words", "others"),
    [
        # A kernel that hands over otherwise has no KHO to be booted with.
        ("made/pkram-v3", Result.WARNING, "this kernel has PKRAM", ["pkram"]),
        ("made/kstate-v2", Result.WARNING, "this kernel has kstate", ["kstate"]),
        ("made/kstate-v3", Result.FAIL, "there is no handover to read", ["kstate"]),
        ("made/kho2024-active", Result.PASS, "can be read: 2024-rfc", []),
    ],
)
def test_what_a_kernel_has_in_place_of_the_handover(
    name: str, result: Result, words: str, others: list[str]
) -> None:
    checks = doctor.examine(FixtureSource(folder(name)), recorded(name))
    found = next(item for item in checks if item.id == "handover")
    assert found.result is result and words in found.text
    assert ("kho=on" in (found.remedy or "")) is (result is Result.FAIL)
    seen = [(item.id, item.result) for item in checks if item.id in ("pkram", "kstate")]
    assert seen == [(name, Result.PASS) for name in others]


def test_the_series_of_2024_is_made_active_and_not_finalized() -> None:
    assert "is active" in (check("preserved-map", recorded("made/kho2024-inactive")).remedy or "")
