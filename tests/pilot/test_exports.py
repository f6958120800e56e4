"""Views and screens as files."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from kho_console.tui import exports
from kho_console.tui.commands import COMMANDS, SCREENS
from kho_console.tui.section import Section
from tests.cli.test_documents import validate
from tests.pilot.machines import bottom, console, open_screen, until

KINDS = {
    "overview": "status",
    "scratch": "scratch",
    "blobs": "blobs",
    "preserved": "extents",
    "sessions": "sessions",
    "handover": "status",
    "crash": "crash",
    "findings": "status",
    "doctor": "checks",
    "runbook": "runbooks",
}
KEYS = {item.id: item.keys[0] for item in COMMANDS if item.id in SCREENS}


async def written(pilot: Pilot[int], screen: Section, path: Path) -> None:
    await until(pilot, lambda: f"written: {path}" in bottom(screen))


async def test_every_view_is_exported_as_its_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with console("linux-7.3.4/ready").run_test(size=(160, 24)) as pilot:
        for subject, key in KEYS.items():
            screen = await open_screen(pilot, key, "E")
            path = tmp_path / "kho-console" / f"{subject}-1.json"
            if subject in KINDS:
                await written(pilot, screen, path)
                validate(json.loads(path.read_text()), KINDS[subject])
            else:
                assert "no document of this screen" in bottom(screen)


async def test_every_screen_is_exported_as_the_text_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with console("linux-7.3.4/ready").run_test(size=(100, 30)) as pilot:
        for subject, key in KEYS.items():
            screen = await open_screen(pilot, key, "T")
            path = tmp_path / "kho-console" / f"{subject}-1.txt"
            await written(pilot, screen, path)
            lines = path.read_text().splitlines()
            assert len(lines) == 30
            assert lines[0].startswith(" hv-17  7.3.4 x86_64")
            assert max(map(len, lines)) <= 100
            assert " ".join(lines[-1].split()).endswith("? help q quit")
        blobs = (tmp_path / "kho-console" / "blobs-1.txt").read_text()
        # Two panes side by side stay side by side.
        assert any("memblock" in line and "│" in line for line in blobs.splitlines())


async def test_a_screen_without_a_list_to_export_tells_what_there_is() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        for subject, key in KEYS.items():
            if subject != "preserved":
                screen = await open_screen(pilot, key, "e")
                words = "no list to export here; E writes JSON, T writes text, S writes a picture"
                assert words in bottom(screen)


def test_a_file_is_there_as_a_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def pieces() -> Iterator[str]:
        yield "the first half"
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        exports.write("overview", "json", pieces())
    folder = tmp_path / "kho-console"
    assert list(folder.iterdir()) == []
    (folder / "overview-1.json").symlink_to(tmp_path / "elsewhere")
    path = exports.write("overview", "json", ["1", "2"])
    assert path == folder / "overview-2.json"
    assert path.read_text() == "12"
    assert path.stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "elsewhere").exists()
