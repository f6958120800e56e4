"""Exit codes, messages and text output of the command line."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.run import Console
from tests.engine.machines import edited
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


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("linux-7.3.4/ready", "HANDOVER   ready: an image is loaded, "),
        ("linux-7.3.4/sessions", "HANDOVER   not yet: no image is loaded"),
        ("linux-6.18.15/loaded-first", "HANDOVER   not yet: the image was loaded while "),
    ],
)
def test_status_begins_with_the_verdict(console: Console, name: str, first: str) -> None:
    answer = console("status", "--source", name)
    assert answer.out.startswith(first)
    verdict = console("status", "--json", "--source", name).document["verdict"]
    assert answer.out.startswith(f"HANDOVER   {verdict['standing']}: {verdict['sentence']}\n")
    assert f"\n           {verdict['detail']}\n" in answer.out


def test_status_counts_its_findings(console: Console) -> None:
    answer = console("status", "--source", SESSIONS)
    printed = [line for line in answer.out.splitlines() if line.startswith(("warning:", "info:"))]
    warnings = sum(line.startswith("warning:") for line in printed)
    assert f"findings   {warnings} warnings, {len(printed) - warnings} notes\n" in answer.out


def test_what_is_not_known_is_left_out_or_explained_but_never_none(console: Console) -> None:
    answer = console("status", "--source", "linux-6.18.15/restored")
    assert "booted     through a handover\n" in answer.out
    answer = console("status", "--source", "linux-7.1.13/restored")
    assert "booted     through a handover, from 7.1.13, number 1 since a cold boot\n" in answer.out
    assert "outgoing   tree not shown; blobs LUO, kexec-metadata, memblock; " in answer.out
    assert "sessions   3 sessions of the previous kernel waiting\n" in answer.out
    cold = console("status", "--source", "linux-7.3.4/cold").out
    assert "incoming   none: this kernel did not come through a handover\n" in cold


def test_status_and_crash_use_the_same_words(console: Console) -> None:
    for name, words in (
        ("linux-7.3.4/crash-loaded", "armed"),
        ("linux-7.3.4/cold", "not armed: no image is loaded"),
    ):
        assert f"\ncrash      {words}\n" in console("status", "--source", name).out
        assert console("crash", "--source", name).out.startswith(f"crash         {words}\n")


def test_blobs_of_both_sides_stand_in_one_table(console: Console) -> None:
    lines = console("blobs", "--source", "linux-7.1.13/restored").out.splitlines()
    heads = lines[0].split()
    assert heads == ["side", "blob", "format", "compatible", "size", "address", "state"]
    assert [line.split()[:2] for line in lines[1:]] == [
        [side, name] for side in ("out", "in") for name in ("LUO", "kexec-metadata", "memblock")
    ]
    assert len({line.index("valid") for line in lines[1:]}) == 1


def test_the_outgoing_side_comes_first_also_where_it_has_no_blob(console: Console) -> None:
    lines = console("blobs", "--source", "linux-6.18.15/restored").out.splitlines()
    assert lines[0] == "out   no blob"
    assert lines[2].startswith("in    memblock ")


def test_preserved_begins_with_what_each_owner_has(console: Console) -> None:
    lines = console("preserved", "--source", SESSIONS).out.splitlines()
    assert lines[0] == "15.2 MiB (15,896,576 bytes) in 49 ranges"
    assert lines[2].split() == ["bytes", "extents", "owner"]
    rows = [line.split(maxsplit=2) for line in lines[3 : lines.index("", 3)]]
    assert rows[1] == ["4,194,304", "1", "reserve_mem oops"]
    assert rows[2] == ["2,097,152", "44", "memfd 2.0 MiB, session unknown"]
    assert sum(int(size.replace(",", "")) for size, _, _ in rows) == 15896576
    assert len(lines) == 3 + len(rows) + 1 + 49


def test_sessions_tell_why_files_are_not_known(console: Console) -> None:
    answer = console("sessions", "--source", SESSIONS)
    assert answer.out.startswith("3 sessions\n3 memory files of 10.1 MiB preserved\n")
    assert answer.out.count("the kernel writes files and tokens at the kexec itself") == 1
    answer = console("sessions", "--source", "linux-7.1.13/retrieved")
    assert answer.out.startswith("1 session of unknown direction; whether any of the previous")
    assert "  not shown\n" in answer.out
    assert "none" not in answer.out
    answer = console("sessions", "--source", "linux-7.1.13/restored")
    assert answer.out.splitlines()[-1].split() == ["empty", "incoming", "nobody", "none"]


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


def test_a_mistyped_source_is_answered_with_the_nearest_one_first(console: Console) -> None:
    answer = console("status", "--source", "linux-7.3/sesions")
    assert (answer.code, answer.out) == (3, "")
    first, nearest, *others = answer.err.splitlines()
    assert first.startswith("kho-console: linux-7.3/sesions: no such folder")
    assert nearest.split()[-1] == SESSIONS
    named = [SESSIONS, *(line.split()[-1] for line in others)]
    assert len(set(named)) == len(named)
    assert set(named) > {*RECORDINGS, "linux-7.3.4/live-update", "made/pkram-v3"}


@pytest.mark.parametrize("words", ["--sorce live status", "status --sorce=live", "--sorce x y"])
def test_an_unknown_option_is_named(console: Console, words: str) -> None:
    answer = console(*words.split())
    assert answer.code == 2
    assert "unknown option '--sorce'; the nearest is --source" in answer.err


def test_what_is_no_unknown_option_is_told_as_it_is(console: Console) -> None:
    assert "invalid choice: 'statsu'" in console("--sour", "live", "statsu").err
    assert "unrecognized arguments: --json" in console("--json", "status").err


def test_nothing_to_show_is_an_answer_too(console: Console, tmp_path: Path) -> None:
    edited(SESSIONS, {"/sys/kernel/debug/kho": None})(tmp_path)
    for verb in ("status", "scratch", "blobs", "sessions", "crash"):
        answer = console(verb, "--source", str(tmp_path / "machine"))
        assert (answer.code, answer.err) == (0, "")
        assert answer.out
    for verb in ("preserved", "tree"):
        answer = console(verb, "--source", str(tmp_path / "machine"))
        assert (answer.code, answer.out) == (3, "")


def test_a_kernel_built_without_live_update_is_said_to_be(console: Console) -> None:
    answer = console("sessions", "--source", "linux-6.18.15/ready")
    assert answer.out == "no session; this kernel is built without live update\n"
    assert (
        "preserved not finalized yet\n" in console("status", "--source", "linux-6.18.15/cold").out
    )


def test_usage_errors(console: Console) -> None:
    assert console("no-such-verb").code == 2
    assert console("preserved", "--side", "up", "--source", SESSIONS).code == 2
    assert console("preserved", "--residue", "--source", SESSIONS).code == 2
    answer = console("tree", "up", "LUO", "--source", SESSIONS)
    assert answer.code == 2
    assert "the side is out or in, not 'up'" in answer.err


def test_a_tree_without_a_side_is_the_outgoing_one(console: Console) -> None:
    named = console("tree", "memblock", "--source", SESSIONS)
    assert named.code == 0
    assert named.out == console("tree", "out", "memblock", "--source", SESSIONS).out


def test_without_a_terminal_the_screen_names_the_verb(console: Console) -> None:
    answer = console("demo")
    assert answer.code == 3
    assert "kho-console status" in answer.err


def test_a_struct_blob_has_no_device_tree_source(console: Console) -> None:
    answer = console("tree", "out", "LUO", "--source", SESSIONS)
    assert answer.code == 3
    assert "no device tree" in answer.err
    assert "--json prints its decoded values, --raw its bytes" in answer.err
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
        if len(raw) < int.from_bytes(raw[4:8], "big"):
            # 6.19 before finalize: the window cuts into the structure, which dtc refuses.
            assert b"compatible" in _dtc("dtb", "dts", compiled)
            continue
        assert _dtc("dtb", "dts", compiled) == _dtc("dtb", "dts", raw) != b""


def _dtc(source: str, target: str, content: bytes) -> bytes:
    command = ["dtc", "-q", "-I", source, "-O", target]
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout
