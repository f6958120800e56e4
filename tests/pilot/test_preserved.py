"""Finding one's way through preserved memory."""

import csv
import json
import re
from pathlib import Path

import pytest
from textual.events import Key, MouseScrollUp
from textual.pilot import Pilot
from textual.widgets import Input

from kho_console.model.unknown import Cause, Unknown
from kho_console.tui.widgets.strip_map import StripPanel
from tests.cli.test_documents import validate
from tests.pilot.machines import bottom, console, open_screen, seen, text, until
from tests.pilot.prepared import GIB, prepared


async def test_a_filter_leaves_the_owners_it_names() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4")
        await pilot.press("slash", *"owner:oops", "enter")
        await pilot.pause()
        shown = text(screen)
        assert "1 of 1\n" in shown
        assert " filter: owner:oops " in shown
        assert " 1 of 64 extents, 4.0 MiB" in shown
        assert "0x0000_6e80_0000     4.0 MiB     10  r reserve_mem oops" in shown
        await pilot.press("escape")
        await pilot.pause()
        assert "1 of 64" in text(screen)
        assert "filter" not in text(screen).replace("/ filter", "")
        await pilot.press("escape")
        assert (await seen(pilot)).subject == "overview"


async def test_a_filter_that_fits_nothing() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4")
        await pilot.press("slash", *"nobody", "enter", "down", "enter", "plus", "g", "0", "enter")
        await pilot.pause()
        assert "0 of 0" in text(screen)
        assert "there is no list to go to an address in" in bottom(screen)


async def test_go_to_an_address_and_to_none() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4")
        await pilot.press("g", *"0x6e80_1234", "enter")
        await pilot.pause()
        assert "63 of 64" in text(screen)
        await pilot.press("g", *"50000000", "enter")
        await pilot.pause()
        assert "63 of 64" in text(screen)
        assert "0x0000_5000_0000 is not in the list; this is the next one" in bottom(screen)
        await pilot.press("g", *"ten", "enter")
        await pilot.pause()
        assert "ten is no address" in bottom(screen)
        assert screen.query_one("#prompt").has_class("-asking")
        assert screen.query_one(Input).value == "ten"
        await pilot.press("escape")
        await pilot.pause()
        assert not screen.query_one("#prompt").has_class("-asking")
        assert "ten" not in bottom(screen)


async def test_escape_closes_the_question() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4", "g")
        assert screen.query_one("#prompt").has_class("-asking")
        await pilot.press("1", "escape")
        await pilot.pause()
        assert not screen.query_one("#prompt").has_class("-asking")
        await pilot.press("down")
        await pilot.pause()
        assert "2 of 64" in text(screen)


async def test_keys_that_come_in_one_go_with_the_question_are_its_answer() -> None:
    """A slow line or a paste brings them at once: `e` would export, `q` leave."""
    app = console("linux-7.3.4/ready")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4")
        for key in ("/", *"order:0"):
            app.post_message(Key({"/": "slash", ":": "colon"}.get(key, key), key))
        await until(pilot, lambda: screen.query_one(Input).value == "order:0")
        assert screen.query_one("#prompt").has_class("-asking")


async def test_zoom_and_mark_on_the_strip() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4")
        strip = screen.query_one(StripPanel)
        whole = strip.cell
        assert whole is not None
        other = strip.text.splitlines()[1]
        await pilot.press("plus", "plus", "plus")
        await pilot.pause()
        assert " a cell x8\n" in f"{strip.text}\n"
        # Neither the place nor the scale of the other node's line has changed.
        assert strip.text.splitlines()[1] == other
        near = strip.cell
        assert near is not None and near.size * 6 < whole.size
        assert strip.mark == 0x66_C000
        await pilot.press("right")
        after = strip.cell
        assert after is not None and after.start == near.end
        await pilot.press("left", "minus", "minus", "minus", "minus")
        await pilot.pause()
        assert strip.cell == whole


async def test_the_mark_goes_on_to_the_next_node_and_enter_follows_it() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4")
        strip = screen.query_one(StripPanel)
        assert strip.mark is not None and strip.mark < 0x4000_0000
        await pilot.press("left", "left")
        assert strip.mark == 0
        await pilot.press(*["right"] * len(strip.text.splitlines()[0].split()[2]))
        assert strip.mark == 0x4000_0000
        assert "holds lbR, 3 extents" in text(screen)
        await pilot.press("enter")
        await pilot.pause()
        assert "60 of 64" in text(screen)
        words = " ".join(text(screen).partition(" mark 0x0000_4000_0000")[2].split())
        assert "live update 4.0 KiB, blob 8.0 KiB, other memory" in words


