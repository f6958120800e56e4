"""Pictures go to the state folder and nowhere else."""

import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.pilot.machines import bottom, console, open_screen

README = (("overview", "1", "dark"), ("preserved", "4", "light"))

WRITE = "KHO_CONSOLE_WRITE_PICTURES"
"""Environment variable: write the pictures anew."""


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


@pytest.mark.parametrize(("name", "key", "theme"), README, ids=lambda value: str(value))
async def test_the_pictures_of_the_readme_are_what_the_console_draws(
    name: str, key: str, theme: str
) -> None:
    picture = Path(__file__).parent / "pictures" / f"{name}.svg"
    readme = Path(__file__).resolve().parents[2] / "README.md"
    assert f"(tests/pilot/pictures/{name}.svg)" in readme.read_text()
    app = console("linux-7.3.4/ready", theme=theme)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_screen(pilot, key)
        drawn = pilot.app.export_screenshot(title="kho-console")
    if os.environ.get(WRITE):
        picture.write_text(drawn)
    assert _words(drawn) == _words(picture.read_text())


def _words(svg: str) -> list[str]:
    """The text of a picture, piece by piece."""
    found = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return [item.text or "" for item in found]
