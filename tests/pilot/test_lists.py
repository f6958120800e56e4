"""Sessions, Findings, Doctor, Log and Scratch: what they unfold, filter and explain."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from kho_console.config import log
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
from tests.pilot.test_screens import KEYS
from tests.recordings import folder

READY = "linux-7.3.4/ready"
RESTORED = "linux-7.1.13/restored"


def rows(screen: Section) -> list[str]:
    lines = screen.query_one("#list", Lines)
    return [plain(lines.source.row(at)).rstrip() for at in range(len(lines.source))]


async def filtered(pilot: Pilot[int], words: str) -> Section:
    await pilot.press("slash")
    await pilot.press(*("space" if letter == " " else letter for letter in words), "enter")
    await pilot.pause()
    return await seen(pilot)


async def test_a_session_unfolds_its_files_and_folds_again() -> None:
    async with console(RESTORED).run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "5", "home")
        folded = rows(screen)
        await pilot.press("enter", "down")
        await pilot.pause()
        assert rows(screen)[1:3] == [
            "     file  token 0x1001  memfd-v2  2.0 MiB (2,097,152 bytes)",
            "     file  token 0x1002  memfd-v2  64.0 KiB (65,536 bytes)",
        ]
        shown = text(screen)
        assert "records version 2 at 0x0000_00b3_e000, position 0, seals 0x1" in shown
        assert "memory  512 folios, 2.0 MiB (2,097,152 bytes) in 76 ranges" in shown
        await pilot.press("enter")
        await pilot.pause()
        assert rows(screen) == folded


async def test_a_held_session_unfolds_its_holders() -> None:
    async with console(READY).run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "5", "home", "enter")
        assert rows(screen)[1] == "     held  pid 66  python3 /opt/agent/live-update-agent"


async def test_a_session_of_which_nothing_more_is_known() -> None:
    async with console(RESTORED).run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "5", "end", "enter")
        assert "nothing is known below this session" in bottom(screen)


@pytest.mark.parametrize(
    ("name", "subject", "words", "left"),
    [
        (RESTORED, "sessions", "0x1002 MEMFD", ["vm-web"]),
        (READY, "sessions", "vm- 66", ["vm-db", "vm-web"]),
        (READY, "findings", "finalize", ["stateless"]),
        (READY, "findings", "out/fdt", ["tree-window"]),
        (READY, "doctor", "iomem", ["iomem"]),
        (READY, "log", "kernel reserved", ["crashkernel"]),
        (READY, "findings", "no such words", []),
    ],
)
async def test_a_filter_leaves_what_has_all_words(
    name: str, subject: str, words: str, left: list[str]
) -> None:
    async with console(name).run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, KEYS[subject])
        whole = rows(screen)
        screen = await filtered(pilot, words)
        assert len(rows(screen)) == len(left)
        for row, name_of_row in zip(rows(screen), left, strict=True):
            assert name_of_row in row
        assert f"filter {words}: {len(left)} of {len(whole)}" in text(screen)
        await pilot.press("escape")
        await pilot.pause()
        assert rows(screen) == whole


async def test_the_log_has_kernel_lines_and_events_in_their_order() -> None:
    async with console("linux-7.3.4/hotplugged").run_test(size=(120, 40)) as pilot:
        screen = await open_screen(pilot, "0")
        found = rows(screen)
        assert "kernel: 4 lines · 10 events" in text(screen)
        who = [row.split()[1] for row in found]
        assert who[:14] == ["kernel"] * 4 + ["event"] * 10
        assert "offline cpu1" in found[4]


async def test_the_log_has_what_the_console_said_and_where_it_is_kept(tmp_path: Path) -> None:
    settings = Settings(interval=NEVER, log=tmp_path / "console.log")
    log.start(settings)
    try:
        app = KhoConsole(Observer(_source(READY)), settings=settings)
        async with app.run_test(size=(120, 40)) as pilot:
            screen = await open_screen(pilot, "0")
            assert "full look took" in rows(screen)[-1]
            assert screen.query_one("#list", Lines).cursor == len(rows(screen)) - 1
            assert str(tmp_path)[:40] in text(screen)
    finally:
        log.stop()


async def test_a_kernel_log_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    edited(READY)(tmp_path)
    (tmp_path / "machine/kmsg.txt").unlink()
    app = KhoConsole(Observer(_made(tmp_path)), settings=Settings(interval=NEVER))
    async with app.run_test(size=(80, 24)) as pilot:
        assert "LOG        kernel: not recorded" in text(await open_screen(pilot, "0"))


async def test_fit_and_use_of_a_scratch_area() -> None:
    async with console("linux-7.2.13/ready").run_test(size=(80, 24)) as pilot:
        shown = text(await open_screen(pilot, "2", "home", "down", "down"))
        assert "area    node 0, 64.0 MiB (67,108,864 bytes), aligned to 4.0 MiB" in shown
        assert "asked   64.0 MiB by kho_scratch=128M,16M,64M, and so it is" in shown
        assert "kept    no preserved memory in it" in shown
        assert "use     64.0 MiB of 64.0 MiB free in all scratch of node 0" in shown
    async with console("linux-7.2.13/restored").run_test(size=(80, 24)) as pilot:
        shown = text(await open_screen(pilot, "2", "home"))
        assert "inside  Kernel code 6.6 MiB, Kernel rodata 1.8 MiB" in shown
        assert "use     not shown: on node 1 scratch is no CMA" in shown


async def test_what_is_wrong_with_a_scratch_area_stands_on_its_line(tmp_path: Path) -> None:
    files = {
        f"{KHO}/out/scratch_phys": "0x10400000\n0x11000000\n0xe000000\n0x6ebff000\n",
        f"{KHO}/out/scratch_len": "0x2e800000\n0x100000\n0x2400000\n0x2000\n",
        "/proc/cmdline": "kho=on kho_scratch=744M,1M,36M\n",
    }
    edited(READY, files)(tmp_path)
    app = KhoConsole(Observer(_made(tmp_path)), settings=Settings(interval=NEVER))
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await open_screen(pilot, "2", "end")
        assert [row.partition("!")[2].strip() for row in rows(screen)] == [
            "overlaps",
            "overlaps",
            "",
            "preserved in it, not as asked",
        ]
        assert "4.0 KiB (4,096 bytes) of preserved memory, lost when" in text(screen)
        assert "36.0 MiB by kho_scratch=744M,1M,36M, not what is there" in text(screen)
        await pilot.press("home")
        await pilot.pause()
        assert "shares memory with the global area" in text(screen)


async def test_scratch_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    edited(READY, unreadable={f"{KHO}/out/scratch_phys": 13})(tmp_path)
    app = KhoConsole(Observer(_made(tmp_path)), settings=Settings(interval=NEVER))
    async with app.run_test(size=(80, 24)) as pilot:
        shown = text(await open_screen(pilot, "2"))
        assert "SCRATCH    not permitted" in shown


async def test_doctor_has_the_fix_and_what_the_console_reads_of_its_own(tmp_path: Path) -> None:
    edited(READY, {"/proc/config.gz": None}, physmem=False)(tmp_path)
    settings = Settings(interval=NEVER, log=tmp_path / "console.log")
    app = KhoConsole(Observer(_made(tmp_path)), settings=settings)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await filtered_doctor(pilot, "preserved-map")
        assert "fix     capture it again with this file" in text(screen)
        screen = await filtered_doctor(pilot, "kernel-options")
        assert "which options the kernel is built with is not known" in text(screen)
        screen = await filtered_doctor(pilot, "log a log is kept")
        assert str(tmp_path)[:40] in text(screen)


@pytest.mark.parametrize("subject", ["scratch", "findings", "sessions", "doctor", "log"])
async def test_all_details_are_within_reach_of_the_least_terminal(subject: str) -> None:
    async with console(READY).run_test(size=(40, 15)) as pilot:
        screen = await open_screen(pilot, KEYS[subject])
        listed, details = screen.query_one("#list", Lines), screen.query_one("#details", Lines)
        at = listed.cursor
        await pilot.press("tab")
        await pilot.pause()
        assert (listed.display, details.display) == (False, True)
        whole = [plain(details.source.row(row)) for row in range(len(details.source))]
        assert whole and not any(row.strip() == ".." for row in whole)
        await pilot.press("end")
        await pilot.pause()
        assert details.text.splitlines()[-1] == whole[-1].rstrip()
        await pilot.press("escape")
        await pilot.pause()
        assert (listed.display, listed.cursor) == (True, at)


async def filtered_doctor(pilot: Pilot[int], words: str) -> Section:
    await open_screen(pilot, "9")
    await pilot.press("slash", *["backspace"] * 30)
    await pilot.press(*("space" if letter == " " else letter for letter in words), "enter")
    await pilot.pause()
    return await seen(pilot)


def _source(name: str) -> FixtureSource:
    return FixtureSource(folder(name))


def _made(place: Path) -> FixtureSource:
    return FixtureSource(place / "machine")
