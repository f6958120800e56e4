"""The verb `runbook`: what it prints, how a run gets on, what is refused."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kho_console.cli import main as command_line
from kho_console.config import places
from kho_console.engine.writer_lock import WriterLock
from kho_console.model.record import Who
from kho_console.twin import history, keep
from tests.cli.run import Answer, Console
from tests.cli.test_documents import validate
from tests.engine.changeable import Changeable, put
from tests.recordings import FIXTURES

OPEN, STATELESS = "linux-6.18.15/cold", "linux-7.3.4/sessions"
FINALIZE = "/sys/kernel/debug/kho/out/finalize"
STOPS = """\
schema = 1
version = 1
title = "Stops on the way"
about = "For a test."

[[step]]
id = "finalize"
what = "Finalize"
why = "It can be undone."
action = "finalize"
after = ["handover.state is finalized"]
undo = "abort"

[[step]]
id = "never"
what = "Wait for what never comes"
why = "It stops here."
check = ["kexec.loaded is true"]
optional = true
"""


class Twin:
    """A run on a kept twin."""

    def __init__(self, console: Console, folder: Path, source: str, **answers: str) -> None:
        self.file = folder / "t"
        self.answers = folder / "answers.toml"
        self.answers.write_text("".join(f'{key} = "{word}"\n' for key, word in answers.items()))
        self._console = console
        console("--source", source, "--twin", str(self.file), "status")

    def __call__(self, *words: str) -> Answer:
        given = ("--answers", str(self.answers)) if words[0] in ("run", "resume") else ()
        return self._console("--twin", str(self.file), "runbook", *words, *given)

    @property
    def deeds(self) -> list[str]:
        found = keep.read(self.file.read_bytes()).deeds
        return [str(history.encode(deed)["do"]) for deed in found]


def objects(answer: Answer) -> list[Any]:
    found = [json.loads(line) for line in answer.out.splitlines()]
    for item in found:
        validate(item, "run_progress")
    return found


def test_what_there_is(console: Console) -> None:
    document = console("--source", OPEN, "runbook", "list", "--json").document
    validate(document, "runbooks")
    assert len(document["runbooks"]) == 7
    for item in document["runbooks"]:
        shown = console("--source", OPEN, "runbook", "show", item["name"], "--json").document
        validate(shown, "runbook")
        text = console("--source", OPEN, "runbook", "show", item["name"]).out
        assert all(step["why"] in text for step in shown["steps"])
    assert console("--source", OPEN, "runbook", "show", "rehearse").code == 3


def test_a_second_run_of_a_book_waits_for_the_first(console: Console, tmp_path: Path) -> None:
    book = tmp_path / "stops.toml"
    book.write_text(STOPS)
    twin = Twin(console, tmp_path, OPEN)
    first = twin("run", str(book))
    (run,) = twin("list", "--json").document["runs"]
    *_, stands, goes_on, _ = first.out.splitlines()
    assert stands == f"run {run['id']} stands at never, and needs a check"
    assert goes_on == f"go on:      kho-console --twin {twin.file} runbook resume {run['id']}"
    second = twin("run", str(book))
    assert second.code == 4
    assert f"{run['id']} of the same runbook stands at never" in second.err
    assert twin("resume", "--abandon").code == 0
    assert f"of stops, kept in {twin.file}.runs/" in twin("run", str(book)).out


def test_an_undo_tells_what_it_forgets(console: Console, tmp_path: Path) -> None:
    book = tmp_path / "stops.toml"
    book.write_text(STOPS)
    shown = console("--source", OPEN, "runbook", "show", str(book)).out
    assert "    undone  by abort, which forgets what is preserved" in shown.splitlines()
    planned = console("--source", OPEN, "--rehearse", "finalize", "--dry-run").out
    assert "Abort, which undoes it, forgets all that is preserved." in planned
    assert "brings the machine back" not in planned
    twin = Twin(console, tmp_path, OPEN)
    twin("run", str(book))
    assert "effect  All that is preserved is forgotten" in twin("undo").out


def test_steps_say_what_was_found(console: Console, tmp_path: Path) -> None:
    twin = Twin(console, tmp_path, OPEN, kernel="twin:6.18.15", way="at-once")
    told = {
        item["step"]: item
        for item in objects(twin("run", "live-update-finalize", "--json"))[:-1]
        if item["standing"] == "done"
    }
    found = {name: item["text"] for name, item in told.items()}
    assert found["load"] == "kexec.loaded is true"
    assert found["able"] == "handover.finalize is not none; handover.state is not unavailable"
    (ahead,) = (item for item in told["preflight"]["checks"] if item["id"] == "finalized")
    assert (ahead["result"], ahead["text"]) == (
        "pass",
        "not finalized yet: step 8, finalize, is for that",
    )
    assert "not finalized" not in found["preflight"]


def test_a_book_with_faults(console: Console, tmp_path: Path) -> None:
    book = tmp_path / "x.toml"
    book.write_text(STOPS.replace('undo = "abort"', 'undo = "abrt"'))
    answer = console("--source", OPEN, "runbook", "show", str(book))
    assert (answer.code, answer.out) == (2, "")
    assert f"{book}: line 12: step.1.undo: expected one of" in answer.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("book", "source", "does"),
    [
        ("live-update-finalize", OPEN, ["write", "load", "execute"]),
        ("live-update-sessions", STATELESS, ["load", "execute"]),
        ("rehearsal", OPEN, ["write", "load", "execute"]),
        ("rehearsal", STATELESS, ["load", "execute"]),
        ("arm-kdump", "linux-7.3.4/cold", ["load"]),
        ("abort-and-go-back", "linux-6.18.15/ready", ["unload", "write"]),
        ("collect-evidence", STATELESS, []),
        ("memory-expansion", "linux-7.3.4/hotplugged", ["write", "write"]),
    ],
)
def test_each_shipped_one_comes_to_its_end(
    console: Console, tmp_path: Path, book: str, source: str, does: list[str]
) -> None:
    answers = {
        "live-update-finalize": {"kernel": "twin:6.18.15", "way": "at-once"},
        "live-update-sessions": {"kernel": "twin:7.3.4", "way": "at-once"},
        "rehearsal": {"kernel": f"twin:{source.split('/')[0].removeprefix('linux-')}"},
        "arm-kdump": {"kernel": "twin:7.3.4"},
        "collect-evidence": {"reason": "a test"},
        "memory-expansion": {"block": "memory35"},
    }
    twin = Twin(console, tmp_path, source, **answers.get(book, {}))
    if book == "memory-expansion":
        assert console("--twin", str(twin.file), "offline", answers[book]["block"]).code == 0
    answer = twin("run", book, "--json")
    *steps, last = objects(answer)
    assert (answer.code, last["step"], last["text"]) == (0, None, "finished"), answer
    assert {item["standing"] for item in steps} <= {"done", "not checked yet", "not needed here"}
    assert twin.deeds == does
    (run,) = twin("list", "--json").document["runs"]
    assert (run["id"], run["over"], run["done"]) == (last["run"], "finished", run["steps"])


def test_a_run_that_cannot_be_read_is_not_passed_over(console: Console, tmp_path: Path) -> None:
    book = tmp_path / "stops.toml"
    book.write_text(STOPS)
    twin = Twin(console, tmp_path, OPEN)
    twin("run", str(book))
    (journal,) = tmp_path.glob("t.runs/*/*.jsonl")
    journal.write_bytes(b"x" + journal.read_bytes())
    answer = twin("resume")
    assert answer.code == 3 and f"{journal.parent.name} cannot be read: " in answer.err


def test_an_event_lost_earlier_stops_no_memory_expansion(console: Console, tmp_path: Path) -> None:
    """The log keeps it for the whole boot: somebody who knows that goes on."""
    origin = tmp_path / "origin"
    shutil.copytree(FIXTURES / "linux-7.3.4/hotplugged", origin)
    with (origin / "kmsg.txt").open("a") as log:
        log.write("[   50.000000] crash hp: kexec_trylock() failed, kdump image may be stale\n")
    twin = Twin(console, tmp_path, str(origin))
    assert console("--twin", str(twin.file), "offline", "memory35").code == 0
    twin.answers.write_text('block = "memory35"\nskip = ["events", "watched"]\n')
    answer = twin("run", "memory-expansion", "--json")
    assert (answer.code, objects(answer)[-1]["text"]) == (0, "finished")


def test_the_wrong_target_is_stopped_by_preflight(console: Console, tmp_path: Path) -> None:
    twin = Twin(console, tmp_path, OPEN, kernel="twin:7.3.4", way="at-once")
    answer = twin("run", "live-update-finalize", "--json")
    *_, failed, last = objects(answer)
    assert (answer.code, failed["step"], failed["standing"]) == (1, "preflight", "failed")
    wrong = [item["id"] for item in failed["checks"] if item["result"] == "fail"]
    assert "kho-version" in wrong
    assert (last["step"], last["need"]) == ("preflight", "a check")
    assert twin.deeds == []
    assert (twin("resume").code, twin.deeds) == (1, [])
    assert json.loads(twin("resume", "--abandon", "--json").out)["text"] == "abandoned"
    assert twin("resume").code == 3


@pytest.mark.parametrize(
    ("fault", "code", "step", "later", "deeds"),
    [
        ("write:1:EBUSY", 5, "finalize", 0, ["write", "write", "load", "execute"]),
        # What a producer left behind is in the way until the next boot.
        ("producer:ENOMEM", 5, "finalize", 5, ["write", "write"]),
        ("load:1:ENOMEM", 5, "load", 0, ["write", "load", "load", "execute"]),
        ("panic", 1, "execute", 1, ["write", "load", "execute"]),
    ],
)
def test_with_faults_and_gone_on_with(
    console: Console,
    tmp_path: Path,
    fault: str,
    code: int,
    step: str,
    later: int,
    deeds: list[str],
) -> None:
    twin = Twin(console, tmp_path, OPEN, kernel="twin:6.18.15")
    answer = twin("run", "rehearsal", "--json", "--fault", fault)
    assert (answer.code, objects(answer)[-1]["step"]) == (code, step), answer
    assert twin("resume", "--json").code == later
    assert [item for item in twin.deeds if item in ("write", "load", "execute")] == deeds


def test_it_is_undone_and_gone_on_with(console: Console, tmp_path: Path) -> None:
    book = tmp_path / "stops.toml"
    book.write_text(STOPS)
    twin = Twin(console, tmp_path, OPEN)
    assert twin("run", str(book)).code == 1
    planned = twin("undo", "--dry-run")
    assert (planned.code, planned.out.splitlines()[0][:16]) == (0, "action     abort")
    assert "handover.state: finalized -> open" in planned.out
    validate(twin("undo", "--dry-run", "--json").document, "action")
    assert twin.deeds == ["write"]
    undone = twin("undo", "--json")
    validate(undone.document, "action")
    assert (undone.code, undone.document["action"]["name"]) == (0, "abort")
    assert "changed nothing" in twin("undo").err
    # The run goes on as it began, whatever became of the file.
    book.unlink()
    twin.answers.write_text('skip = ["never"]\n')
    assert twin("resume").code == 0
    assert twin.deeds == ["write"] * 3


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ("kernle = 1", "line 1: kernle: rehearsal does not ask for it"),
        ('kernel = "/none"', "line 1: kernel: there is no such file"),
        ('skip = ["load"]', "load may not be skipped"),
        ("kernel = ", "no TOML"),
        ("", 'kernel = ""  # file: Name the kernel'),
        ("", "no answer to kernel"),
    ],
)
def test_wrong_answers(console: Console, tmp_path: Path, answers: str, words: str) -> None:
    twin = Twin(console, tmp_path, OPEN)
    twin.answers.write_text(answers)
    answer = twin("run", "rehearsal")
    assert (answer.code, answer.out) == (2, "")
    assert words in answer.err
    assert twin("list", "--json").document["runs"] == []


def test_one_runner_at_a_time(console: Console, tmp_path: Path) -> None:
    twin = Twin(console, tmp_path, OPEN, kernel="twin:6.18.15")
    with WriterLock(Path(f"{twin.file}.lock"), Who(7, "somebody", None, None, None)):
        answer = twin("run", "rehearsal")
    assert (answer.code, twin.deeds) == (4, [])
    assert "somebody" in answer.err


def test_a_recording_has_no_runs(console: Console) -> None:
    answer = console("--source", OPEN, "runbook", "run", "collect-evidence")
    assert answer.code in (2, 3)
    assert console("--source", OPEN, "runbook", "resume").code == 3


class Live:
    """Lets a recording stand for this machine, with its state in a folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, state: Path, runs: Path) -> None:
        monkeypatch.setattr(places, "journal_file", lambda: state / "journal.jsonl")
        monkeypatch.setattr(places, "lock_file", lambda: state / "lock")
        monkeypatch.setattr(places, "runs_folder", lambda: runs)
        self.machine = Changeable(OPEN, put(FINALIZE, "1\n"))
        monkeypatch.setattr(command_line, "open_source", lambda word: self.machine)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no tmpfs is mounted here")
