"""The verbs that change a machine: what they print, what they refuse, how they end."""

import json
import os
import pty
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kho_console.cli import main as command_line
from kho_console.config import places
from kho_console.engine.writer_lock import WriterLock
from kho_console.model.record import Who
from tests.cli.run import Console
from tests.cli.test_documents import validate
from tests.engine.changeable import Answer, Changeable, put, refuse

FINALIZE = "/sys/kernel/debug/kho/out/finalize"
TAKES = put(FINALIZE, "1\n")
OPEN, LATCH, STATELESS = "linux-6.18.15/cold", "linux-6.19.11/cold", "linux-7.3.4/cold"


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Live":
    """Lets a recording stand for this machine, with its journal and lock in a folder."""
    monkeypatch.setattr(places, "journal_file", lambda: tmp_path / "state/journal.jsonl")
    monkeypatch.setattr(places, "lock_file", lambda: tmp_path / "state/lock")
    return Live(monkeypatch, tmp_path / "state")


class Live:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
        self._monkeypatch = monkeypatch
        self.state = state

    def __call__(self, name: str, answer: Answer = TAKES) -> Changeable:
        machine = Changeable(name, answer)
        self._monkeypatch.setattr(command_line, "open_source", lambda word: machine)
        return machine


def test_a_dry_run_says_all_and_does_nothing(console: Console, live: Live) -> None:
    machine = live(OPEN)
    answer = console("finalize", "--dry-run")
    assert answer.code == 0
    assert f'does       write "1" to {FINALIZE}\n' in answer.out
    assert f"expected   {FINALIZE}: 0 -> 1\n" in answer.out
    assert "undone by  abort\n" in answer.out
    assert "predicted  handover.state: open -> finalized\n" in answer.out
    document = console("finalize", "--dry-run", "--json").document
    validate(document, "action")
    assert document["action"]["changes"] == [{"call": "write", "path": FINALIZE, "data": "1"}]
    assert document["outcome"] is None
    predicted = {item["key"]: (item["before"], item["after"]) for item in document["predicted"]}
    assert predicted["outgoing.preserved.bytes"] == (None, 5251072)
    assert machine.asked == []
    assert not live.state.exists()


def test_a_live_machine_is_only_looked_at_without_the_word(console: Console, live: Live) -> None:
    machine = live(OPEN)
    answer = console("finalize")
    assert (answer.code, machine.asked) == (4, [])
    assert "--write" in answer.err
    done = console("finalize", "--write", "--json")
    assert done.code == 0
    validate(done.document, "action")
    assert done.document["outcome"]["ending"] == "done"
    assert len(machine.asked) == 1


def test_what_nothing_undoes_wants_the_name_of_the_host(console: Console, live: Live) -> None:
    machine = live(LATCH)
    host = machine.facts().hostname
    assert console("--write", "finalize").code == 4
    wrong = console("--write", "finalize", "--yes-i-mean", f"{host}x")
    assert wrong.code == 4
    assert "is not the name of this host" in wrong.err
    assert machine.asked == []
    assert console("--write", "finalize", "--yes-i-mean", host).code == 0


def test_a_name_that_is_given_must_be_right_for_every_step(console: Console, live: Live) -> None:
    """A script that was meant for another host does nothing here."""
    machine = live(OPEN)
    wrong = console("--write", "finalize", "--yes-i-mean", "another")
    assert (wrong.code, machine.asked) == (4, [])
    assert "another is not the name of this host" in wrong.err
    assert console("--write", "finalize", "--yes-i-mean", machine.facts().hostname).code == 0


def test_a_step_that_is_not_there_says_what_to_do_instead(console: Console, live: Live) -> None:
    live(STATELESS)
    answer = console("--write", "finalize")
    assert answer.code == 3
    assert "stateless" in answer.err
    assert "instead: " in answer.err
    document = console("--write", "finalize", "--json").document
    validate(document, "action")
    assert document["not_applicable"]["name"] == "finalize"


def test_the_kernels_refusal_has_its_name(console: Console, live: Live) -> None:
    live(OPEN, refuse(3, log="[   99.000000] KHO: no room\n"))
    answer = console("--write", "finalize")
    assert answer.code == 5
    assert "ESRCH" in answer.err
    assert "FDT_ERR_NOSPACE" in answer.err
    assert "KHO: no room" in answer.err
    document = console("--write", "finalize", "--json").document
    validate(document, "action")
    assert document["outcome"]["explained"]["errno"] == "ESRCH"


def test_a_recording_cannot_be_changed_but_its_twin_can(console: Console) -> None:
    assert console("--source", OPEN, "finalize").code == 3
    assert console("--source", OPEN, "--rehearse", "finalize").code == 0
    assert console("--source", LATCH, "--rehearse", "finalize").code == 0
    failing = ("--source", OPEN, "--rehearse", "--fault")
    refused = console(*failing, "write:1:EBUSY", "finalize")
    assert refused.code == 5
    assert "EBUSY: a fault that was asked for; of a kernel it would mean: " in refused.err
    rare = console(*failing, "load:1:EDOM", "load", "--kernel", "twin:6.18.15")
    assert rare.err.count("a fault that was asked for") == 1
    assert "it would mean: Numerical argument out of domain" in rare.err
    assert console(*failing, "write:2:EBUSY", "finalize").code == 0
    for wrong in ("write:0:EBUSY", "write:1:BUSY", "nonsense", "memory:x", "write:1:errorcode"):
        assert console(*failing, wrong, "finalize").code == 2
    assert console("--fault", "panic", "status").code == 2


def test_a_kexec_on_a_twin_is_proven_at_once(console: Console) -> None:
    ready = ("--source", "linux-7.3.4/ready", "--rehearse")
    assert "took the handover" in console(*ready, "execute").out
    panicked = console(*ready, "--fault", "panic", "execute", "--json")
    assert panicked.code == 1
    validate(panicked.document, "action")
    assert "panicked" in panicked.document["outcome"]["text"]


def test_a_kept_twin_goes_on_from_command_to_command(console: Console, tmp_path: Path) -> None:
    twin = ("--twin", str(tmp_path / "twin"))
    assert console(*twin, "status").code == 3
    assert console(*twin, "--source", OPEN, "finalize").code == 0
    assert console(*twin, "--source", STATELESS, "status").code == 3
    again = console(*twin, "finalize")
    assert again.code == 4
    assert "finalized already" in again.err
    image = ("--kernel", "twin:6.18.15", "--reuse-command-line")
    assert console(*twin, "load", *image).code == 0
    assert console(*twin, "execute").code == 0
    status = console(*twin, "status", "--json").document
    assert status["source"]["kind"] == "twin"
    assert status["handover"]["booted_through_handover"] is True
    records = console(*twin, "journal", "--json").document["records"]
    assert [(item["action"], item["standing"], item["source"]) for item in records] == [
        (name, "done", "twin") for name in ("finalize", "load", "execute")
    ]
    assert console(*twin, "--rehearse", "status").code == 2
    (tmp_path / "twin").write_bytes(b"no twin")
    assert console(*twin, "status").code == 3


def test_a_dry_run_of_a_kexec_tells_what_the_next_kernel_finds(console: Console) -> None:
    dry = console("--source", "linux-7.3.4/ready", "execute", "--dry-run", "--json").document
    predicted = {item["key"]: (item["before"], item["after"]) for item in dry["predicted"]}
    assert predicted["handover.booted_through_handover"] == (False, True)
    assert predicted["handover.kexec_count"] == (0, 1)


@pytest.mark.parametrize("words", [("memory",), ("cpu01",), ("memory-1",)])
def test_what_is_no_block_and_no_cpu(console: Console, words: tuple[str, ...]) -> None:
    assert console("--source", STATELESS, "offline", *words).code == 2


def test_hotplug_of_what_is_not_there(console: Console) -> None:
    assert console("--source", STATELESS, "online", "memory4000").code == 3


def test_a_second_writer_sees_who_the_first_is(console: Console, live: Live) -> None:
    machine = live(OPEN)
    with WriterLock(live.state / "lock", Who(1000, "bob", None, "/dev/tty7", None)):
        answer = console("--write", "finalize")
    assert (answer.code, machine.asked) == (4, [])
    assert "bob on /dev/tty7" in answer.err


def test_the_journal_tells_what_was_done(console: Console, live: Live) -> None:
    live(OPEN)
    assert console("journal").out == "nothing was done yet\n"
    console("--write", "finalize")
    with (live.state / "journal.jsonl").open("a") as file:
        file.write('{"torn')
    answer = console("journal")
    assert "finalize  done" in answer.out
    assert "line 3" in answer.err
    document = console("journal", "--json").document
    validate(document, "journal")
    assert [item["standing"] for item in document["records"]] == ["done"]
    assert document["damage"][0]["line"] == 3


def test_a_recording_has_no_journal(console: Console) -> None:
    assert console("--source", OPEN, "journal").code == 3


TYPED = """
import sys
from pathlib import Path
from kho_console.cli import main as command_line
from kho_console.config import places
from tests.engine.changeable import Changeable, put

place = Path(sys.argv[1])
places.journal_file = lambda: place / "journal"
places.lock_file = lambda: place / "lock"
command_line.open_source = lambda word: Changeable("linux-6.19.11/cold", put(sys.argv[2], "1"))
sys.exit(command_line.main(["--write", "finalize"]))
"""


@pytest.mark.parametrize(("typed", "code"), [("right", 0), ("wrong", 4), ("", 4)])
def test_the_name_is_typed_on_a_terminal(tmp_path: Path, typed: str, code: int) -> None:
    host = Changeable(LATCH).facts().hostname
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", TYPED, str(tmp_path), FINALIZE],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        close_fds=True,
    ) as child:
        os.close(theirs)
        os.write(ours, f"{host if typed == 'right' else typed}\n".encode())
        assert child.wait(60) == code
        shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert "nothing undoes this" in shown
    assert (tmp_path / "journal").exists() == (code == 0)
    if code == 0:
        assert json.loads((tmp_path / "journal").read_text().splitlines()[0])["step"] == "begin"


def test_a_host_without_a_name_cannot_be_meant(
    console: Console, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = live("linux-6.18.15/finalized")
    nameless = replace(machine.facts(), hostname="")
    monkeypatch.setattr(machine, "facts", lambda: nameless)
    answer = console("abort", "--write", "--yes-i-mean", "")
    assert (answer.code, machine.asked) == (4, [])
    assert "has no name" in answer.err
