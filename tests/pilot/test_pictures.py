"""Pictures go to the state folder and nowhere else."""

from pathlib import Path

import pytest

from tests.pilot.machines import bottom, console, open_screen


async def test_a_picture_is_written_under_a_free_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4", "S", "S")
        await pilot.pause()
        folder = tmp_path / "kho-console"
        assert sorted(found.name for found in tmp_path.rglob("*.svg")) == [
            "preserved-1.svg",
            "preserved-2.svg",
        ]
        assert f"written: {folder}" in bottom(screen)
        assert "15.2" in (folder / "preserved-1.svg").read_text()
        assert folder.stat().st_mode & 0o077 == 0
        await pilot.press("down")
        assert "written" not in bottom(screen)


async def test_a_picture_that_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kho-console").write_text("a file is in the way")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4", "S")
        await pilot.pause()
        assert "no picture: " in bottom(screen)
