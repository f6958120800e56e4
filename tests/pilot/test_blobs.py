"""The Blobs screen: finding, comparing, copying, panes."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from kho_console.config.settings import Settings
from kho_console.engine.observer import Observer
from kho_console.source.fixture import FixtureSource
from kho_console.tui.app import KhoConsole
from kho_console.tui.rows import plain
from kho_console.tui.section import Section
from kho_console.tui.widgets.lines import Lines
from tests.engine.machines import edited
from tests.fixture_folder import KHO
from tests.pilot.machines import NEVER, bottom, console, open_screen, seen, text
from tests.pilot.test_links import chosen

READY = "linux-7.3.4/ready"
RESTORED = "linux-7.1.13/restored"


async def find(pilot: Pilot[int], words: str) -> Section:
    await pilot.press("slash")
    await pilot.press(*("space" if letter == " " else letter for letter in words), "enter")
    await pilot.pause()
    return await seen(pilot)


@pytest.mark.parametrize(
    ("words", "entry", "value"),
    [
        ("trace", "memblock", "/trace"),
        ("/oops/size", "memblock", "size               4.0 MiB"),
        ("0x6e800000", "memblock", "start              0x0000_6e80_0000"),
        ("6E80_0000", "memblock", "start              0x0000_6e80_0000"),
        ("1048576", "memblock", "size               1.0 MiB"),
        ("7.3.4", "kexec-metadata", "previous_release       7.3.4"),
        ("RESERVE-mem", "memblock", "compatible         reserve-mem-v1"),
    ],
)
async def test_words_are_found_in_paths_and_values(words: str, entry: str, value: str) -> None:
    async with console(READY).run_test(size=(120, 40)) as pilot:
        await open_screen(pilot, "3")
        screen = await find(pilot, words)
        assert chosen(screen).startswith(entry)
        assert chosen(screen, "values").startswith(value)
        assert "n next, N previous" in bottom(screen)


async def test_n_and_shift_n_go_round() -> None:
    async with console(READY).run_test(size=(80, 24)) as pilot:
        await open_screen(pilot, "3")
        screen = await find(pilot, "memblock")
        places = [(chosen(screen).split()[0], chosen(screen, "values"))]
        for key in ("n", "n", "n", "N", "N"):
            await pilot.press(key)
            await pilot.pause()
            places.append((chosen(screen).split()[0], chosen(screen, "values").split()[0]))
        assert places[0][0] == "root"
        assert [item[0] for item in places[1:4]] == ["root", "root", "memblock"]
        assert places[4] == places[2]
        assert places[5] == places[1]
        await find(pilot, "nowhere at all")
        assert "nowhere at all is nowhere here" in bottom(screen)


async def test_what_nobody_looked_for() -> None:
    async with console(READY).run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "3", "n")
        assert "/ asks for words" in bottom(screen)


async def test_the_path_of_a_value_is_copied_and_said() -> None:
    async with console(READY).run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "3", "y")
        assert (pilot.app.clipboard, bottom(screen)) == ("out/fdt", " copied: out/fdt")
        await find(pilot, "/oops/start")
        await pilot.press("y")
        assert pilot.app.clipboard == "out/sub_fdts/memblock:/oops/start"
        await pilot.press("left", "home", "y")
        await pilot.pause()
        assert pilot.app.clipboard == "out"


async def test_a_hostile_name_is_copied_escaped() -> None:
    async with console("hostile/names-with-escapes").run_test(size=(80, 24)) as pilot:
        await open_screen(pilot, "3", "down", "y")
        assert pilot.app.clipboard.isprintable()
        assert "\\x" in pilot.app.clipboard


async def test_in_is_compared_with_out_value_by_value() -> None:
    async with console(RESTORED).run_test(size=(120, 40)) as pilot:
        screen = await open_screen(pilot, "3", "down", "equals_sign")
        shown = text(screen)
        assert "LUO: in against out" in shown
        assert "3 changed, 6 the same" in shown
        values = screen.query_one("#values", Lines)
        rows = [plain(values.source.row(at)) for at in range(len(values.source))]
        assert rows[:3] == [
            "~ /liveupdate-number",
            "    in   1  native u64",
            "    out  2  native u64",
        ]
        assert rows[-1].startswith("= /luo-flb/compatible")
        assert not screen.query_one("#bytes").display
        await pilot.press("escape")
        await pilot.pause()
        assert "in against out" not in text(screen)


async def test_the_blobs_of_both_sides_are_compared_by_name() -> None:
    async with console("linux-7.3.4/retrieved").run_test(size=(120, 40)) as pilot:
        screen = await open_screen(pilot, "3", "home", "equals_sign")
        shown = text(screen)
        assert "blobs: in against out" in shown
        assert "? LUO" in shown
        assert "in   32 bytes  stale" in shown


async def test_why_there_is_nothing_to_compare() -> None:
    async with console(READY).run_test(size=(80, 24)) as pilot:
        shown = text(await open_screen(pilot, "3", "equals_sign"))
        assert "this kernel did not come through a handover" in " ".join(shown.split())


async def test_a_large_blob_that_nothing_decodes_is_scrolled_by_its_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * 300
    edited(READY, {f"{KHO}/out/sub_fdts/raw": content})(tmp_path)
    source = FixtureSource(tmp_path / "machine")
    app = KhoConsole(Observer(source), settings=Settings(interval=NEVER))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "3", *["down"] * 4)
        assert chosen(screen).startswith("raw")
        assert "no decoder knows this blob" in text(screen).replace("\n", "")
        assert "75.0 KiB (76,800 bytes)" in text(screen)
        lines = screen.query_one("#bytes", Lines)
        await pilot.press("right", "end")
        await pilot.pause()
        assert lines.text.splitlines()[-1].startswith(" 12bf8  f8 f9")
        await pilot.press("pageup", "escape", "home")
        await pilot.pause()
        assert chosen(screen).startswith("out")


async def test_scrolled_bytes_stay_when_the_machine_is_read_again() -> None:
    async with console(READY).run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "3", "right", "right", *["down"] * 5)
        lines = screen.query_one("#bytes", Lines)
        assert lines.scroll_offset.y == 5
        before = screen.view
        await pilot.press("r")
        await pilot.pause(0.05)
        for _ in range(200):
            await pilot.pause(0.01)
            if screen.view is not before:
                break
        assert screen.view is not before
        assert lines.scroll_offset.y == 5


async def test_where_room_is_short_list_and_content_take_turns() -> None:
    async with console(READY).run_test(size=(40, 15)) as pilot:
        screen = await open_screen(pilot, "3")
        shown, content = screen.query_one("#list"), screen.query_one("#content")
        assert (shown.display, content.display) == (True, False)
        assert shown.size.width == 40
        assert bottom(screen).split()[:2] == ["Enter", "value"]
        await pilot.press("enter")
        await pilot.pause()
        assert (shown.display, content.display) == (False, True)
        assert content.size.width == 40
        values, raw = screen.query_one("#values"), screen.query_one("#bytes")
        assert (values.display, raw.display) == (True, False)
        await pilot.press("right")
        await pilot.pause()
        assert (values.display, raw.display) == (False, True)
        await pilot.press("escape")
        await pilot.pause()
        assert (shown.display, content.display) == (True, False)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert shown.display and content.display