def test_a_folder_in_memory_is_refused(
    console: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runs = Path("/dev/shm") / tmp_path.name / "runs"
    live = Live(monkeypatch, tmp_path, runs)
    (tmp_path / "a.toml").write_text('kernel = "/bin/sh"\n')
    words = ("runbook", "run", "live-update-finalize", "--answers", str(tmp_path / "a.toml"))
    assert "--write" in console(*words).err
    answer = console(*words, "--write", "--yes-i-mean", "hv-17")
    assert answer.code == 4
    assert "has to outlive this kernel" in answer.err
    assert "on tmpfs, which is in memory and gone after the kexec" in answer.err
    assert (runs.parent.exists(), live.machine.asked) == (False, [])


def test_a_live_machine_wants_its_name_and_its_boot(
    console: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    book = tmp_path / "stops.toml"
    book.write_text(STOPS)
    live = Live(monkeypatch, tmp_path, tmp_path / "runs")
    assert console("runbook", "run", str(book), "--write").code == 1
    assert len(live.machine.asked) == 1
    # Another boot takes with it what was done; it is not done again behind somebody's back.
    live.machine.boot = "boot-2"
    lost = console("runbook", "resume", "--write", "--json")
    assert lost.code == 1
    assert "lost: the machine was started again" in objects(lost)[-1]["text"]
    assert len(live.machine.asked) == 1
    assert console("runbook", "run", "rehearsal", "--write", "--answers", str(book)).code == 2


def test_a_run_goes_on_when_its_reader_has_gone(console: Console, tmp_path: Path) -> None:
    book = tmp_path / "stops.toml"
    book.write_text(STOPS)
    twin = Twin(console, tmp_path, OPEN)
    command = [sys.executable, "-u", "-m", "kho_console", "--twin", str(twin.file)]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*command, "runbook", "run", str(book)], stdout=writer, stderr=writer, check=False
    )
    os.close(writer)
    assert (done.returncode, twin.deeds) == (1, ["write"])
    (run,) = twin("list", "--json").document["runs"]
    assert (run["at"], run["done"]) == ("never", 1)
