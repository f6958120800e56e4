"""Exit codes, messages and text output of the command line."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.run import Console
from tests.recordings import FIXTURES, RECORDINGS

SESSIONS = "linux-7.3.4/sessions"
TEXT_VERBS = ("status", "scratch", "blobs", "sessions", "crash", "doctor")


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize("verb", TEXT_VERBS)
def test_text_of_every_verb_on_every_recording(console: Console, name: str, verb: str) -> None:
    answer = console(verb, "--source", name)
    assert answer.out.isascii()
    assert answer.code == 0 or (verb == "doctor" and answer.code == 1)


def test_a_source_is_taken_before_and_after_the_verb(console: Console) -> None:
    before = console("--source", SESSIONS, "status")
    after = console("status", "--source", str(FIXTURES / SESSIONS))
    assert before.out == after.out != ""


def test_status_answers_in_words(console: Console) -> None:
    answer = console("status", "--source", SESSIONS)
    assert "kho-v4, stateless" in answer.out
    assert "15.2 MiB (15,896,576 bytes) in 49 ranges" in answer.out
    assert "low memory 744.0 MiB, global none, node 0 36.0 MiB, node 1 56.0 MiB" in answer.out


def test_preserved_before_finalize_is_not_available(console: Console) -> None:
    answer = console("preserved", "--source", "linux-6.18.15/cold")
    assert answer.code == 3
    assert answer.out == ""
    assert "not finalized yet" in answer.err
    document = console("preserved", "--json", "--source", "linux-6.18.15/cold").document
    assert document["ranges"] is None
    assert document["ranges_reason"] == "not finalized yet"


def test_the_incoming_map_is_released_unless_its_residue_is_asked_for(console: Console) -> None:
    answer = console("preserved", "--side", "in", "--source", "linux-6.18.15/restored")
    assert answer.code == 3
    assert "released by the kernel at boot" in answer.err
    answer = console("preserved", "--side", "in", "--residue", "--source", "linux-6.18.15/restored")
    assert answer.code == 3
    assert "not recorded" in answer.err


def test_a_fixture_that_is_none(console: Console, tmp_path: Path) -> None:
    answer = console("status", "--source", str(tmp_path))
    assert answer.code == 3
    assert "manifest.json" in answer.err
    answer = console("status", "--source", "no-such-recording")
    assert answer.code == 3
    assert SESSIONS in answer.err


def test_usage_errors(console: Console) -> None:
    assert console("no-such-verb").code == 2
    assert console("preserved", "--side", "up", "--source", SESSIONS).code == 2


def test_without_a_terminal_the_screen_names_the_verb(console: Console) -> None:
    answer = console("demo")
    assert answer.code == 3
    assert "kho-console status" in answer.err


def test_a_struct_blob_has_no_device_tree_source(console: Console) -> None:
    answer = console("tree", "out", "LUO", "--source", SESSIONS)
    assert answer.code == 3
    assert "no device tree" in answer.err
    assert console("tree", "out", "nobody", "--source", SESSIONS).code == 3
    assert console("tree", "in", "--source", SESSIONS).code == 3


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m kho_console preserved --extents --source {SESSIONS} | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stderr == ""


def test_raw_bytes_of_a_blob() -> None:
    blob = FIXTURES / SESSIONS / "root/sys/kernel/debug/kho/out/sub_fdts/kexec-metadata"
    command = [sys.executable, "-m", "kho_console", "tree", "out", "kexec-metadata", "--raw"]
    done = subprocess.run([*command, "--source", SESSIONS], capture_output=True, check=True)
    assert done.stdout == blob.read_bytes()


def test_the_raw_root_tree_is_whole_though_its_window_is_cut() -> None:
    command = [sys.executable, "-m", "kho_console", "tree", "--raw", "--source", SESSIONS]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    page = (FIXTURES / SESSIONS / "physmem/0x66c000.bin").read_bytes()
    assert raw == page[:345]


@pytest.mark.skipif(shutil.which("dtc") is None, reason="dtc is missing: device-tree-compiler")
@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize("side", ["out", "in"])
def test_dtc_reads_every_tree_back(console: Console, name: str, side: str) -> None:
    blobs = console("blobs", "--json", "--source", name).document
    listed = blobs["outgoing" if side == "out" else "incoming"] or []
    for words in ([], *([item["name"]] for item in listed if item["format"] == "fdt")):
        answer = console("tree", side, *words, "--source", name)
        if answer.code == 3:
            assert not words, "a tree that blobs calls fdt must print"
            continue
        command = [sys.executable, "-m", "kho_console", "tree", side, *words, "--raw"]
        raw = subprocess.run([*command, "--source", name], capture_output=True, check=True).stdout
        compiled = _dtc("dts", "dtb", answer.out.encode())
        assert _dtc("dtb", "dts", compiled) == _dtc("dtb", "dts", raw) != b""


def _dtc(source: str, target: str, content: bytes) -> bytes:
    command = ["dtc", "-q", "-I", source, "-O", target]
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout
