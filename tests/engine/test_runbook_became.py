"""What became of an action of a run that was interrupted."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kho_console.engine.runbook.became import Became, became
from kho_console.engine.runbook.others import since
from kho_console.model.record import Record
from kho_console.model.runbook import Intent, Standing
from kho_console.model.unknown import Unknown
from kho_console.source.protocol import Source, SourceKind

MACHINE = cast(Source, SimpleNamespace(kind=SourceKind.LIVE))
WHO = {"uid": 0, "user": "other", "login": None, "tty": None, "ssh": None}
REBOOT, CRASH = "NO_INITRAMFS", "ON_CRASH|NO_INITRAMFS"


def begun(known: str, action: str = "load", *, boot: str = "B", flags: str = REBOOT) -> str:
    line: dict[str, Any] = {"step": "begin", "id": known, "at": "2026-11-21T15:00:00.000Z"}
    line |= {"source": "live", "host": "h", "boot": boot, "who": WHO, "action": action}
    return json.dumps(line | {"changes": [{"call": "x", "flags": flags}], "expected": []})


def ended(known: str, ending: str) -> str:
    line = {"step": "end", "id": known, "at": "2026-11-21T15:00:01.000Z", "ending": ending}
    return json.dumps(line | {"errno": None, "found": [], "text": "so it was"})


@pytest.mark.parametrize(
    ("action", "lines", "standing", "told"),
    [
        ("load", [], Standing.BEGUN, Became.NOT_DONE),
        ("load", [begun("mine"), ended("mine", "done")], Standing.BEGUN, Became.DONE),
        ("load", [begun("mine"), ended("mine", "refused")], Standing.BEGUN, Became.NOT_DONE),
        # Somebody else's of the same name, on the same boot, is not the run's.
        ("load", [begun("other"), ended("other", "done")], Standing.BEGUN, Became.NOT_DONE),
        ("load", [begun("mine"), begun("other"), ended("other", "done")], Standing.BEGUN,
         Became.UNKNOWN),
        ("load", ["{torn"], Standing.BEGUN, Became.UNKNOWN),
        # The journal may not tell whether the kernel was asked to leave: somebody must.
        ("execute", [begun("mine", "execute")], Standing.BEGUN, Became.UNKNOWN),
        ("execute", [begun("mine", "execute"), ended("mine", "pending")], Standing.BEGUN,
         Became.ON_ITS_WAY),
        ("execute", ["{torn"], Standing.PENDING, Became.ON_ITS_WAY),
        ("execute", [begun("mine", "execute"), ended("mine", "kernel_refused")], Standing.PENDING,
         Became.NOT_DONE),
    ],
)  # fmt: skip
def test_it_is_told_by_its_own_record(
    tmp_path: Path, action: str, lines: list[str], standing: Standing, told: Became
) -> None:
    journal = tmp_path / "journal.jsonl"
    journal.write_text("".join(f"{line}\n" for line in lines))
    intent = Intent(action, "B", "mine", (), 0, False)
    found = became(intent, MACHINE, "B", journal, own=["mine"], standing=standing)
    assert found.became is told, found.text


@pytest.mark.parametrize(
    ("later", "another"),
    [
        ([], None),
        ([begun("x", "unload")], "x"),
        ([begun("x"), ended("x", "kernel_refused")], None),
        ([begun("x", flags=CRASH)], None),
        ([begun("x", boot="C")], None),
        ([begun("again")], None),
        ([begun("x", "finalize"), begun("y")], "y"),
    ],
)
def test_who_has_acted_since(tmp_path: Path, later: list[str], another: str | None) -> None:
    journal = tmp_path / "journal.jsonl"
    journal.write_text("".join(f"{line}\n" for line in (begun("mine"), *later)))
    found = since(journal, "mine", {"mine", "again"})
    assert (found.id if isinstance(found, Record) else found) == another
    assert isinstance(since(journal, "none", {"none"}), Unknown)
