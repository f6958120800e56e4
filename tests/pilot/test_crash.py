"""The Crash screen: whether a dump would be complete, and what CPUs and memory did to it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from kho_console.engine.log_lines import LogLine
from kho_console.model.crash import CoreHeader, CoreLoad, CpuNotes, CrashImage, LoadKind
from kho_console.model.event import Event, EventsLost
from kho_console.model.happening import Effect, Flow, Gap, Happening
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Cause, Unknown
from kho_console.tui.app import KhoConsole
from kho_console.tui.bar import Part, bar
from kho_console.tui.dialogs.dialog import Dialog
from kho_console.tui.dialogs.image import ImageDialog
from kho_console.tui.filters import ascii_signs
from kho_console.tui.rows import plain
from kho_console.tui.screens.crash import Crash
from kho_console.tui.widgets.prompt import Prompt
from tests.pilot.machines import bottom, console, open_screen, rehearsal, seen, text, until
from tests.pilot.shown import COMPLETE, GIB, MIB, Shown, blocks, image, shown

BEFORE, MISSES, AFTER = Effect(7, 0, 0), Effect(7, 512 * MIB, 0), Effect(8, 0, 0)
ADDED = blocks("add", range(32, 36), 100.0, 1, BEFORE, MISSES)
ONLINED = blocks("online", range(32, 36), 110.0, 3, MISSES, AFTER)
CPU = Happening(
    "offline", "cpu", (1,), Unknown(Cause.NOT_RECORDED, "not read"), 0,
    (Event(90.0, "offline", "cpu", "cpu1", 99),), BEFORE, BEFORE, 9,
)  # fmt: skip
DIMM = (MemoryRange(4 * GIB, 512 * MIB),)
SHUT = Unknown(Cause.NOT_PERMITTED, "/proc/kcore may not be read")


def rows(screen: Crash) -> list[str]:
    lines = screen.lines()
    return [plain(lines.source.row(at)).rstrip() for at in range(len(lines.source))]


async def opened(pilot: Pilot[int], *keys: str) -> Crash:
    screen = await open_screen(pilot, "7", *keys)
    await pilot.pause()
    assert isinstance(screen, Crash)
    return screen


async def look_again(pilot: Pilot[int]) -> None:
    before = pilot.app.view  # type: ignore[attr-defined]
    await pilot.press("r")
    await until(pilot, lambda: pilot.app.view is not before)  # type: ignore[attr-defined]
    await seen(pilot)


@pytest.mark.parametrize(
    ("crash", "answer", "beside_the_bar"),
    [
        (image(), "ARMED · a dump taken now would be complete", "complete  2.0 GiB of 2.0 GiB"),
        (
            image(coverage=replace(COMPLETE, expected=2560 * MIB, missing=DIMM)),
            "ARMED · a dump taken now would miss 512.0 MiB; missing: memory32-35",
            "missing 512.0 MiB  2.0 GiB of 2.5 GiB",
        ),
        (
            image(coverage=replace(COMPLETE, stale=DIMM), cpus=CpuNotes(2, 4, (2, 3))),
            "ARMED · a dump taken now would describe 512.0 MiB that is gone and lack the registers "
            "of 2 CPUs",
            "stale 512.0 MiB  2.0 GiB of 2.0 GiB",
        ),
        (
            image(coverage=SHUT, header=SHUT, cpus=SHUT),
            "ARMED · what a dump taken now would contain is not known: not permitted",
            "not permitted: /proc/kcore may not be read",
        ),
        (
            image(armed=False, header=SHUT),
            "NOT ARMED · a panic leaves no dump",
            "memory     no dump",
        ),
        (
            image(armed=False, residue=True),
            "NOT ARMED · a panic leaves no dump; the header of an unloaded image is still in",
            "left behind by an unloaded image",
        ),
        (
            image(armed=Unknown(Cause.UNREADABLE, "EIO")),
            "NOT KNOWN · whether a panic leaves a dump: unreadable: EIO",
            "memory     not known whether there is a dump",
        ),
    ],
)
async def test_the_answer_comes_first_and_words_stand_beside_the_bar(
    crash: CrashImage, answer: str, beside_the_bar: str
) -> None:
    async with shown(Shown(crash)).run_test(size=(80, 24)) as pilot:
        words = text(await opened(pilot))
        assert answer in " ".join(words.split())
        assert beside_the_bar in words
        assert ascii_signs(words).count("?") == words.count("?")


@pytest.mark.parametrize(
    ("address", "machine", "kind", "words"),
    [
        (0x6F000000, 62, LoadKind.MEMORY, "by kexec_file_load · 256.0 MiB at 0x0000_6f00_0000"),
        (0x7EFF0000, 62, LoadKind.MEMORY, "by kexec_load · 256.0 MiB"),
        (0x6F000000, 62, LoadKind.BACKUP, "by kexec_load · 256.0 MiB"),
        (0x6F000000, 183, LoadKind.MEMORY, "image      256.0 MiB at"),
    ],
)
async def test_how_an_image_was_loaded_is_told_where_it_is_known(
    address: int, machine: int, kind: LoadKind, words: str
) -> None:
    load = CoreLoad(MemoryRange(0, 640 << 10), 0, kind)
    crash = image(address=address, header=CoreHeader(machine, True, (), (load,)))
    async with shown(Shown(crash)).run_test(size=(80, 24)) as pilot:
        assert words in text(await opened(pilot))


async def test_happenings_are_told_the_latest_first_and_unfold() -> None:
    async with shown(Shown(image(), [CPU, ADDED, ONLINED])).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        assert [row[9:] for row in rows(screen)] == [
            "▸ online memory32-35, 512.0 MiB     7 → 8 entries   complete",
            "▸ add memory32-35, 512.0 MiB        7 unchanged     missing 512.0 MiB",
            "  offline cpu1                      7 unchanged     complete",
        ]
        folded = rows(screen)
        assert "before: missing 512.0 MiB; since then: complete" in text(screen)
        await pilot.press("down", "right")
        assert rows(screen)[1][9:] == folded[1][9:].replace("▸", "▾")
        assert [row[9:].split() for row in rows(screen)[2:6]] == [
            ["add", f"memory{number}", "SEQNUM", f"{68 + number}"] for number in (35, 34, 33, 32)
        ]
        await pilot.press("down", "left")
        assert rows(screen) == folded
        assert screen.lines().cursor == 1
        await pilot.press("end", "enter")
        assert "nothing to unfold" in bottom(screen)


async def test_a_happening_of_ten_thousand_events_is_one_line_that_unfolds() -> None:
    whole = blocks("online", range(10_000), 10.0, 5, BEFORE, AFTER)
    async with shown(Shown(image(), [whole])).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        assert "online memory0-9999, 1.2 TiB" in rows(screen)[0]
        await pilot.press("enter", "end")
        await pilot.pause()
        assert screen.lines().cursor == 10_000
        assert "online memory0  SEQNUM 500" in screen.lines().text


async def test_the_chosen_line_stays_and_who_looks_at_the_latest_sees_the_latest() -> None:
    observer = Shown(image(), [CPU, ADDED])
    async with shown(observer).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, "down")
        observer.happenings = (CPU, ADDED, ONLINED)
        await look_again(pilot)
        assert (screen.lines().cursor, screen.device()) == (2, "cpu1")
        await pilot.press("home")
        observer.happenings = (CPU, ADDED, ONLINED, replace(CPU, action="online", number=10))
        observer.happenings = tuple(
            replace(item, events=(replace(CPU.events[0], monotonic=200.0),))
            if isinstance(item, Happening) and item.number == 10
            else item
            for item in observer.happenings
        )
        await look_again(pilot)
        assert screen.lines().cursor == 0
        assert "online cpu1" in rows(screen)[0]


async def test_what_was_lost_and_what_the_kernel_said_stand_where_they_happened() -> None:
    lost = EventsLost(105.0, "the receive buffer overflowed")
    observer = Shown(
        image(),
        [
            ADDED,
            Gap(105.0, lost, 0, "nothing is missing", 2),
            Gap(108.0, None, 3, Unknown(Cause.NOT_YET, "not looked at since"), 4),
            ONLINED,
        ],
    )
    observer.log = (
        LogLine(107.0, "crash hp: kexec_trylock() failed, kdump image may be inaccurate"),
        LogLine(108.5, "KHO: exec from: 7.3.4 (count 1)"),
    )
    async with shown(observer).run_test(size=(120, 40)) as pilot:
        assert [row[11:100].strip() for row in rows(await opened(pilot))][1:4] == [
            "3 numbers of SEQNUM skipped, events may be lost; "
            "re-scan: not yet: not looked at since",
            "kernel: crash hp: kexec_trylock() failed, kdump image may be inaccurate",
            "events were lost (the receive buffer overflowed); re-scan: nothing is missing",
        ]
        await pilot.press("slash", *"trylock", "enter")
        await pilot.pause()
        assert len(rows(await opened(pilot))) == 1


async def test_the_age_of_the_header_does_not_tick() -> None:
    observer = Shown(image())
    observer.flow = Flow(12, 0.34, 2, 1, 3)
    async with shown(observer).run_test(size=(80, 24)) as pilot:
        words = "1 loss · 3 gaps · 0.3/s · 2 waiting · header read"
        assert f"{words} just now" in text(await opened(pilot))
        for age, said in ((9.0, "just now"), (11.0, "less than a minute"), (59.0, "less than a m"),
                          (185.0, "3 min ago"), (7300.0, "2 h ago")):  # fmt: skip
            observer.age = age
            await look_again(pilot)
            assert f"{words} {said}" in text(pilot.app.screen)


async def test_without_an_image_nothing_is_said_of_how_it_was_loaded() -> None:
    async with shown(Shown(image(armed=False))).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        assert "region     256.0 MiB at 0x0000_6f00_0000" in text(screen)
        assert "0 lost" in text(screen)
        await pilot.press("tab")
        await pilot.pause()
        assert "\n updated" not in text(screen) and "by kexec_file_load" not in text(screen)


@pytest.mark.parametrize("make", [console, rehearsal])
async def test_a_recording_without_events_says_so_and_counts_no_losses(
    make: Callable[[str], KhoConsole],
) -> None:
    async with make("linux-7.3.4/cold").run_test(size=(80, 24)) as pilot:
        words = text(await opened(pilot))
        assert "no events were recorded" in words
        assert "lost" not in words and "so far" not in words


async def test_how_much_is_gone_does_not_cost_the_memory_of_its_block_numbers() -> None:
    gone = MemoryRange(1 << 40, (1 << 63) - (1 << 40))
    coverage = replace(COMPLETE, stale=(gone, *DIMM, *DIMM, *DIMM))
    async with shown(Shown(image(coverage=coverage))).run_test(size=(120, 40)) as pilot:
        words = text(await opened(pilot))
        assert "; gone: memory8192-68719476735, memory32-35, memory32-35 and 1 more" in " ".join(
            words.split()
        )


async def test_a_device_of_a_line_is_taken_on_line_by_a_dialog() -> None:
    async with rehearsal("linux-7.3.4/hotplugged").run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, "end", "O")
        assert screen.query_one(Prompt).query_one("#answer").value == "cpu1"  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Dialog))
        await until(pilot, lambda: "take cpu1 offline" in text(pilot.app.screen))
        await until(pilot, lambda: "devices/system/cpu/cpu1/online" in text(pilot.app.screen))


async def test_a_proposed_device_is_typed_over_and_only_proposed_where_it_can_go() -> None:
    async with rehearsal("linux-7.3.4/hotplugged").run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, "end", "O", *"memory7")
        entry = screen.query_one(Prompt).query_one("#answer")
        assert entry.value == "memory7"  # type: ignore[attr-defined]
        await pilot.press("escape", "o")
        assert entry.value == ""  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("key", "words"), [("l", "with kexec_file_load for a crash"), ("U", "unload")]
)
async def test_a_crash_image_is_loaded_and_unloaded_from_here(key: str, words: str) -> None:
    async with console("linux-6.18.15/crash-loaded").run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, Dialog))
        assert isinstance(pilot.app.screen, ImageDialog) == (key == "l")
        await until(pilot, lambda: words in text(pilot.app.screen))


async def test_all_details_name_each_range_and_its_blocks() -> None:
    coverage = replace(COMPLETE, missing=(MemoryRange(0x40000000, 256 * MIB),), stale=DIMM)
    async with shown(Shown(image(coverage=coverage), [CPU])).run_test(size=(80, 24)) as pilot:
        words = text(await opened(pilot, "tab"))
        assert "missing 0x0000_4000_0000   256.0 MiB  memory8-9, node 1" in words
        assert "stale   0x0001_0000_0000   512.0 MiB  memory32-35" in words


async def test_the_details_tell_how_old_each_fact_is() -> None:
    """What takes the kernel's lock to read is read seldom."""
    observer = Shown(image())
    observer.age, observer.locked = 11.0, 3600.0 * 3
    async with shown(observer).run_test(size=(80, 24)) as pilot:
        words = text(await opened(pilot, "tab"))
        assert "size    256.0 MiB (268,435,456 bytes)" in words
        assert "header and memory less than a minute ago, updated and size 3 h ago" in words


def test_a_bar_is_as_wide_as_it_shall_be_and_hides_nothing() -> None:
    parts = (Part("a", "", 6 << 40), Part("b", "", 1), Part("c", "", 0), Part("d", "", 3 << 40))
    for width in (3, 8, 40, 79):
        drawn = plain(bar(parts, width))
        assert len(drawn) == width
        assert drawn.count("b") == 1
        assert "c" not in drawn
        assert drawn == "".join(sorted(drawn))
    assert plain(bar(parts, 2)) == ""
    assert plain(bar((), 10)) == ""
