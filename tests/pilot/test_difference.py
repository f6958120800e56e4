"""Two moments side by side."""

from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

from kho_console.engine.observer import Observer
from kho_console.engine.opening import open_source
from kho_console.tui.app import KhoConsole
from kho_console.tui.screens.difference import Difference
from kho_console.tui.section import Section
from tests.pilot.machines import bottom, console, open_screen, text
from tests.recordings import FIXTURES

SESSIONS = "linux-7.3.4/sessions"


async def compared(pilot: Pilot[int], screen: Section) -> str:
    """The text of the screen once nothing is being read or compared any more."""
    assert isinstance(screen, Difference)
    for _ in range(400):
        await pilot.pause(0.02)
        if not screen._busy:
            return text(screen)
    raise AssertionError("it never ended")


async def answer(pilot: Pilot[int], screen: Section, words: str) -> None:
    screen.query_one(Input).value = words
    await pilot.press("enter")


async def test_it_says_what_it_needs() -> None:
    async with console(SESSIONS).run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "D")
        assert "there is nothing to compare with yet" in text(screen)
        assert "= compare with  m mark" in bottom(screen)


async def test_a_named_moment() -> None:
    async with console(SESSIONS).run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "5", "equals_sign")
        assert screen.subject == "difference"
        await answer(pilot, screen, "linux-7.3.4/cold")
        shown = await compared(pilot, screen)
        assert "DIFFERENCE 14 differences: 12 added, 2 changed" in shown
        assert "   linux-7.3.4/cold       linux-7.3.4/sessions" in shown
        assert "preserved memory: 9" in shown
        line = next(item for item in shown.splitlines() if "memfd 0xdce000" in item)
        assert line.split()[:1] == ["+"] and "8.0 MiB" in line
        await pilot.press("slash")
        await answer(pilot, screen, "vm-web")
        shown = await compared(pilot, screen)
        assert "1 of 14" in shown and "sessions: 1" in shown and "memfd 0xdce000" not in shown


async def test_the_present_moment_can_be_marked() -> None:
    async with console(SESSIONS).run_test(size=(40, 15)) as pilot:
        screen = await open_screen(pilot, "D")
        await pilot.press("m")
        assert "DIFFERENCE the same" in await compared(pilot, screen)


async def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    async with console(SESSIONS).run_test(size=(120, 40)) as pilot:
        screen = await open_screen(pilot, "D")
        await pilot.press("equals_sign")
        await answer(pilot, screen, str(tmp_path / "none"))
        assert "no such folder" in await compared(pilot, screen)


async def test_another_moment_of_the_recording_that_is_shown() -> None:
    file = str(FIXTURES / "linux-6.18.15/live-update.khorec")
    app = KhoConsole(Observer(open_source(file)))
    async with app.run_test(size=(100, 24)) as pilot:
        screen = await open_screen(pilot, "D", "equals_sign")
        await answer(pilot, screen, "start")
        shown = await compared(pilot, screen)
        assert "15:12:57 moment:0" in shown and "moment:32" in shown
        await pilot.press("equals_sign")
        await answer(pilot, screen, "moment:99")
        assert "there is no moment 99" in await compared(pilot, screen)
