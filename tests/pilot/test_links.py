"""From a line to what it is about, by key and by mouse."""

import pytest
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from kho_console.engine.diagnose import CATALOGUE
from kho_console.tui import rooms
from kho_console.tui.commands import COMMANDS, SCREENS, SECTIONS, available
from kho_console.tui.palette import TableCommands
from kho_console.tui.rows import plain
from kho_console.tui.screens.help import help_rows
from kho_console.tui.section import Section
from kho_console.tui.widgets.lines import Lines
from tests.pilot.machines import bottom, console, open_screen, seen, text
from tests.pilot.test_screens import KEYS

READY = "linux-7.3.4/ready"


def chosen(screen: Section, name: str = "list") -> str:
    lines = screen.query_one(f"#{name}", Lines)
    return plain(lines.source.row(lines.cursor)).strip()


async def go_to(pilot: Pilot[int], screen: Section, beginning: str) -> None:
    lines = screen.query_one("#list", Lines)
    rows = [plain(lines.source.row(at)).strip() for at in range(len(lines.source))]
    lines.go(next(at for at, found in enumerate(rows) if found.startswith(beginning)))
    await pilot.pause()


@pytest.mark.parametrize(
    ("line", "subject", "there"),
    [
        ("HANDOVER", "findings", ""),
        ("· tree-window", "findings", "· tree-window"),
        ("CARRIES", "preserved", ""),
        ("CAME FROM", "blobs", "root tree      kho-v4"),
        ("SCRATCH", "scratch", ""),
        ("CRASH", "crash", ""),
        ("EVENTS", "crash", ""),
    ],
)
async def test_enter_goes_from_the_answer_to_its_evidence(
    line: str, subject: str, there: str
) -> None:
    name = "linux-7.3.4/restored" if line == "CAME FROM" else READY
    async with console(name).run_test(size=(80, 24)) as pilot:
        await go_to(pilot, await seen(pilot), line)
        screen = await open_screen(pilot, "enter")
        assert screen.subject == subject
        assert chosen(screen).startswith(there)
        assert (await open_screen(pilot, "escape")).subject == "overview"


async def test_enter_on_a_line_about_nothing_says_so() -> None:
    async with console(READY).run_test(size=(80, 24)) as pilot:
        screen = await seen(pilot)
        await go_to(pilot, screen, "───")
        await pilot.press("enter")
        await pilot.pause()
        assert "nothing to go to" in bottom(screen)


def test_every_finding_has_a_screen() -> None:
    assert set(rooms.SCREENS) == {rule.about for rule in CATALOGUE}
    assert set(rooms.SCREENS.values()) <= set(SCREENS)


@pytest.mark.parametrize(
    ("name", "finding", "subject", "there"),
    [
        (READY, "· scratch-zero", "scratch", "global"),
        (READY, "· tree-window", "blobs", "root tree"),
        ("linux-7.3.4/retrieved", "· blob-stale", "blobs", "LUO            stale"),
        (READY, "· device-held", "sessions", ""),
        (READY, "· stateless", "overview", ""),
    ],
)
async def test_enter_on_a_finding_goes_to_its_subject(
    name: str, finding: str, subject: str, there: str
) -> None:
    async with console(name).run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "8")
        await go_to(pilot, screen, finding)
        screen = await open_screen(pilot, "enter")
        assert screen.subject == subject
        assert chosen(screen).startswith(there)


@pytest.mark.parametrize("subject", SECTIONS)
async def test_a_click_chooses_a_line(subject: str) -> None:
    async with console("linux-7.1.13/hotplugged").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, KEYS[subject])
        lines = screen.query_one("#list", Lines)
        lines.go(0)
        await pilot.pause()
        assert await pilot.click(lines, offset=(3, 1))
        await pilot.pause()
        assert lines.cursor == 1


@pytest.mark.parametrize("subject", ["overview", "doctor", "log", "help"])
async def test_the_wheel_scrolls_a_list(subject: str) -> None:
    async with console("linux-7.1.13/hotplugged").run_test(size=(40, 15)) as pilot:
        screen = await open_screen(pilot, KEYS[subject])
        lines = screen.query_one("#list", Lines)
        lines.go(0)
        await pilot.pause()
        for event, direction in ((MouseScrollDown, 1), (MouseScrollUp, -1)):
            before = lines.scroll_offset.y
            await pilot._post_mouse_events([event], lines, offset=(3, 1))
            await pilot.pause()
            assert (lines.scroll_offset.y - before) * direction > 0


@pytest.mark.parametrize("subject", SECTIONS)
async def test_every_command_has_help_and_stands_in_the_palette(subject: str) -> None:
    async with console(READY).run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, KEYS[subject])
        hits = [hit async for hit in TableCommands(screen).discover()]
        assert {hit.help for hit in hits} == {item.help for item in COMMANDS}
        here = {key for item in available(subject) for key in item.keys}
        bound = set(screen.active_bindings)
        assert here <= bound, here - bound


@pytest.mark.parametrize("subject", SECTIONS)
def test_help_begins_with_the_screen_that_one_came_from(subject: str) -> None:
    shown = [plain(found) for found in help_rows(subject, 120, COMMANDS)]
    own = [item for item in COMMANDS if subject in item.screens and item.screens != SCREENS]
    first = f" on this screen, {subject.capitalize()}" if own else " on every screen"
    assert shown[0] == first
    behind = shown.index(" on every screen")
    assert all(any(item.title in line for line in shown[:behind]) for item in own)
    text_of_all = " ".join(" ".join(shown).split())
    for item in COMMANDS:
        assert f"{' '.join(item.signs)} {item.title} {item.help}" in text_of_all


async def test_help_is_of_the_screen_below_each_time_it_is_opened() -> None:
    async with console(READY).run_test(size=(80, 24)) as pilot:
        await open_screen(pilot, "3")
        assert "on this screen, Blobs" in text(await open_screen(pilot, "question_mark"))
        await open_screen(pilot, "escape", "5")
        assert "on this screen, Sessions" in text(await open_screen(pilot, "question_mark"))