async def test_what_each_owner_has() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4", "o")
        shown = text(screen)
        assert "    2.0 MiB        2,097,152        44  m memfd 2.0 MiB, session unknown" in shown
        assert "1 of 14" in shown
        await pilot.press("down", "enter")
        await pilot.pause()
        shown = text(screen)
        assert "63 of 64" in shown
        assert "0x0000_6e80_0000     4.0 MiB     10  r reserve_mem oops" in shown
        await pilot.press("up", "escape")
        await pilot.pause()
        assert "2 of 14" in text(screen)
        assert screen.lines() is not None and screen.lines().cursor == 1  # type: ignore[union-attr]
        await pilot.press("enter", "escape", "escape")
        await pilot.pause()
        assert "1 of 64" in text(screen)
        await pilot.press("slash", *"blob", "enter", "o")
        await pilot.pause()
        assert "1 of 3" in text(screen)
        await pilot.press("escape")
        await pilot.pause()
        assert "filter: blob" in text(screen)
        assert "3 of 64 extents, 12.0 KiB" in text(screen)
        await pilot.press("o", "g", *"40470000", "enter")
        await pilot.pause()
        assert "b blob LUO" in text(screen)


async def test_nothing_preserved_has_no_owners() -> None:
    async with console("linux-6.18.15/cold").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4", "o", "enter", "down", "escape")
        assert "PRESERVED  not finalized yet" in text(screen)


async def test_escape_takes_a_message_away_before_it_leaves() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4")
        await pilot.press("g", "0", "enter")
        await pilot.pause()
        assert "0x0000_0000_0000 is not in the list" in bottom(screen)
        await pilot.press("escape")
        assert (await seen(pilot)).subject == "preserved"
        assert "0x0000_0000_0000" not in bottom(screen)
        assert (await open_screen(pilot, "escape")).subject == "overview"


async def test_a_filter_by_more_than_the_owner() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4")
        await pilot.press("slash", *"order:10 size:>1m -memfd node:1", "enter")
        await pilot.pause()
        assert " 1 of 64 extents, 4.0 MiB" in text(screen)
        await pilot.press("o")
        await pilot.pause()
        assert "1 of 1\n" in text(screen)
        assert "r reserve_mem oops" in text(screen)


async def test_a_wrong_filter_stays_to_be_mended_and_so_does_the_old_one() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4")
        await pilot.press("slash", *"oops", "enter")
        await pilot.press("slash", *" size:4x", "enter")
        await pilot.pause()
        assert "column 11: expected a size, such as 64k" in bottom(screen)
        assert screen.query_one("#prompt").has_class("-asking")
        assert screen.query_one(Input).value == "oops size:4x"
        assert screen.query_one(Input).cursor_position == 12
        assert " filter: oops " in text(screen)
        await pilot.press("escape")
        await pilot.pause()
        assert not screen.query_one("#prompt").has_class("-asking")
        assert "expected" not in bottom(screen)
        assert " filter: oops " in text(screen)
        await pilot.press("slash", *" onwer:x", "enter")
        await pilot.pause()
        assert "nearest owner:" in bottom(screen)
        await pilot.press(*["left"] * 7, *["delete"] * 7, *"size:4x", "left", "enter")
        await pilot.pause()
        assert screen.query_one(Input).cursor_position == 11
        await pilot.press("delete", "enter")
        await pilot.pause()
        assert "filter: oops size:4 " in text(screen)
        assert "0 of 64 extents, 0 B" in text(screen)
        assert "expected" not in bottom(screen)


async def test_a_filter_by_node_where_nodes_are_not_known() -> None:
    app = prepared(80, nodes=0, ram=Unknown(Cause.NOT_RECORDED, "no iomem"))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4")
        assert "no map of memory: not recorded: no iomem" in text(screen)
        await pilot.press("slash", *"node:0", "enter")
        await pilot.pause()
        assert "no memory block names its node" in bottom(screen)
        await pilot.press("escape", "plus", "right", "n", "enter", "z")
        await pilot.pause()
        assert "1 of 80" in text(screen)


