"""One table gives keys, bottom line, palette and help."""

from collections import Counter

import pytest
from rich.segment import Segment
from textual.binding import Binding
from textual.command import CommandList, CommandPalette
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from kho_console.config.settings import Settings
from kho_console.engine.observer import Observer
from kho_console.source.fixture import FixtureSource
from kho_console.tui import commands
from kho_console.tui.app import KhoConsole
from kho_console.tui.commands import COMMANDS, SCREENS, SECTIONS, available, bindings, bottom_line
from kho_console.tui.palette import TableCommands
from kho_console.tui.rows import plain
from kho_console.tui.screens.help import Help
from kho_console.tui.section import Section
from kho_console.tui.widgets.keys import keys
from tests.pilot.machines import NEVER, console, open_screen, seen, text, until
from tests.recordings import folder


def test_every_command_has_a_title_a_help_and_a_name_of_its_own() -> None:
    assert all(item.title and item.help.endswith(".") and item.keys for item in COMMANDS)
    assert max(Counter(item.id for item in COMMANDS).values()) == 1


@pytest.mark.parametrize("screen", SCREENS)
def test_no_key_has_two_meanings_on_a_screen(screen: str) -> None:
    used = Counter(key for item in available(screen) for key in item.keys)
    assert not [key for key, times in used.items() if times > 1]


def test_no_key_needs_alt_or_ctrl_shift() -> None:
    used = {key for item in COMMANDS for key in item.keys}
    assert not [key for key in used if "alt+" in key or "ctrl+shift" in key]
    assert {key for key in used if key.startswith("ctrl+")} <= {"ctrl+p", "ctrl+q", "ctrl+c"}


@pytest.mark.parametrize("screen", SCREENS)
async def test_every_binding_comes_from_the_table(screen: str) -> None:
    command = next(item for item in COMMANDS if item.id == screen)
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        shown = await open_screen(pilot, command.keys[0])
        found = {
            (binding.key, binding.action)
            for node in (shown, *shown.query("Panel, Lines"))
            for binding in _bindings_of(node)
        }
        own = {(key, item.action) for item in COMMANDS if screen in item.screens
               for key in item.keys}  # fmt: skip
        assert found == own
        everywhere = {(key, item.action) for item in COMMANDS if not item.screens
                      for key in item.keys}  # fmt: skip
        app_bindings = {(item.key, item.action) for item in _bindings_of(pilot.app)}
        assert app_bindings == everywhere


@pytest.mark.parametrize("screen", SCREENS)
def test_every_action_exists(screen: str) -> None:
    for item in available(screen):
        name = item.action.partition("(")[0]
        owner = KhoConsole.SCREENS[screen]() if screen in item.screens else KhoConsole
        assert hasattr(owner, f"action_{name}"), item.id


def test_bindings_are_one_for_each_key() -> None:
    assert len(bindings()) == sum(len(item.keys) for item in COMMANDS if not item.screens)


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("screen", SCREENS)
def test_the_bottom_line_fits_and_is_not_cut(screen: str, width: int) -> None:
    line = plain(keys(screen, width))
    assert len(line) <= width
    words = [f"{signs} {word}" for signs, word in bottom_line(screen)]
    assert any(line.endswith(item) for item in words)


@pytest.mark.parametrize("width", [40, 80])
def test_help_and_quit_stand_in_every_bottom_line(width: int) -> None:
    for screen in SCREENS:
        assert " ".join(plain(keys(screen, width)).split()).endswith("? help q quit"), screen


def test_the_bottom_line_names_the_keys_that_there_are() -> None:
    assert ("1-9 0", "screens") in bottom_line("sessions")
    keys_of_sections = [int(item.keys[0]) for item in COMMANDS if item.id in SECTIONS]
    assert keys_of_sections == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]


async def test_help_lists_all_commands() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(120, 200)) as pilot:
        screen = await open_screen(pilot, "question_mark")
        assert isinstance(screen, Help)
        shown = " ".join(screen.lines().text.split())
        for item in COMMANDS:
            assert f"{' '.join(item.signs)} {item.title} {item.help}" in shown


async def test_escape_leaves_help_for_the_screen_before() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        await open_screen(pilot, "5")
        assert (await open_screen(pilot, "f1")).subject == "help"
        assert (await open_screen(pilot, "escape")).subject == "sessions"
        assert (await open_screen(pilot, "escape")).subject == "overview"
        assert (await open_screen(pilot, "escape")).subject == "overview"


@pytest.mark.parametrize("key", ["colon", "ctrl+p"])
async def test_the_palette_runs_a_command(key: str) -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        await seen(pilot)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, CommandPalette))
        await pilot.press(*"doctor")
        await until(pilot, lambda: _found(pilot.app.screen))
        await pilot.press("down", "enter")
        await until(pilot, lambda: getattr(pilot.app.screen, "subject", "") == "doctor")


@pytest.mark.parametrize("name", ["dark", "mono", "ascii"])
async def test_the_palette_needs_neither_colours_nor_other_than_ascii_frames(name: str) -> None:
    """What is chosen is underlined where there are no colours; frames keep to ASCII on demand."""
    look = Settings(mono=name == "mono", ascii=name == "ascii", interval=NEVER)
    app = KhoConsole(Observer(FixtureSource(folder("linux-7.3.4/ready"))), settings=look)
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot)
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(pilot.app.screen, CommandPalette))
        await until(pilot, lambda: _found(pilot.app.screen))
        palette = pilot.app.screen
        found = palette.query_one(CommandList)
        await pilot.press("down")
        await pilot.pause()
        assert found.highlighted is not None
        underlined = [
            at for at in range(found.size.height) if any(map(_underlined, found.render_line(at)))
        ]
        assert underlined == ([2, 3] if name == "mono" else [])
        cursor = palette.query_one(Input).get_component_rich_style("input--cursor")
        assert cursor.reverse or name != "mono"
        edges = {
            kind
            for widget in palette.walk_children(with_self=True)
            if isinstance(widget, Widget) and widget.size.area
            for kind, _ in widget.styles.border
        }
        assert (edges <= {"", "none", "hidden", "blank", "ascii"}) is (name == "ascii")
        assert (found.scrollbar_size_vertical == 0) is (name == "ascii")


def _underlined(segment: Segment) -> bool:
    return bool(segment.style and segment.style.underline and segment.text.strip())


async def test_the_palette_has_the_commands_of_the_screen_below() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "3")
        hits = [hit async for hit in TableCommands(screen).discover()]
        sections = [item for item in COMMANDS if item.id in SCREENS]
        moving = [item for item in COMMANDS if item.screens == SCREENS]
        rest = [item for item in available("blobs") if item not in (*sections, *moving)]
        away = [item for item in COMMANDS if item not in available("blobs")]
        assert [hit.text for hit in hits] == [
            f"{item.title}{place} ({' '.join(item.signs)})"
            for item in (*sections, *rest, *away, *moving)
            for place in [f" on {item.screens[0].capitalize()}" if item in away else ""]
        ]
        assert [hit.help for hit in hits] == [
            item.help for item in (*sections, *rest, *away, *moving)
        ]
        found = [hit async for hit in TableCommands(screen).search("Device tree")]
        assert [hit.help for hit in found] == ["Show the tree as values or as source."]


async def test_a_command_of_a_screen_runs_from_the_palette() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "3")
        hits = [hit async for hit in TableCommands(screen).search("Device tree")]
        await hits[0].command()
        await pilot.pause()
        assert "/dts-v1/;" in screen.query_one("#values").text  # type: ignore[attr-defined]


async def test_a_command_of_another_screen_goes_there_first() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await seen(pilot)
        hits = [hit async for hit in TableCommands(screen).search("Owners on Preserved")]
        await hits[0].command()
        screen = await seen(pilot)
        assert screen.subject == "preserved"
        assert "1 of 14" in text(screen)
        assert (await open_screen(pilot, "escape", "escape")).subject == "overview"


async def test_quit_answers_0() -> None:
    app = console("linux-7.3.4/ready")
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot)
        await pilot.press("q")
    assert app.return_value == 0


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+q"])
@pytest.mark.parametrize("opened", ["colon", "slash"])
async def test_what_leaves_leaves_everywhere(key: str, opened: str) -> None:
    app = console("linux-7.3.4/ready")
    async with app.run_test(size=(80, 24)) as pilot:
        await open_screen(pilot, "4")
        await pilot.press(opened)
        await until(pilot, lambda: isinstance(pilot.app.focused, Input))
        await pilot.press("q", key)
        await pilot.pause()
    assert app.return_value == 0


def test_screens_are_named_as_the_table_has_them() -> None:
    assert tuple(KhoConsole.SCREENS) == commands.SCREENS
    for name, make in KhoConsole.SCREENS.items():
        screen = make()
        assert isinstance(screen, Section)
        assert screen.subject == name


def _bindings_of(node: DOMNode) -> list[Binding]:
    return [item for found in node._bindings.key_to_bindings.values() for item in found]


def _found(screen: Screen[object]) -> bool:
    return screen.query_one(CommandList).option_count > 0
