"""Every screen on every recording, and what they show of the real ones."""

import pytest

from kho_console.tui.commands import SCREENS
from kho_console.tui.section import Section
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Panel
from tests.pilot.machines import banner, bottom, console, open_screen, seen, text
from tests.recordings import RECORDINGS

KEYS = {
    "overview": "1",
    "scratch": "2",
    "blobs": "3",
    "preserved": "4",
    "sessions": "5",
    "handover": "6",
    "crash": "7",
    "findings": "8",
    "doctor": "9",
    "log": "0",
    "journal": "J",
    "runbook": "R",
    "difference": "D",
    "simulation": "C",
    "pkram": "P",
    "kstate": "K",
    "help": "question_mark",
}


def test_every_screen_has_a_key_here() -> None:
    assert set(KEYS) == set(SCREENS)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        *((name, (80, 24)) for name in RECORDINGS),
        ("made/kho2024-active", (80, 24)),
        ("made/kho2024-restored", (80, 24)),
        ("made/hostile-kho2024-bindings", (80, 24)),
        ("linux-6.18.15/loaded-first", (120, 40)),
        ("linux-7.3.4/retrieved", (120, 40)),
    ],
)
async def test_every_screen_opens_and_fits(name: str, size: tuple[int, int]) -> None:
    async with console(name).run_test(size=size) as pilot:
        for subject, key in KEYS.items():
            screen = await open_screen(pilot, key)
            assert screen.subject == subject
            assert screen.query_one("#keys").region.bottom == size[1]
            for panel in screen.query(Panel):
                if panel.display and panel.region:
                    assert panel.region.bottom <= size[1], (subject, panel)
                    longest = max(map(len, panel.text.splitlines()), default=0)
                    assert longest <= size[0], (subject, panel.text)
            for lines in screen.query(Lines):
                assert not lines.display or lines.region.height >= 3, (subject, lines)


async def test_every_screen_opens_at_the_least_size() -> None:
    async with console("linux-7.3.4/hotplugged").run_test(size=(40, 15)) as pilot:
        for subject, key in KEYS.items():
            screen = await open_screen(pilot, key)
            assert screen.subject == subject
            assert screen.query_one("#frame").display


async def test_the_overview_answers_first() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await seen(pilot)
        assert banner(screen).startswith(" hv-17  7.3.4 x86_64  kho-v4 stateless")
        assert banner(screen).endswith("R/O")
        assert "FIXTURE" in banner(screen)
        shown = text(screen)
        assert "HANDOVER   ready: an image is loaded" in shown
        assert "3 sessions · 15.2 MiB preserved in 49 ranges · 3 blobs" in shown
        assert "836.0 MiB  low 744.0M  global none  node0 36.0M  node1 56.0M" in shown
        assert "armed · dump would be complete (2 of 2 possible CPUs present)" in shown
        assert "node1  0x4000_0000 " in shown
        assert "233 of 345 bytes" in shown
        assert bottom(screen) == (
            " 2 Scratch 3 Blobs 4 Preserved 5 Sessions 6 Handover 7 Crash ? help q quit"
        )
        order = ("HANDOVER", "FINDINGS", "CARRIES", "SCRATCH", "CRASH", "EVENTS", "node0  0x")
        assert sorted(order, key=shown.index) == list(order)
        assert "PgDn shows more" not in shown


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("linux-6.18.15/cold", "not yet: not finalized"),
        ("linux-6.18.15/aborted", "not yet: not finalized"),
        ("linux-6.18.15/finalized", "not yet: finalized, but no image is loaded"),
        ("linux-6.18.15/loaded-first", "not yet: the image was loaded while"),
        ("linux-6.18.15/ready", "ready, on one condition: the image was loaded after"),
        ("linux-7.1.13/sessions", "not yet: no image is loaded"),
        (
            "linux-7.3.4/restored",
            "CAME FROM  kernel 7.3.4, through a handover, number 1 since",
        ),
    ],
)
async def test_the_answer_for_each_state(name: str, answer: str) -> None:
    async with console(name).run_test(size=(80, 24)) as pilot:
        assert answer in text(await seen(pilot))


async def test_sessions_that_came_in_are_not_what_goes_out() -> None:
    async with console("linux-7.1.13/restored").run_test(size=(120, 40)) as pilot:
        shown = text(await seen(pilot))
        assert "CARRIES    no session · " in shown
        assert "since a cold boot, 3 of its sessions waiting" in shown


async def test_the_least_size_shows_the_verdict_and_the_worst_finding_first() -> None:
    async with console("linux-7.3.4/hotplugged").run_test(size=(40, 15)) as pilot:
        screen = await seen(pilot)
        frame = _drawn(screen)
        assert frame[2].startswith(">HANDOVER   ")
        worst = screen.view.findings[0] if screen.view else None
        assert worst is not None
        assert any(line.startswith((f" ! {worst.id}", f" x {worst.id}")) for line in frame)
        assert frame[-2] == " .. PgDn shows more, PgUp goes back"
        assert frame[-1].endswith("? help q quit")
        assert not any("EVENTS" in line for line in frame)
        await pilot.press("end")
        await pilot.pause()
        assert any(line.startswith(">EVENTS") for line in _drawn(screen))
        await pilot.press("home")
        await pilot.pause()
        assert _drawn(screen) == frame
        for key in ("pagedown", "pageup", "down", "up"):
            before = _drawn(screen)
            await pilot.press(key)
            await pilot.pause()
            assert _drawn(screen) != before, key


async def test_a_long_source_leaves_room_for_the_mode() -> None:
    async with console("hostile/addresses-at-the-end").run_test(size=(40, 15)) as pilot:
        shown = banner(await seen(pilot))
        assert shown == " a..  hostile/addresses-at-the-end  R/O"
    async with console("linux-7.1.13/restored").run_test(size=(60, 24)) as pilot:
        shown = banner(await seen(pilot))
        assert shown == " hv-17  7.1.13 x86_64..  FIXTURE linux-7.1.13/restored  R/O"


async def test_events_are_listed_newest_first() -> None:
    async with console("linux-7.3.4/hotplugged").run_test(size=(80, 24)) as pilot:
        screen = await seen(pilot)
        line = text(screen).partition("EVENTS")[2].splitlines()[0]
        assert "online memory32-35" in line
        assert "(3 earlier)" in line
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        line = text(screen).partition("EVENTS")[2].splitlines()[0]
        assert line.index("online memory32-35") < line.index("add memory32-35")


async def test_scratch_areas_stand_with_their_place() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        shown = text(await open_screen(pilot, "2"))
        assert "836.0 MiB (876,609,536 bytes) in 4 areas" in shown
        assert "low memory  0x0000_1040_0000  0x0000_3ec0_0000   744.0 MiB" in shown
        assert "global      none: nothing reserved for this" in shown


async def test_a_cut_root_tree_says_so_and_is_whole() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        shown = text(await open_screen(pilot, "3"))
        assert "! cut at 233 of 345 bytes, rest from memory" in shown
        assert "root tree kho-v4, 345 B at 0x0000_0066_c000" in shown
        assert "preserved-memory-map 0x0000_400d_7000" in shown


async def test_the_bytes_of_the_chosen_value_are_shown() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "3", "down", "down", "down", "right", *["down"] * 4)
        shown = text(screen)
        assert "memblock memblock-v1, 294 B at 0x0000_4046_a000" in shown
        assert "    start              0x0000_6e80_0000" in shown
        assert "    size               4.0 MiB (4,194,304 bytes)" in shown
        # The value of /oops/start lies at byte 148, 0x94: the middle of row 0x90.
        assert "0090  00 00 00 05 00 00 80 6e  |.......n|  start" in shown
        await pilot.press("x")
        await pilot.pause()
        assert "0090  00" not in text(screen)


async def test_device_tree_source_and_back() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(120, 40)) as pilot:
        screen = await open_screen(pilot, "3", "d")
        assert "/dts-v1/;" in text(screen)
        assert "blob-size = [26 01 00 00 00 00 00 00]; /* 0x126, native u64 */" in text(screen)
        await pilot.press("d")
        await pilot.pause()
        assert "/dts-v1/;" not in text(screen)


async def test_tab_goes_to_the_other_side() -> None:
    async with console("linux-7.3.4/retrieved").run_test(size=(120, 40)) as pilot:
        screen = await open_screen(pilot, "3", "tab", "down")
        assert "luo-v5, 32 B at 0x0000_4047_0000" in text(screen)
        assert "stale: released by the kernel" in text(screen)
        await pilot.press("tab")
        await pilot.pause()
        assert "root tree: not shown: " in text(screen)


async def test_preserved_memory_by_owner() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        shown = text(await open_screen(pilot, "4"))
        assert "15.2 MiB (15,896,576 bytes) · 2,611 blocks · 49 ranges · map 168.0 KiB" in shown
        assert "0x0000_0066_c000     4.0 KiB      0  t root tree" in shown
        assert "1 of 64" in shown
        for word in ("t root tree", "m memfd", "r reserve_mem", "u unattributed", ". hole"):
            assert word in shown


