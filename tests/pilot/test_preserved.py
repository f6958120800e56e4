"""Finding one's way through preserved memory."""

from kho_console.tui.widgets.strip_map import StripPanel
from tests.pilot.machines import bottom, console, open_screen, seen, text


async def test_a_filter_leaves_the_owners_it_names() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4")
        await pilot.press("slash", *"owner:oops", "enter")
        await pilot.pause()
        shown = text(screen)
        assert "1 of 1" in shown
        assert "filter owner:oops: 1 extent, 4.0 MiB" in shown
        assert "0x0000_6e80_0000     4.0 MiB     10  r reserve_mem oops" in shown
        await pilot.press("escape")
        await pilot.pause()
        assert "1 of 64" in text(screen)
        assert "filter" not in text(screen).replace("/ filter", "")


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


async def test_zoom_and_mark_on_the_strip() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4")
        strip = screen.query_one(StripPanel)
        whole = strip.cell
        assert whole is not None
        await pilot.press("plus", "plus", "plus")
        await pilot.pause()
        assert strip.text.splitlines()[0].endswith(" x8")
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
        await pilot.press("enter")
        await pilot.pause()
        assert "60 of 64" in text(screen)
        assert "holds lbR" in text(screen)


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
        await pilot.press("slash", *"blob", "enter", "o")
        await pilot.pause()
        assert "1 of 3" in text(screen)
        await pilot.press("escape")
        await pilot.pause()
        assert "filter blob: 3 extents, 12.0 KiB" in text(screen)
        await pilot.press("o", "g", *"40470000", "enter")
        await pilot.pause()
        assert "b blob LUO" in text(screen)


async def test_nothing_preserved_has_no_owners() -> None:
    async with console("linux-6.18.15/cold").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4", "o", "enter", "down", "escape")
        assert "PRESERVED  not yet: not finalized yet" in text(screen)


async def test_escape_takes_a_message_away_before_it_leaves() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4")
        await pilot.press("g", *"zzz", "enter")
        await pilot.pause()
        assert "zzz is no address" in bottom(screen)
        await pilot.press("escape")
        assert (await seen(pilot)).subject == "preserved"
        assert "zzz" not in bottom(screen)
        assert (await open_screen(pilot, "escape")).subject == "overview"
