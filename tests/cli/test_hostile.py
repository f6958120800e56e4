"""Whatever a machine holds, the command line never steers the terminal."""

import pytest

from tests.cli.run import Console
from tests.recordings import FIXTURES

HOSTILE = FIXTURES / "hostile"
VERBS = (
    ("status",),
    ("scratch",),
    ("blobs",),
    ("preserved", "--extents"),
    ("preserved", "--side", "in", "--residue"),
    ("sessions",),
    ("crash",),
    ("watch",),
    ("tree", "out"),
    ("tree", "in", "LUO"),
    ("tree", "\x1b[2J\n"),
    ("doctor",),
)


@pytest.mark.parametrize("name", sorted(item.name for item in HOSTILE.iterdir()))
def test_no_verb_prints_a_control_character(console: Console, name: str) -> None:
    source = str(HOSTILE / name)
    for verb in VERBS:
        for words in (verb, (*verb, "--json")):
            answer = console("--source", source, *words)
            # Device tree source is indented with tabs.
            printed = (answer.out + answer.err).replace("\n", "").replace("\t", "")
            assert printed.isprintable(), words
            assert answer.code in (0, 1, 3), words
            assert answer.out or answer.err, words


def test_a_mount_that_would_turn_the_terminal_red(console: Console) -> None:
    answer = console("status", "--source", str(HOSTILE / "mount-with-escapes"))
    assert r"seen: /mnt/\x1b[31mred/kho/out/finalize: 0" in answer.out
    assert "do:   Write 1 to /mnt/?[31mred/kho/out/finalize" in answer.out


def test_a_source_that_would_steer_the_terminal(console: Console) -> None:
    answer = console("status", "--source", "\x1b[31mred\udcff")
    assert answer.code == 3
    assert "kho-console: ?[31mred?: no such folder" in answer.err
    assert console("\x1b[31m").err.replace("\n", "").isprintable()


def test_a_blob_that_cannot_be_read_says_so(console: Console) -> None:
    source = str(HOSTILE / "names-with-escapes")
    lines = console("blobs", "--source", source).out.splitlines()
    bell = next(line for line in lines if r"\x07bell" in line)
    assert bell.split()[3:5] == ["not", "permitted"]
    blobs = console("blobs", "--json", "--source", source).document["outgoing"]
    assert [blobs[0][key] for key in ("size", "state")] == [None, None]
    assert "EACCES" in blobs[0]["size_reason"] and "EACCES" in blobs[0]["state_reason"]


def test_long_names_are_cut_in_tables_and_whole_in_documents(console: Console) -> None:
    source = str(HOSTILE / "names-with-escapes")
    answer = console("sessions", "--source", source)
    assert "n" * 62 + ".. " in answer.out
    assert "n" * 63 not in answer.out
    names = [item["name"] for item in console("sessions", "--json", "--source", source).document[
        "sessions"
    ]]  # fmt: skip
    assert names[1] == "n" * 5000