async def test_nothing_preserved_says_why() -> None:
    async with console("linux-6.18.15/cold").run_test(size=(80, 24)) as pilot:
        shown = text(await open_screen(pilot, "4"))
        assert "PRESERVED  not finalized yet" in shown
        shown = text(await open_screen(pilot, "5"))
        assert "SESSIONS   no session; this kernel is built without live update" in shown


async def test_sessions_and_their_holders() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "5", "down")
        shown = text(screen)
        assert "3 sessions · 3 memory files of 10.1 MiB preserved" in shown
        assert "vm-db                     outgoing    not yet" in shown
        assert "session vm-db" in shown
        assert "pid 66  python3 /opt/agent/live-update-agent" in shown
        assert "not yet: the kernel writes files and tokens at the kexec itself" in shown


async def test_files_of_waiting_sessions() -> None:
    async with console("linux-7.1.13/restored").run_test(size=(80, 24)) as pilot:
        shown = text(await open_screen(pilot, "5"))
        assert "incoming" in shown
        assert "token 0x1001  memfd-v2" in shown
        assert "nobody" in shown


async def test_what_nobody_can_know_of_a_held_session() -> None:
    async with console("linux-7.1.13/retrieved").run_test(size=(120, 24)) as pilot:
        shown = text(await open_screen(pilot, "5"))
        assert "1 session of unknown direction; whether any of the previous kernel wait" in shown
        assert "files   not shown: no interface lists the files of a session" in shown


async def test_right_does_not_go_where_nothing_is() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "3", "home", "right")
        assert "there are no values here to move in" in bottom(screen)
        await pilot.press("down")
        await pilot.pause()
        assert "root tree kho-v4" in text(screen)


async def test_the_pane_that_keys_move_in_has_its_sign() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "3")
        panes = [screen.query_one(f"#{name}", Lines) for name in ("list", "values")]
        assert [_sign(pane) for pane in panes] == [">", "|"]
        await pilot.press("right")
        await pilot.pause()
        assert [_sign(pane) for pane in panes] == ["|", ">"]


async def test_keys_that_do_not_apply_say_why() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "3", "home", "x")
        assert "there are no bytes here to show" in bottom(screen)
        await pilot.press("d")
        assert "choose the root tree or a blob first" in bottom(screen)
        await pilot.press("down", "down", "d")
        await pilot.pause()
        assert "LUO luo-v5" in text(screen)
        assert "it is no device tree: " in bottom(screen)


async def test_a_blob_that_cannot_be_read_says_so() -> None:
    async with console("hostile/names-with-escapes").run_test(size=(120, 40)) as pilot:
        shown = text(await open_screen(pilot, "3", "down"))
        assert "\\x07bell unknown, size not permitted, address not shown" in shown
        assert shown.count("not permitted (EACCES)") == 1
        assert " 0 B" not in shown


async def test_a_finding_with_its_evidence() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 24)) as pilot:
        screen = await open_screen(pilot, "8", "home")
        assert "seen    /sys/kernel/debug/kho/out/finalize: not there" in text(screen)


async def test_doctor_lists_its_checks() -> None:
    async with console("linux-7.3.4/ready").run_test(size=(80, 40)) as pilot:
        shown = text(await open_screen(pilot, "9"))
        assert "1 not known, 21 passed" in shown
        # What is not known stands first.
        assert shown.index("crash-udev") < shown.index("kernel-support")
        assert "no folder of udev rules was recorded" in shown
        assert "CONFIG_KEXEC_HANDOVER=y" in text(await open_screen(pilot, "9", "down"))


@pytest.mark.parametrize("size", [(39, 24), (80, 14), (25, 3), (20, 5)])
async def test_a_terminal_too_small_gets_one_line(size: tuple[int, int]) -> None:
    async with console("linux-7.3.4/ready").run_test(size=size) as pilot:
        screen = await seen(pilot)
        more = f", this is {size[0]}x{size[1]}" if size[0] >= 25 else ""
        assert text(screen).strip() == f"needs 40x15{more}"
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "HANDOVER   ready" in text(screen)


def _drawn(screen: Section) -> list[str]:
    """What is on the terminal, line by line."""
    return [line.text.rstrip() for line in screen._compositor.render_strips()]


def _sign(lines: Lines) -> str:
    """What stands before the line of the cursor."""
    return lines.render_line(lines.cursor - lines.scroll_offset.y).text[0]


async def test_names_that_would_steer_the_terminal_are_shown_as_bytes() -> None:
    async with console("hostile/names-with-escapes").run_test(size=(80, 24)) as pilot:
        for key in KEYS.values():
            shown = text(await open_screen(pilot, key))
            assert all(letter.isprintable() or letter == "\n" for letter in shown)
        assert "\\x1b" in text(await open_screen(pilot, "3"))
