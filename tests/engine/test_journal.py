"""The journal and the lock: on disk, whatever ends the process."""

import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kho_console.engine import journal_records, writer_lock
from kho_console.engine.journal import Journal, append
from kho_console.engine.journal_records import Now
from kho_console.engine.writer_lock import LockedError, WriterLock
from kho_console.model.action import Action, Expectation, Risk
from kho_console.model.change import Execute, Execution, Write
from kho_console.model.outcome import Ending, Found, Outcome
from kho_console.model.record import Standing, Who
from kho_console.model.unknown import Cause, Maybe, Unknown

ME = Who(0, "root", "alice", None, None)
MACHINE = {"source": "live", "host": "hv-17", "boot": "boot-1"}
NOTHING = Unknown(Cause.ABSENT, "not told")
HERE = Now("boot-1", NOTHING, NOTHING)
FILE = "/sys/kernel/debug/kho/out/finalize"
FINALIZE = Action(
    "finalize", "finalize", (Write(FILE, b"1"),), (), "abort", Risk.SMALL, (Expectation(FILE, "1"),)
)
KEXEC = Action("execute", "go", (Execute(Execution.SYSTEM_CALL),), (), None, Risk.REBOOT, ())

KILLED = """
import os, signal, sys
from pathlib import Path
from kho_console.engine.actions import step
from kho_console.engine.actions.perform import Writer, perform
from kho_console.engine.actions.planning import plan
from kho_console.engine.journal import Journal
from kho_console.engine.writer_lock import WriterLock
from tests.engine.changeable import Changeable
from tests.engine.test_journal import ME

def answer(machine, change):
    os.kill(os.getpid(), signal.SIGKILL)

place = Path(sys.argv[1])
machine = Changeable("linux-6.18.15/cold", answer)
writer = Writer(Journal(place / "journal", ME, mirror=None), WriterLock(place / "lock", ME))
perform(machine, step.finalize, plan(machine, step.finalize), writer)
"""