async def test_the_deepest_zoom_is_one_page_in_a_cell_and_z_shows_all_again() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4")
        strip = screen.query_one(StripPanel)
        whole = strip.cell
        await pilot.press(*["plus"] * 40)
        await pilot.pause()
        assert strip.cell is not None and strip.cell.size == 4096
        assert "node0: 4.0 KiB a cell" in text(screen)
        line = strip.text.splitlines()[0]
        # Page 0x66c is the root tree; of its neighbours only 0x66f is preserved, for a blob.
        assert "R" * 8 + "tRRb" + "R" * 8 in line
        await pilot.press("right", "right", "right")
        assert strip.mark == 0x66_F000
        await pilot.press("z")
        assert strip.cell is not None and whole is not None and strip.cell.size == whole.size
        assert " x" not in strip.text.splitlines()[0]


async def test_both_ends_of_a_line_stand_on_it() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4")
        lines = screen.query_one(StripPanel).text.splitlines()
        # A memfd has most of the first cell, but the root tree and others are in it as well.
        assert lines[0].startswith(" node0  0x0000_0000_0000 m")
        assert lines[0].endswith("s 0x4000_0000")
        assert lines[1].startswith(" node1  0x0000_4000_0000 b")
        assert lines[1].endswith("R 0x0001_2000_0000")
    async with console("linux-7.3.4/ready").run_test(size=(40, 15)) as pilot:
        screen = await open_screen(pilot, "4")
        shown = screen.query_one(StripPanel).text
        assert shown.splitlines()[0].startswith(" node0  0x0000_0000_0000 m")
        assert "not drawn" not in shown
        assert "a cell, to 0x4000_0000" in shown
        assert "line 1 of 2" in shown
        assert screen.query_one("#list").region.height >= 3


async def test_the_legend_marks_what_is_not_on_the_map() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(120, 40)) as pilot:
        screen = await open_screen(pilot, "4")
        lines = screen.query_one(StripPanel).text.splitlines()
        drawn = {letter for line in lines[:2] for letter in line.split()[2]}
        shown, _, hidden = " ".join(" ".join(lines[2:]).split()).partition("not drawn: ")
        for letter, name in {
            "t": "root tree",
            "l": "live update",
            "m": "memfd",
            ".": "hole",
        }.items():
            assert (f"{letter} {name}" in shown) == (letter in drawn)
            assert (f"{letter} {name}" in hidden) == (letter not in drawn)
        assert "m" in drawn and "t" not in drawn


async def test_the_parts_of_a_cell_add_up() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4", "z", "enter")
        words = " ".join(text(screen).partition(" mark 0x0000_0000_0000")[2].splitlines()[:3])
        whole, *parts = re.findall(r"([0-9.]+) (KiB|MiB)", words)
        sizes = [float(number) * {"KiB": 1 / 1024, "MiB": 1}[unit] for number, unit in parts]
        assert "other memory" in words
        assert sum(sizes) == pytest.approx(float(whole[0]), abs=0.1)


async def test_sixty_four_nodes_fold_and_follow_the_mark() -> None:
    async with prepared(nodes=64).run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4")
        strip = screen.query_one(StripPanel)

        def nodes() -> list[str]:
            return [line.split()[0] for line in strip.text.splitlines() if " 0x" in line]

        assert nodes() == ["node0", "node1", "node2", "node3"]
        assert "line 1-4 of 64" in strip.text
        await pilot.press(*["n"] * 10)
        assert nodes() == ["node7", "node8", "node9", "node10"]
        assert strip.mark == 10 * GIB
        assert "line 8-11 of 64" in strip.text
        await pilot.press("right", "N", "N")
        assert strip.mark == 8 * GIB
        await pilot.press("g", *f"{63 * GIB + 4096:x}", "enter")
        await pilot.pause()
        assert nodes()[-1] == "node63"
        assert strip.mark == 63 * GIB + 4096
        assert screen.lines() is not None


