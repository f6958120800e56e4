"""`capture`: a moment as a folder that every verb reads."""

from pathlib import Path

import pytest

from tests.cli.run import Console
from tests.cli.test_documents import validate

ORIGIN = "linux-7.3.4/restored"


def test_a_capture_answers_as_its_origin(console: Console, tmp_path: Path) -> None:
    folder = str(tmp_path / "new")
    answer = console("capture", folder, "--source", ORIGIN, "--json")
    validate(answer.document, "captured")
    assert answer.document["scrambled"] is False
    pages = sum(item.stat().st_size for item in (tmp_path / "new/physmem").iterdir()) // 4096
    assert answer.document["pages"] == pages > 0
    was, now = (console("--source", name, "status", "--json") for name in (ORIGIN, folder))
    same, expected = now.document, was.document
    for document in (same, expected):
        document.pop("source")
    assert same == expected


def test_a_recording_goes_through_a_folder_and_back(console: Console, tmp_path: Path) -> None:
    first, second, folder = (str(tmp_path / name) for name in ("a.kho", "b.kho", "moment"))
    for name in ("linux-7.3.4/sessions", ORIGIN):
        assert console("record", first, "--source", name).code == 0
    assert console("--source", first, "--at", "start", "capture", folder).code == 0
    assert console("--source", folder, "record", second).code == 0
    assert (
        console("--source", second, "sessions", "--json").document
        == console("--source", "linux-7.3.4/sessions", "sessions", "--json").document
    )


def test_a_folder_with_something_in_it_is_left_alone(console: Console, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    for place in (tmp_path, tmp_path / "mine", tmp_path / "no/such"):
        answer = console("capture", str(place), "--source", ORIGIN)
        assert (answer.code, answer.out) == (3, "")
    assert [item.name for item in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("verb", ["status", "sessions", "preserved"])
def test_a_scrambled_capture_is_read_by_every_verb(
    console: Console, tmp_path: Path, verb: str
) -> None:
    folder = str(tmp_path / "new")
    assert console("capture", folder, "--scramble", "--source", "linux-7.3.4/ready").code == 0
    answer = console("--source", folder, verb)
    assert answer.code == 0
    assert "hv-17" not in answer.out and "vm-web" not in answer.out


def test_replay_wants_a_terminal(console: Console, tmp_path: Path) -> None:
    path = str(tmp_path / "a.kho")
    console("record", path, "--source", ORIGIN)
    answer = console("replay", path)
    assert (answer.code, answer.out) == (3, "")
    assert "no terminal here" in answer.err
