"""The verb `diff`."""

import os
import subprocess
import sys
from pathlib import Path

from tests.cli.run import Console
from tests.cli.test_documents import validate
from tests.recordings import FIXTURES

COLD, SESSIONS = "linux-7.3.4/cold", "linux-7.3.4/sessions"


def test_the_same_is_0_and_what_differs_is_1(console: Console) -> None:
    same = console("diff", COLD, COLD)
    assert (same.code, same.out.splitlines()[0]) == (0, "DIFF    the same")
    found = console("diff", COLD, SESSIONS)
    lines = found.out.splitlines()
    assert found.code == 1
    assert lines[0].startswith("DIFF    14 differences: ")
    assert "    added   memfd 0xdce000  8.0 MiB (8,388,608 bytes)" in lines
    assert max(map(len, lines)) <= 80


def test_documents(console: Console) -> None:
    answer = console("diff", COLD, SESSIONS, "--ranges", "--json")
    validate(answer.document, "diff")
    assert answer.code == 1
    assert answer.document["counts"]["added"] == 12
    listed = answer.document["ranges"]
    assert sum(item["size"] for item in listed["added"]) == 15896576 - 5263360
    assert listed["gone"] == []
    validate(console("diff", COLD, COLD, "--json").document, "diff")


def test_what_cannot_be_opened_is_3_and_what_is_not_asked_for_so_is_2(
    console: Console, tmp_path: Path
) -> None:
    assert console("diff", COLD, str(tmp_path / "nothing")).code == 3
    assert console("diff", str(tmp_path / "nothing"), COLD).code == 3
    assert console("diff", COLD, f"{SESSIONS}@end").code == 3
    assert console("--source", COLD, "diff", COLD, SESSIONS).code == 2


def test_a_moment_of_a_recording(console: Console, tmp_path: Path) -> None:
    file = str(tmp_path / "machine.rec")
    assert console("--source", COLD, "record", file).code == 0
    assert console("diff", COLD, f"{file}@moment:0").code == 0
    assert console("diff", f"{file}@moment:0", SESSIONS).code == 1
    assert console("diff", COLD, f"{file}@moment:7").code == 3


def test_the_answer_holds_when_its_reader_has_gone() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-u", "-m", "kho_console", "diff", "linux-7.3.4/ready"]
    done = subprocess.run(
        [*command, "linux-7.3.4/restored"], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


def test_each_side_tells_its_moment(console: Console) -> None:
    file = str(FIXTURES / "linux-6.18.15/live-update.khorec")
    lines = console("diff", f"{file}@start", f"{file}@end").out.splitlines()
    assert lines[2] == "        2026-11-21 15:12:57Z, moment:0 of 33"
    assert lines[4].endswith(", moment:32 of 33")
    document = console("diff", f"{file}@start", f"{file}@end", "--json").document
    validate(document, "diff")
    assert (document["before"]["moment"]["number"], document["after"]["moment"]["number"]) == (
        0,
        32,
    )
    status = console("--source", file, "--at", "moment:5", "status", "--json").document
    validate(status, "status")
    assert status["source"]["moment"]["number"] == 5
    shown = console("--source", file, "--at", "moment:5", "status").out
    assert f"moment     {status['source']['moment']['at']}, moment:5 of 33" in shown.splitlines()