async def test_the_mouse_puts_the_mark_and_zooms() -> None:
    async with prepared(nodes=8).run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4")
        strip = screen.query_one(StripPanel)
        line = strip.text.splitlines()[2]
        first = line.index("R")
        await pilot.click(strip, offset=(first, 2))
        assert strip.mark == 2 * GIB
        assert "mark 0x0000_8000_0000" in text(screen)
        await pilot.click(strip, offset=(first + line.count("R") // 2, 1))
        assert strip.mark is not None
        assert abs(strip.mark - (GIB + GIB // 2)) < GIB // 30
        mark = strip.mark
        await pilot.click(strip, offset=(3, 0))
        await pilot.click(strip, offset=(first, 6))
        assert strip.mark == mark
        await _wheel_up(pilot, strip)
        await pilot.pause()
        assert "node1: 13.8 MiB a cell x2" in " ".join(strip.text.split())


async def _wheel_up(pilot: Pilot[int], strip: StripPanel) -> None:
    await pilot._post_mouse_events([MouseScrollUp], strip, button=0)


@pytest.mark.parametrize("size", [(80, 24), (40, 15), (120, 40)])
async def test_the_list_fits_its_columns(size: tuple[int, int]) -> None:
    async with console("linux-7.3.4/ready").run_test(size=size) as pilot:
        screen = await open_screen(pilot, "4", "g", *"7fccd000", "enter")
        lines = screen.lines()
        assert lines is not None
        shown = lines.text.splitlines()
        assert max(map(len, shown)) < size[0]
        last = next(line for line in shown if "7fcc_d000" in line)
        for word in ("0x0000_7fcc_d000", "1.0", "0-7", "r reser"):
            assert word in last
        if size[0] > 100:
            assert "0x0000_7fdc_d000           256  r reserve_mem trace" in last
        if size[1] > 20:
            found = "extent to 0x0000_7fdc_d000  1,048,576 bytes, 256 pages, order 0-7"
            assert found in text(screen)


async def test_eight_million_extents_are_gone_through_without_being_built() -> None:
    async with prepared(8_000_000, nodes=4, size=16 * GIB).run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4", "end")
        assert "8,000,000 of 8,000,000" in text(screen)
        await pilot.press("slash", *"owner:oops size:4k", "enter")
        await pilot.pause()
        assert "1,000,000 of 8,000,000 extents, 3.8 GiB" in text(screen)
        await pilot.press("g", *"f_4240_0000", "enter")
        await pilot.pause()
        assert "is not in the list; this is the last one" in bottom(screen)
        await pilot.press("home", "g", *"4000_0000", "enter", "down")
        await pilot.pause()
        # Extent 131072 is the first of eight at that address; the sixth of them is of oops.
        assert "16,386 of 1,000,000" in text(screen)


async def test_what_the_list_shows_is_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = tmp_path / "kho-console"
    async with console("linux-7.3.4/ready").run_test(size=(120, 24)) as pilot:
        screen = await open_screen(pilot, "4", "slash", *"owner:reserve_mem", "enter", "e")
        await until(pilot, lambda: "written" in bottom(screen))
        assert f"written: {folder}/preserved-1.json, preserved-1.csv" in bottom(screen)
        document = json.loads((folder / "preserved-1.json").read_text())
        validate(document, "extents")
        assert document["filter"] == "owner:reserve_mem"
        assert [item["address"] for item in document["extents"]] == [0x6E800000, 0x7FCCD000]
        with (folder / "preserved-1.csv").open(newline="") as file:
            assert list(csv.reader(file)) == [
                ["address", "size", "orders", "owner"],
                [f"{0x6E800000}", "4194304", "10", "reserve_mem oops"],
                [f"{0x7FCCD000}", "1048576", "0-7", "reserve_mem trace"],
            ]
        assert [item["orders"] for item in document["extents"]] == [[10], [*range(8)]]
        await pilot.press("o", "e")
        await until(pilot, lambda: "preserved-2.json" in bottom(screen))
        document = json.loads((folder / "preserved-2.json").read_text())
        validate(document, "owners")
        assert [item["bytes"] for item in document["owners"]] == [4 << 20, 1 << 20]
    assert {found.stat().st_mode & 0o777 for found in folder.iterdir()} == {0o600}
    assert sorted(found.suffix for found in folder.iterdir()) == [".csv", ".csv", ".json", ".json"]


async def test_nothing_is_exported_of_no_list() -> None:
    async with console("linux-6.18.15/cold").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4", "e")
        assert "there is no list to export" in bottom(screen)
