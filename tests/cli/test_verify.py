"""The verbs `record --handover` and `verify`."""

import json
from pathlib import Path

import pytest

from tests.cli.run import Console
from tests.cli.test_documents import validate

READY, RESTORED = "linux-7.3.4/ready", "linux-7.3.4/restored"


@pytest.fixture
def note(console: Console, tmp_path: Path) -> str:
    file = str(tmp_path / "note.json")
    assert console("--source", READY, "record", "--handover", file).code == 0
    return file


def test_a_note_and_what_became_of_it(console: Console, note: str) -> None:
    found = console("--source", RESTORED, "verify", note)
    lines = found.out.splitlines()
    told = "VERIFY  nothing is known to be missing; 1 cannot be known"
    assert (found.code, lines[0]) == (0, told)
    assert "arrived and unchanged: 2" in lines
    assert "    blob kexec-metadata  73 B: its content has the same checksum" in lines
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("name", "code", "standing"),
    [
        (RESTORED, 0, "verified"),
        ("linux-7.3.4/retrieved", 0, "verified in part"),
        (READY, 3, "same boot"),
        ("linux-7.2.13/restored", 4, "other host"),
        ("linux-7.1.13/cold", 1, "no handover"),
    ],
)
def test_documents_and_codes(
    console: Console, note: str, name: str, code: int, standing: str
) -> None:
    answer = console("--source", name, "verify", note, "--json")
    validate(answer.document, "verification")
    assert (answer.code, answer.document["standing"]) == (code, standing)


def test_what_owners_declare(console: Console, tmp_path: Path) -> None:
    keep, file = tmp_path / "keep.toml", str(tmp_path / "note.json")
    keep.write_text('[[keep]]\nname = "db"\nsession = "vm-db"\ntokens = [0x2002]\n')
    words = ("record", "--handover", file, "--inventory", str(keep))
    answer = console("--source", READY, *words, "--json")
    validate(answer.document, "handover_note")
    assert answer.code == 0
    found = console("--source", RESTORED, "verify", file)
    assert found.code == 1
    assert "    session vm-db: it came in without the declared tokens 0x2002" in found.out
    keep.write_text('[[keep]]\nname = "db"\nblob = "DB"\n')
    doubted = console("--source", READY, *words)
    assert doubted.code == 1
    assert "blob DB is declared, and this kernel does not hand it over" in doubted.err
    keep.write_text('[[keep]]\nname = "db"\n')
    assert console("--source", READY, *words).code == 2


def test_what_cannot_be_noted_or_read(console: Console, note: str, tmp_path: Path) -> None:
    assert console("--source", READY, "verify", str(tmp_path / "none")).code == 3
    assert console("--source", READY, "verify", "/dev/null").code == 3
    recording = tmp_path / "machine.rec"
    recording.write_bytes(b"not a note")
    assert console("--source", READY, "record", "--handover", str(recording)).code == 4
    assert recording.read_bytes() == b"not a note"
    nothing = console("--source", "linux-6.18.15/cold", "record", "--handover", note)
    assert nothing.code == 1
    assert "hands nothing over now" in nothing.err
    assert json.loads(Path(note).read_text())["items"] == []
    found = console("--source", "linux-6.18.15/restored", "verify", note)
    assert (found.code, found.out.splitlines()[0]) == (
        3,
        "VERIFY  the note names nothing: nothing can be verified",
    )


def test_an_inventory_is_for_a_note(console: Console, tmp_path: Path) -> None:
    words = ("--source", READY, "record", str(tmp_path / "x.rec"), "--inventory", "keep.toml")
    assert console(*words).code == 2
