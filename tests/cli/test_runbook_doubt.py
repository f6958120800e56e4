"""What a run does not take for granted: what it cannot see, what others did, who the host is."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kho_console.engine.runbook.journal import FILE
from kho_console.model.action import Action
from tests.cli.run import Console
from tests.cli.test_runbook import OPEN, STATELESS, STOPS, Live, Twin, objects
from tests.recordings import FIXTURES

LEAVE = """\
schema = 1
version = 1
title = "Leave"
about = "For a test."

[[step]]
id = "execute"
what = "Leave"
why = "It does not happen."
action = "execute"
with = { how = "at-once" }
undo = "nothing"
timeout = 30
"""


@pytest.mark.parametrize(
    ("skip", "step", "unknown"),
    [([], "complaints", "kernel-warning"), (["complaints", "arrival"], "damage", "tree-damaged")],
)
def test_what_cannot_be_read_is_not_fine(
    console: Console, tmp_path: Path, skip: list[str], step: str, unknown: str
) -> None:
    (tmp_path / "a.toml").write_text(f'reason = "x"\nskip = {json.dumps(skip)}\n')
    source = ("--source", str(FIXTURES / "hostile" / "everything-unreadable"), "--rehearse")
    given = ("--answers", str(tmp_path / "a.toml"))
    answer = console(*source, "runbook", "run", "collect-evidence", "--json", *given)
    *_, failed, _ = objects(answer)
    assert (answer.code, failed["step"], failed["standing"]) == (1, step, "failed")
    assert {item["result"] for item in failed["checks"]} == {"unknown"}
    assert f"findings lacks {unknown}: not known" in failed["text"]


def test_one_that_is_over_takes_nothing_back(console: Console, tmp_path: Path) -> None:
    twin = Twin(console, tmp_path, "linux-7.3.4/cold", kernel="twin:7.3.4")
    run = objects(twin("run", "arm-kdump", "--json"))[-1]["run"]
    answer = twin("undo", run)
    assert (answer.code, twin.deeds) == (3, ["load"])
    assert "the run is over (finished)" in answer.err


def test_what_somebody_else_changed_is_not_undone(console: Console, tmp_path: Path) -> None:
    book = tmp_path / "stops.toml"
    book.write_text(STOPS)
    twin = Twin(console, tmp_path, OPEN)
    assert twin("run", str(book)).code == 1
    for verb in ("abort", "finalize"):
        assert console("--twin", str(twin.file), verb).code == 0
    answer = twin("undo")
    assert (answer.code, twin.deeds) == (4, ["write"] * 3)
    assert "did abort" in answer.err


def test_a_host_that_was_renamed(console: Console, tmp_path: Path) -> None:
    book = tmp_path / "stops.toml"
    book.write_text(STOPS)
    twin = Twin(console, tmp_path, OPEN)
    run = objects(twin("run", str(book), "--json"))[-1]["run"]
    lines = Path(f"{twin.file}.runs") / run / FILE
    head, rest = lines.read_text().split("\n", 1)
    lines.write_text(json.dumps(json.loads(head) | {"host": "as-it-was"}) + "\n" + rest)
    refused = twin("resume")
    assert (refused.code, "--any-host" in refused.err) == (4, True)
    assert (twin("resume", "--any-host").code, twin("undo", "--any-host").code) == (1, 0)


def test_a_rehearsal_does_not_say_that_it_is_kept(console: Console, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('reason = "x"\n')
    given = ("runbook", "run", "collect-evidence", "--answers", str(tmp_path / "a.toml"))
    answer = console("--source", STATELESS, "--rehearse", *given)
    assert "nothing is kept" in answer.out
    console("--source", STATELESS, "--twin", str(tmp_path / "t"), "status")
    answer = console("--twin", str(tmp_path / "t"), *given)
    assert f"kept in {tmp_path / 't'}.runs" in answer.out


def test_a_kexec_that_does_not_come_can_be_called_off(
    console: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from kho_console.engine.actions import execute

    planned = execute.execute

    def ready(*given: object, **named: object) -> Action:
        found = planned(*given, **named)  # type: ignore[arg-type]
        assert isinstance(found, Action)
        return replace(found, preconditions=())

    monkeypatch.setattr(execute, "execute", ready)
    live = Live(monkeypatch, tmp_path, tmp_path / "runs")
    book = tmp_path / "leave.toml"
    book.write_text(LEAVE)
    monkeypatch.setattr("kho_console.engine.runbook.begin.in_memory", lambda folder: None)
    go = ("--write", "--yes-i-mean", live.machine.facts().hostname)
    assert console("runbook", "run", str(book), *go).code == 0
    answer = console("runbook", "resume", *go)
    assert (answer.code, "on its way" in answer.err or "asked to leave" in answer.err) == (4, True)
    assert "--interrupted not-done" in answer.err
    # When its time is over, somebody is asked.
    (lines,) = (tmp_path / "runs").glob(f"*/{FILE}")
    lines.write_text(lines.read_text().replace('"at": "2', '"at": "1'))
    assert "done|not-done" in console("runbook", "resume", *go).err
    # What was not done is done again, and only then.
    assert len(live.machine.asked) == 1
    again = console("runbook", "resume", "--interrupted", "not-done", *go)
    assert (again.code, len(live.machine.asked)) == (0, 2)
