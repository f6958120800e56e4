"""What the terminal UI is opened with: a twin, a machine to look at, a machine to change."""

from argparse import Namespace
from pathlib import Path

import pytest

from kho_console.cli import main as command_line
from kho_console.cli import screen
from kho_console.config import places
from kho_console.engine.opening import DEMO, writable
from kho_console.tui.means import Means, Mode
from tests.engine.changeable import Changeable

RECORDING = "linux-6.18.15/cold"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Means, bool]]:
    """What the screen was started with, and whether its journal could be kept then."""
    found: list[tuple[Means, bool]] = []

    def start(source: object, settings: object, means: Means) -> int:
        kept = means.journal is not None and means.journal.parent.is_dir()
        found.append((means, kept))
        return 0

    monkeypatch.setattr(screen, "_no_terminal", lambda: False)
    monkeypatch.setattr("kho_console.tui.app.run", start)
    monkeypatch.setenv("TERM", "xterm-256color")
    return found


def run(*arguments: str) -> int:
    return command_line.main(["--no-config", *arguments])


def test_demo_and_rehearsal_are_twins_of_which_nothing_stays(
    opened: list[tuple[Means, bool]],
) -> None:
    assert run("demo") == 0
    assert run("--source", RECORDING, "--rehearse") == 0
    for (means, kept), name in zip(opened, (DEMO, RECORDING), strict=True):
        assert (means.mode, means.refusal, means.lock) == (Mode.TWIN, None, None)
        assert means.source.name == name
        assert writable(means.source) is not None
        assert kept and means.journal is not None and not means.journal.parent.exists()


def test_a_kept_twin_has_its_journal_beside_it(
    opened: list[tuple[Means, bool]], tmp_path: Path
) -> None:
    assert run("--source", RECORDING, "--twin", str(tmp_path / "twin")) == 0
    means, _ = opened[0]
    assert means.mode is Mode.TWIN
    assert means.journal == tmp_path / "twin.journal"
    assert means.writer is not None and means.writer.lock is not None


def test_a_recording_is_looked_at(opened: list[tuple[Means, bool]]) -> None:
    assert run("--source", RECORDING, "--write") == 0
    means, _ = opened[0]
    assert means.mode is Mode.READ_ONLY
    assert means.refusal is not None and "--rehearse" in means.refusal


@pytest.mark.parametrize("write", [False, True])
def test_a_live_machine_is_changed_with_write_only(
    opened: list[tuple[Means, bool]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    write: bool,
) -> None:
    monkeypatch.setattr(places, "journal_file", lambda: tmp_path / "journal")
    monkeypatch.setattr(places, "lock_file", lambda: tmp_path / "lock")
    monkeypatch.setattr(command_line, "open_source", lambda word: Changeable(RECORDING))
    assert run(*(["--write"] if write else [])) == 0
    means, _ = opened[0]
    assert means.lock == tmp_path / "lock"
    if write:
        assert (means.mode, means.refusal) == (Mode.WRITE, None)
        assert means.writer is not None and means.writer.journal is not None
    else:
        assert (means.mode, means.writer) == (Mode.READ_ONLY, None)
        assert means.refusal is not None and "--write" in means.refusal


def test_without_a_place_for_the_journal_nothing_is_changed(
    opened: list[tuple[Means, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "journal_file", lambda: None)
    monkeypatch.setattr(command_line, "open_source", lambda word: Changeable(RECORDING))
    assert run("--write") == 0
    means, _ = opened[0]
    assert means.mode is Mode.READ_ONLY
    assert means.refusal is not None and "journal" in means.refusal


def test_without_a_terminal_it_names_a_verb(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = Namespace(settings=None)
    assert screen.screen(Changeable(RECORDING), wanted) == 3
    assert "kho-console status" in capsys.readouterr().err
