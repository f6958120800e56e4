"""A run that is killed at any point is gone on with, and nothing is done twice."""

import json
import os
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from kho_console.engine.runbook import shelf
from kho_console.engine.runbook.journal import FILE, RunJournal
from kho_console.model.record import Who

SOURCE = "linux-6.18.15/cold"
BOOK = """
schema = 1
version = 1
title = "Two steps"
about = "For a test."

[[step]]
id = "finalize"
what = "Finalize"
why = "Its file tells whether it was done."
action = "finalize"
after = ["handover.state is finalized"]
undo = "abort"

[[step]]
id = "unload"
what = "Unload what is not loaded"
why = "No file tells whether it was done."
action = "unload"
undo = "nothing"
"""
LOADS = (
    BOOK.split('[[step]]\nid = "unload"')[0]
    + """
[[step]]
id = "load"
what = "Load the image"
why = "Its file tells only that there is one."
action = "load"
with = { kernel = "twin:6.18.15", append = "mine" }
after = ["kexec.loaded is true"]
undo = "unload"

[[step]]
id = "execute"
what = "Leave"
why = "For the image of this run only."
action = "execute"
with = { how = "at-once" }
undo = "nothing"
"""
)
STOPS = (
    BOOK.split('[[step]]\nid = "unload"')[0]
    + """
[[step]]
id = "never"
what = "Wait for what never comes"
why = "It stops here."
check = ["kexec.loaded is true"]
"""
)
OTHER = ["load", "--kernel", "twin:6.18.15", "--command-line", "other"]


def killed_at_every_point(
    folder: Path, book: str, answers: str = "", **plan: Any
) -> tuple[Any, list[Any]]:
    """What came of a run that was let be, and of one for each point that it was killed at."""
    if "\n" in book:
        (folder / "book.toml").write_text(book)
        book = str(folder / "book.toml")
    (folder / "answers.toml").write_text(answers)
    given = ["--answers", str(folder / "answers.toml")]
    begins = ["runbook", "run", book, *given]
    goes_on = [["runbook", "resume", *given]]
    if plan.pop("undoes", False):
        plan |= {"first": [begins], "killed": ["runbook", "undo"], "after": [["runbook", "undo"]]}
    whole_plan = {"source": SOURCE, "killed": begins, "after": goes_on} | plan
    told = subprocess.run(
        [sys.executable, "-m", "tests.cli.killing", str(folder), json.dumps(whole_plan)],
        env={**os.environ, "HOME": str(folder)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    whole, *killed, last = map(json.loads, told.stdout.splitlines())
    assert (whole["killed"], whole["codes"]) == (0, []), told.stderr
    assert (last["killed"], last["deeds"]) == (0, whole["deeds"])
    assert all(item["killed"] == -9 for item in killed)
    return whole, killed


@pytest.mark.slow
def test_a_shipped_one(tmp_path: Path) -> None:
    answers = 'kernel = "twin:6.18.15"\nway = "at-once"\n'
    whole, killed = killed_at_every_point(tmp_path, "live-update-finalize", answers)
    assert [item["do"] for item in whole["deeds"]] == ["write", "load", "execute"]
    assert len(killed) > 2 * len(shelf.read("live-update-finalize").steps)
    assert {item["codes"][-1] for item in killed} == {0}
    assert all(item["deeds"] == whole["deeds"] for item in killed)


@pytest.mark.slow
def test_where_no_file_tells_it_asks(tmp_path: Path) -> None:
    whole, killed = killed_at_every_point(tmp_path, BOOK)
    assert [item["do"] for item in whole["deeds"]] == ["write", "unload"]
    settled = [item for item in killed if item["codes"][-1] == 0]
    assert len(settled) > 10
    assert all(item["deeds"] == whole["deeds"] for item in settled)
    # The kernel was, or was not asked, and its answer was not noted.
    asks = [item for item in killed if item["codes"][-1] != 0]
    assert [item["codes"] for item in asks] == [[4], [4]]
    assert [item["deeds"] for item in asks] == [whole["deeds"][:-1], whole["deeds"]]


@pytest.mark.slow
def test_memory_is_added_once(tmp_path: Path) -> None:
    whole, killed = killed_at_every_point(
        tmp_path,
        "memory-expansion",
        'block = "memory35"\n',
        source="linux-7.3.4/hotplugged",
        first=[["offline", "memory35"]],
        steps=["note", "online", "watched"],
    )
    assert [item["do"] for item in whole["deeds"]] == ["write", "write"]
    assert len(killed) > 6
    assert {item["codes"][-1] for item in killed} == {0}
    assert all(item["deeds"] == whole["deeds"] for item in killed)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("book", "source", "answers", "does", "steps"),
    [
        # Questions and checks are those of the other live update: they are not killed again.
        (
            "live-update-sessions",
            "linux-7.3.4/sessions",
            'kernel = "twin:7.3.4"\nway = "at-once"\n',
            ["load", "execute"],
            ["load", "note", "execute", "verify"],
        ),
        ("arm-kdump", "linux-7.3.4/cold", 'kernel = "twin:7.3.4"\n', ["load"], []),
        ("abort-and-go-back", "linux-6.18.15/ready", "", ["unload", "write"], []),
    ],
)
def test_others_that_are_shipped(
    tmp_path: Path, book: str, source: str, answers: str, does: list[str], steps: list[str]
) -> None:
    whole, killed = killed_at_every_point(tmp_path, book, answers, source=source, steps=steps)
    assert [item["do"] for item in whole["deeds"]] == does
    assert len(killed) > 2 * len(steps or shelf.read(book).steps)
    assert {item["codes"][-1] for item in killed} == {0}
    assert all(item["deeds"] == whole["deeds"] for item in killed)


@pytest.mark.slow
def test_what_somebody_else_loads_meanwhile_is_never_started(tmp_path: Path) -> None:
    _, killed = killed_at_every_point(tmp_path, LOADS, between=[OTHER])
    refused = 0
    for item in killed:
        does = [deed["do"] for deed in item["deeds"]]
        refused += "execute" not in does
        for at in (number for number, word in enumerate(does) if word == "execute"):
            (*_, image) = (deed["image"] for deed in item["deeds"][:at] if deed["do"] == "load")
            assert b64decode(image["command_line"]).endswith(b"mine"), item
    assert 0 < refused < len(killed)


@pytest.mark.slow
def test_an_undo_that_is_killed(tmp_path: Path) -> None:
    whole, killed = killed_at_every_point(tmp_path, STOPS, undoes=True)
    assert [item["do"] for item in whole["deeds"]] == ["write", "write"]
    assert len(killed) > 3
    assert all(item["deeds"] == whole["deeds"] for item in killed)


def test_a_line_that_was_torn_anywhere_is_none(tmp_path: Path) -> None:
    run = RunJournal(tmp_path, Who(0, "root", None, None, None))
    for number in range(3):
        run.write("boot-1", "checked", step=f"step-{number}", text="it holds \u2713")
    path = tmp_path / FILE
    whole = path.read_bytes()
    before = whole.rstrip(b"\n").rindex(b"\n") + 1
    for end in range(before, len(whole) - 1):
        path.write_bytes(whole[:end])
        run.write("boot-1", "over", how="finished")
        assert [line.get("step") for line in run.lines()] == ["step-0", "step-1", None]