HOLDING = """
import sys
from pathlib import Path
from kho_console.engine.writer_lock import WriterLock
from kho_console.model.record import Who

with WriterLock(Path(sys.argv[1]), Who(1000, "bob", None, "/dev/tty7", None)):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_killed_in_the_middle_of_a_change(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path], timeout=60, check=False, capture_output=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    found = journal_records.read(tmp_path / "journal", HERE)
    assert [(item.action, item.standing) for item in found.records] == [
        ("finalize", Standing.INTERRUPTED)
    ]
    assert found.records[0].ended is None
    with WriterLock(tmp_path / "lock", ME) as lock:
        assert lock.held


def test_the_lock_names_its_holder_and_ends_with_it(tmp_path: Path) -> None:
    place = tmp_path / "state/lock"
    command = [sys.executable, "-c", HOLDING, str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        holder = writer_lock.holder(place)
        assert holder is not None
        assert (holder.pid, holder.user, holder.tty) == (other.pid, "bob", "/dev/tty7")
        with pytest.raises(LockedError, match=f"process {other.pid} of bob on /dev/tty7"):
            WriterLock(place, ME).__enter__()
        other.kill()
    assert writer_lock.holder(place) is None
    lock = WriterLock(place, ME)
    with lock, lock:
        mine = writer_lock.holder(place)
        assert mine is not None
        assert mine.pid == os.getpid()
    assert not lock.held
    assert writer_lock.holder(place) is None


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="lock"):
        WriterLock(tmp_path / "lock", ME).__enter__()
    assert not (tmp_path / "target").exists()


def test_a_torn_line_is_told_and_costs_no_other(tmp_path: Path) -> None:
    place = tmp_path / "journal"
    journal = Journal(place, ME, mirror=None)
    first = journal.begin(FINALIZE, MACHINE)
    with place.open("ab") as file:
        file.write(b'{"schema": 1, "step": "e')
    journal.end(first, FINALIZE, Outcome(Ending.DONE, "1", (Found(FILE, "1", "1", True),)))
    append(place, b'["not", "a", "line"]\n' + b"\xff\xfe\n" + b'{"step": "end", "id": "gone"}\n')
    append(place, b"[" * 100_000 + b"\n")
    endless = json.loads(place.read_bytes().splitlines()[0])
    endless["who"]["uid"] = float("inf")
    append(place, json.dumps(endless).encode() + b"\n")
    found = journal_records.read(place, HERE)
    assert [item.line for item in found.damage] == [2, 4, 5, 6, 7, 8]
    record = found.records[0]
    assert (record.standing, record.text, record.found) == (Standing.DONE, "1", ((FILE, "1"),))
    assert record.changes == ({"call": "write", "path": FILE, "data": "1"},)
    assert place.stat().st_mode & 0o777 == 0o600


def test_who_only_looks_at_the_lock_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "lock"
    place.touch()
    looking = os.open(place, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr(time, "sleep", lambda seconds: fcntl.flock(looking, fcntl.LOCK_UN))
    with WriterLock(place, ME) as lock:
        assert lock.held
    os.close(looking)
    published = tmp_path / "lock.holder"
    published.write_bytes(b"[" * 4096)
    assert writer_lock.holder(place) is None


def test_only_its_owner_can_lock_it_and_others_see_who_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, published = tmp_path / "lock", tmp_path / "lock.holder"
    place.touch(0o644)
    before = os.umask(0o077)
    try:
        with WriterLock(place, ME):
            modes = [item.stat().st_mode & 0o777 for item in (place, published)]
            assert modes == [0o600, 0o644]
            told = published.read_bytes()
    finally:
        os.umask(before)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(timeout=60)
    opens = os.open

    def of_somebody_else(path: Path, flags: int, mode: int = 0o777) -> int:
        if path == place:
            raise PermissionError(errno.EACCES, "not yours", str(path))
        return opens(path, flags, mode)

    monkeypatch.setattr("kho_console.engine.writer_lock.os.open", of_somebody_else)
    assert writer_lock.holder(place) is None
    held = json.loads(told)
    for pid, started, believed in (
        (os.getpid(), held["started"], True),
        (os.getpid(), held["started"] - 1, False),
        (1, None, True),
        (gone.pid, held["started"], False),
        (0, None, False),
    ):
        published.write_text(json.dumps(held | {"pid": pid, "started": started}))
        found = writer_lock.holder(place)
        assert (found is not None and (found.pid, found.user) == (pid, ME.user)) is believed


def test_what_is_linked_elsewhere_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("other")
    (tmp_path / "lock.holder").hardlink_to(tmp_path / "other")
    with pytest.raises(OSError, match=r"lock\.holder"):
        WriterLock(tmp_path / "lock", ME).__enter__()
    assert (tmp_path / "other").read_text() == "other"
    (tmp_path / "lock.holder").unlink()
    with WriterLock(tmp_path / "lock", ME) as lock:
        assert lock.held


def test_a_journal_that_is_no_file(tmp_path: Path) -> None:
    assert journal_records.read(tmp_path / "none", HERE).records == ()
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="no regular file"):
        journal_records.read(tmp_path / "fifo", HERE)
    with pytest.raises(OSError, match="no regular file"):
        Journal(tmp_path / "fifo", ME, mirror=None).begin(FINALIZE, MACHINE)


@pytest.mark.parametrize(
    ("boot", "minutes", "arrived", "between", "standing"),
    [
        ("boot-1", 0.0, False, False, Standing.PENDING),
        ("boot-2", 1.0, True, False, Standing.ARRIVED),
        ("boot-2", 1.0, False, False, Standing.LOST),
        ("boot-2", 1.0, NOTHING, False, Standing.UNKNOWN),
        ("boot-3", 1.0, True, True, Standing.UNKNOWN),
        ("boot-3", 600.0, False, False, Standing.UNKNOWN),
    ],
)
def test_a_kexec_is_judged_by_the_boot_that_followed(
    tmp_path: Path,
    boot: str,
    minutes: float,
    arrived: Maybe[bool],
    between: bool,
    standing: Standing,
) -> None:
    journal = Journal(tmp_path / "journal", ME, mirror=None)
    journal.end(journal.begin(KEXEC, MACHINE), KEXEC, Outcome(Ending.PENDING, "on its way"))
    journal.begin(KEXEC, MACHINE)  # the bare call does not come back to write its end
    if between:
        journal.begin(FINALIZE, MACHINE | {"boot": "boot-2"})
    since = datetime.now(UTC) + timedelta(minutes=minutes)
    found = journal_records.read(tmp_path / "journal", Now(boot, since, arrived))
    assert [item.standing for item in found.records[:2]] == [standing, standing]


def test_the_system_journal_gets_a_copy(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "socket"))
        journal = Journal(tmp_path / "journal", ME, mirror=tmp_path / "socket")
        known = journal.begin(FINALIZE, MACHINE)
        fields = dict(
            line.split("=", 1) for line in listener.recv(4096).decode().splitlines() if line
        )
        assert fields["SYSLOG_IDENTIFIER"] == "kho-console"
        assert (fields["KHO_ACTION"], fields["KHO_JOURNAL_ID"]) == ("finalize", known)
        journal.end(known, FINALIZE, Outcome(Ending.UNPROVEN, "one\nPRIORITY=0"))
        assert b"PRIORITY=0" not in listener.recv(4096).split(b"\n")
    journal.begin(FINALIZE, MACHINE)  # nobody listens any more
    lines = (tmp_path / "journal").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == ["begin", "end", "begin"]
