"""The screens of PKRAM and kstate, and how the Overview leads there."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from kho_console.abi.kstate import stream
from kho_console.abi.reader import Bytes
from kho_console.model.kstate import KstateVersion
from kho_console.tui.filters import ascii_signs
from kho_console.tui.rows import plain
from kho_console.tui.section import Section
from tests.abi.kstate.streams import V2, V3
from tests.pilot.machines import bottom, console, open_screen, text, until


def rows(screen: Section) -> list[str]:
    lines = screen.lines()
    assert lines is not None
    return [plain(lines.source.row(at)).rstrip() for at in range(len(lines.source))]


async def told(pilot: Pilot[int], screen: Section, key: str, words: str) -> None:
    """Answer the question that a key asks."""
    await pilot.press(key)
    screen.query_one("#answer").value = words  # type: ignore[attr-defined]
    await pilot.press("enter")
    await pilot.pause()


async def test_nodes_objects_and_whose_memory_is_where() -> None:
    async with console("made/pkram-v2").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "P")
        found = rows(screen)
        assert [line.split()[:2] for line in found if not line.startswith("  ")] == [
            ["a", "shmem-guests"],
            ["b", "empty"],
        ]
        assert "3 of order 9" in found[1] and "6.0 MiB" in found[1] and "52 B" in found[1]
        words = text(screen)
        assert "v2, 2 nodes with 8.7 MiB" in words and "pkram=40" in words
        drawn = next(line for line in words.splitlines() if line.startswith(" memory"))
        assert drawn.count("a") > 2 and "b" not in drawn.split()[-1]
        assert "a shmem-guests" in words
        await pilot.press("down", "down")
        assert "700 of order 0" in text(screen) and "0 to 699" in text(screen)


@pytest.mark.parametrize("name", ["hostile-pkram-loop", "hostile-pkram-claims"])
async def test_what_does_not_hold_is_a_finding_that_leads_there(name: str) -> None:
    async with console(f"made/{name}").run_test(size=(120, 40)) as pilot:
        screen = await open_screen(pilot)
        assert "pkram-damaged" in text(screen)
        at = next(at for at, line in enumerate(rows(screen)) if line.startswith("PKRAM"))
        await pilot.press(*["down"] * at, "enter")
        await until(pilot, lambda: getattr(pilot.app.screen, "subject", "") == "pkram")


async def test_damage_is_on_the_screen_that_it_concerns(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(bytes(range(7, 107)))
    async with console("made/hostile-pkram-loop").run_test(size=(80, 24)) as pilot:
        words = " ".join(text(await open_screen(pilot, "P")).split())
        assert "at 0x42000" in words and "the page is object already" in words
        screen = await open_screen(pilot, "K")
        await told(pilot, screen, "f", str(tmp_path / "noise"))
        await until(pilot, lambda: "over the end" in text(screen))
        assert "taken for a stream of v2" in text(screen)


async def test_a_machine_without_them_says_so_in_words() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot)
        assert not any(line.startswith(("PKRAM", "KSTATE")) for line in rows(screen))
        assert "no sign of PKRAM" in text(await open_screen(pilot, "P"))
        screen = await open_screen(pilot, "K")
        assert "no stream is seen" in text(screen)
        await pilot.press("equals_sign")
        assert "no stream to compare" in bottom(screen)


async def test_entries_as_a_tree_with_values_and_offsets() -> None:
    async with console("made/kstate-v2").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "K")
        found = rows(screen)
        assert found[0].split() == ["-", "00000000", "test", "v1", "#1", "54", "B"]
        assert found[1].split() == ["00000010", "i", "=", "10"]
        assert found[-1].split() == ["00000042", "_refcount", "=", "1"]
        await pilot.press("enter")
        assert rows(screen)[0].startswith("+") and len(rows(screen)) == 1
        await pilot.press("enter")
        assert rows(screen) == found
        assert ascii_signs(text(screen)).count("?") == text(screen).count("?")


async def test_a_stream_in_a_file_and_its_difference_to_another(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(V2)
    second.write_bytes(V2.replace((10).to_bytes(4, "little"), (11).to_bytes(4, "little"), 1))
    async with console("linux-7.3.4/ready").run_test(size=(120, 24)) as pilot:
        screen = await open_screen(pilot, "K")
        await told(pilot, screen, "f", str(tmp_path / "none"))
        await until(pilot, lambda: "none is not there" in bottom(screen))
        await told(pilot, screen, "f", str(first))
        await until(pilot, lambda: rows(screen))
        await told(pilot, screen, "equals_sign", str(second))
        await until(pilot, lambda: "1 entry differ" in text(screen))
        assert rows(screen)[1].strip() == "i: 10 -> 11"
        await pilot.press("escape")
        await until(pilot, lambda: "i = 10" in text(screen))
        await pilot.press("escape")
        await until(pilot, lambda: "no stream is seen" in text(screen))


async def test_an_entry_without_a_description_is_shown_as_bytes(tmp_path: Path) -> None:
    path = tmp_path / "odd"
    entry = next(stream.Walk(Bytes(V3), KstateVersion.V3).entries())
    path.write_bytes(V3[:8] + (77).to_bytes(4, "little") + V3[12:])
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "K")
        await told(pilot, screen, "f", str(path))
        await until(pilot, lambda: rows(screen))
        assert rows(screen)[0].split()[2:4] == ["id", "77"]
        assert rows(screen)[1].split()[0] == f"{entry.data:08x}"


@pytest.mark.parametrize(("name", "key"), [("made/pkram-v1", "P"), ("made/kstate-v1", "K")])
async def test_all_of_it_is_within_reach_of_the_least_terminal(name: str, key: str) -> None:
    async with console(name).run_test(size=(40, 15)) as pilot:
        screen = await open_screen(pilot, key)
        assert max(map(len, text(screen).splitlines())) <= 40
        for _ in rows(screen):
            await pilot.press("down")
        await pilot.press("tab")
        await pilot.pause()
        assert max(map(len, text(screen).splitlines())) <= 40


@pytest.mark.parametrize("size", [(80, 24), (40, 15)])
async def test_what_came_in_is_on_the_preserved_screen(size: tuple[int, int]) -> None:
    async with console("made/kho2024-restored").run_test(size=size) as pilot:
        screen = await open_screen(pilot)
        at = next(at for at, line in enumerate(rows(screen)) if line.startswith("CAME FROM"))
        assert "2.0 MiB of it still waiting" in " ".join(" ".join(rows(screen)).split())
        await pilot.press(*["down"] * at, "enter")
        await until(pilot, lambda: getattr(pilot.app.screen, "subject", "") == "preserved")
        screen = await open_screen(pilot, "4")
        assert "CAME IN" in text(screen)
        assert len(rows(screen)) == 6 and "wait" in rows(screen)[4]
        await pilot.press("escape")
        await pilot.pause()
        assert "not active yet" in text(screen) and not rows(screen)
        await pilot.press("i")
        await pilot.pause()
        assert len(rows(screen)) == 6


async def test_memory_of_2024_is_told_in_pages() -> None:
    async with console("made/kho2024-active").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "4")
        # Its records have no orders, so nothing of it is a block.
        assert "520 pages · 4 ranges" in text(screen)
