import os
import socket
from pathlib import Path

import pytest

from kho_console.source.live import kmsg
from kho_console.source.live.kmsg import as_dmesg, read_log, read_records


def sent(records: list[bytes]) -> str:
    """What is read from a socket that, as /dev/kmsg, gives one record a read and then EAGAIN."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        theirs.setblocking(False)
        for record in records:
            ours.send(record)
        return read_records(theirs.fileno())


def test_records_as_dmesg_prints_them() -> None:
    log = sent(
        [
            b"5,0,0,-;Linux version 7.3.4\n",
            b"6,339,5140900,-;NET: Registered PF_INET6\n SUBSYSTEM=acpi\n DEVICE=+acpi:x\n",
            b"6,2371,99999999999,c,caller=T1;late\n",
        ]
    )
    assert log == (
        "[    0.000000] Linux version 7.3.4\n"
        "[    5.140900] NET: Registered PF_INET6\n"
        "[99999.999999] late\n"
    )


def test_more_lines_are_indented_and_other_escapes_stay() -> None:
    record = b"4,1,1500000,-;one\\x0atwo \\x1b[31m \\x5c\n"
    assert as_dmesg(record) == "[    1.500000] one\n               two \\x1b[31m \\x5c\n"


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (b"no header at all\n", "no header at all\n"),
        (b"6,1,x,-;text\n", "6,1,x,-;text\n"),
        (b"6,1,5;text", "6,1,5;text\n"),
        (b"6,1,0,-;\xff\n", "[    0.000000] \\xff\n"),
    ],
)
def test_what_is_no_record_stands_as_it_is(record: bytes, line: str) -> None:
    assert as_dmesg(record) == line


def test_the_oldest_lines_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kmsg, "_LARGEST_LOG", 40)
    log = sent([f"6,{n},{n},-;{n}\n".encode() for n in range(1, 9)])
    assert log == "[    0.000007] 7\n[    0.000008] 8\n"


def test_overwritten_records_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[bytes | OSError] = [BrokenPipeError(), b"6,9,0,-;kept\n", BlockingIOError()]

    def read(*_: int) -> bytes:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr("kho_console.source.live.kmsg.os.read", read)
    assert read_records(0) == "[    0.000000] kept\n"


def test_no_log(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_log(str(tmp_path / "kmsg"))
    os.mkfifo(tmp_path / "fifo")
    assert read_log(str(tmp_path / "fifo")) == ""
