"""What a run holds against the machine after the kexec."""

from pathlib import Path

import pytest

from kho_console.engine.observe import observe
from kho_console.engine.runbook import evidence
from kho_console.engine.runbook.position import forbids
from kho_console.engine.verify import note_file
from kho_console.engine.verify.note import note
from kho_console.model.check import Result
from kho_console.model.runbook import Kind, Step
from kho_console.source.fixture import FixtureSource
from tests.recordings import folder

VERIFY = Step("verify", Kind.VERIFY, "look", "to know", file="before")


@pytest.mark.parametrize(
    ("now", "result", "words", "stops"),
    [
        ("retrieved", Result.WARNING, "nothing is known to be missing; ", False),
        ("cold", Result.FAIL, "same boot", True),
    ],
)
def test_what_cannot_be_known_is_not_taken_for_arrived(
    tmp_path: Path, now: str, result: Result, words: str, stops: bool
) -> None:
    before, after = (FixtureSource(folder(f"linux-7.3.4/{name}")) for name in ("sessions", now))
    made, _ = note(before, observe(before))
    note_file.write(made, tmp_path / "before.note")
    arrival, *items = evidence.verify(after, tmp_path, "before", any_host=True)
    assert (arrival.id, arrival.result) == (evidence.ARRIVAL, result)
    assert arrival.text.startswith(words)
    assert any(item.result is Result.UNKNOWN for item in items) is (result is Result.WARNING)
    assert forbids(VERIFY, arrival) is stops


def test_without_a_note_nothing_has_arrived(tmp_path: Path) -> None:
    source = FixtureSource(folder("linux-7.3.4/retrieved"))
    (arrival,) = evidence.verify(source, tmp_path, "before")
    assert (arrival.result, forbids(VERIFY, arrival)) == (Result.UNKNOWN, True)
