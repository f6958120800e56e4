"""Handover: the life cycle, what is possible, and doing it on a twin and on a machine."""

import errno
import os
import threading
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from kho_console.engine.life_cycle import life_cycle
from kho_console.engine.observe import observe
from kho_console.engine.writer_lock import WriterLock
from kho_console.model.change import Change, Write
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureSource
from kho_console.tui.changes import Changes, changes_of
from kho_console.tui.commands import COMMANDS
from kho_console.tui.dialogs.action import ActionDialog
from kho_console.tui.dialogs.image import ImageDialog
from kho_console.tui.life_cycle_rows import drawing
from kho_console.tui.palette import TableCommands
from kho_console.tui.rows import plain
from kho_console.tui.section import Section
from kho_console.tui.widgets.choice import Choice
from tests.engine.changeable import Changeable, put, refuse
from tests.pilot.machines import (
    ME,
    banner,
    bottom,
    console,
    open_screen,
    rehearsal,
    seen,
    text,
    until,
    writing,
)
from tests.recordings import folder

OPEN, STATELESS = "linux-6.18.15/cold", "linux-7.3.4/sessions"
FINALIZE = "/sys/kernel/debug/kho/out/finalize"
LOADED = "/sys/kernel/kexec_loaded"
NAMES = {":": "colon", ".": "full_stop", "/": "slash", "-": "minus", "_": "underscore"}


def changes(pilot: Pilot[int]) -> Changes:
    return changes_of(pilot.app)


class Held(Changeable):
    """A machine whose kernel takes its time: until the gate is open."""

    def __init__(self, name: str) -> None:
        self.gate = threading.Event()
        super().__init__(name, self._wait)

    def _wait(self, machine: Changeable, change: Change) -> None:
        assert self.gate.wait(60)
        machine.files[FINALIZE] = "1\n"


async def handover(pilot: Pilot[int]) -> Section:
    """The screen, once it knows what is possible."""
    screen = await open_screen(pilot, "6")
    await until(pilot, lambda: changes(pilot).possible)
    await pilot.pause()
    return screen


async def asked(pilot: Pilot[int], *keys: str) -> ActionDialog:
    """The dialog that keys open, once all is known of it."""
    await pilot.press(*keys)
    await until(pilot, lambda: isinstance(pilot.app.screen, ActionDialog))
    dialog = pilot.app.screen
    assert isinstance(dialog, ActionDialog)
    words = ("looking at the machine", "being worked out")
    await until(pilot, lambda: not any(word in text(dialog) for word in words))
    return dialog


async def done(pilot: Pilot[int]) -> str:
    """Choose what is beside Cancel; what the dialog says of how it ended."""
    dialog = pilot.app.screen
    assert isinstance(dialog, ActionDialog)
    await pilot.press("tab", "enter")
    await until(pilot, lambda: changes(pilot).last is not None and not changes(pilot).doing)
    await until(pilot, lambda: "Close" in dialog.query_one("#cancel", Choice).text)
    shown = text(dialog)
    await pilot.press("enter")
    await seen(pilot)
    return shown


async def typed(pilot: Pilot[int], words: str) -> None:
    await pilot.press(*(NAMES.get(letter, letter) for letter in words))


async def loaded(pilot: Pilot[int], kernel: str) -> tuple[str, str]:
    """Load an image on a twin; the action as it is shown, and how it ended."""
    await pilot.press("l")
    await until(pilot, lambda: isinstance(pilot.app.screen, ImageDialog))
    await typed(pilot, kernel)
    await pilot.press("enter", "enter", "enter", "tab", "tab", "tab")
    shown = text(await asked(pilot, "enter"))
    return shown, await done(pilot)


def line(screen: Section, start: str) -> str:
    """The line of a screen that begins with a word."""
    found = [item.lstrip(">") for item in text(screen).splitlines()]
    return next(item for item in found if item.lstrip().startswith(start))


@pytest.mark.parametrize(
    ("name", "way", "words"),
    [
        (OPEN, " [OPEN] ──finalize→ finalized ──load→ loaded ──execute→ next kernel", "open, no"),
        (
            "linux-6.18.15/ready",
            " open ──finalize→ finalized ──load→ [LOADED] ──execute→ next kernel",
            "finalized, an",
        ),
        (
            "linux-6.18.15/loaded-first",
            " [OPEN] ──finalize→ finalized ──load→ loaded ──execute→ next kernel",
            "open, an image is loaded",
        ),
        (STATELESS, " [STATELESS] ──load→ loaded ──execute→ next kernel", "stateless, no"),
        ("linux-7.3.4/ready", " stateless ──load→ [LOADED] ──execute→ next kernel", "an image"),
        (
            "linux-6.19.11/cold",
            " [OPEN] ──finalize→ finalized ──load→ loaded ──execute→ next kernel",
            "open, no image",
        ),
    ],
)
def test_the_life_cycle_is_that_of_the_kernel(name: str, way: str, words: str) -> None:
    found = life_cycle(observe(FixtureSource(folder(name))))
    rows = [plain(row) for row in drawing(found, 80)]
    assert rows[0] == way
    assert words in rows[-1]
    # What leads back ends below the stations that it joins.
    for back in found.back:
        assert f" {back.verb} " in rows[2]
    assert rows[1].count("↑") == rows[1].count("│") == len(found.back)
    narrow = [plain(row) for row in drawing(found, 40, low=True)]
    assert max(map(len, narrow)) <= 40
    assert narrow[0].startswith(" ") and "→" in narrow[0]


async def test_what_is_possible_and_why_the_rest_is_not() -> None:
    async with console(OPEN).run_test(size=(120, 40)) as pilot:
        screen = await handover(pilot)
        assert "look only undone by abort" in line(screen, "f finalize")
        assert "not now   the handover is not finalized" in line(screen, "a abort")
        assert "! without the handover: it is not finalized" in line(screen, "l load")
        assert "not now   no image is loaded" in line(screen, "x execute")
        assert "the console was opened to look only" in text(screen)
        assert "JOURNAL        not shown: of this source no journal is kept" in text(screen)


async def test_a_kernel_without_a_step_says_what_there_is_instead() -> None:
    async with rehearsal(STATELESS).run_test(size=(80, 24)) as pilot:
        screen = await handover(pilot)
        assert "none      this kernel (7.2 and 7.3) has no such step" in line(screen, "f finalize")
        assert "instead what is preserved is always current" in text(screen)
        dialog = await asked(pilot, "f")
        assert "why not this kernel (7.2 and 7.3) has no such step" in text(dialog)
        assert "[ Finalize ]" not in text(dialog)
        await pilot.press("tab", "enter")
        await seen(pilot)
        assert changes(pilot).last is None


async def test_a_whole_handover_on_a_twin(tmp_path: Path) -> None:
    app = rehearsal(OPEN, tmp_path / "journal.jsonl")
    async with app.run_test(size=(100, 40)) as pilot:
        screen = await handover(pilot)
        assert banner(screen).endswith("linux-6.18.15/cold  TWIN")
        dialog = await asked(pilot, "f")
        shown = text(dialog)
        assert f'does    write "1" to {FINALIZE}' in shown
        assert "undone  by abort" in shown
        assert f"ok  the handover is open ({FINALIZE}: 0)" in shown
        assert "then    handover.state: open -> finalized" in shown
        assert dialog.focused is dialog.query_one("#cancel")
        assert f"proof   {FINALIZE}: 1, as expected" in await done(pilot)
        await until(pilot, lambda: "[FINALIZED]" in text(screen))

        shown, proof = await loaded(pilot, "twin:6.18.15")
        assert 'kexec_file_load(kernel="twin:6.18.15", initrd=none' in shown
        assert f"proof   {LOADED}: 1, as expected" in proof
        await until(pilot, lambda: "[LOADED]" in text(screen))
        assert "the next reboot will kexec" in screen.query_one("#banner").text  # type: ignore[attr-defined]
        assert "of twin:6.18.15" in line(screen, "PREFLIGHT")

        dialog = await asked(pilot, "x")
        assert "then    handover.booted_through_handover: false -> true" in text(dialog)
        assert "6.18.15 runs, and it took the handover" in await done(pilot)
        await until(pilot, lambda: "[OPEN]" in text(screen))
        await until(pilot, lambda: app.view and app.view.snapshot.booted_through_handover is True)
        await until(pilot, lambda: "execute    done: 6.18.15 runs" in text(screen))

        await pilot.press("J")
        journal = await seen(pilot)
        rows = [item for item in text(journal).splitlines() if " operator   " in item]
        names = [item.partition("operator")[2].split()[0] for item in rows]
        assert names == ["finalize", "load", "execute"]


async def test_what_is_predicted_is_what_comes(tmp_path: Path) -> None:
    async with rehearsal(STATELESS).run_test(size=(100, 60)) as pilot:
        screen = await handover(pilot)
        await loaded(pilot, "twin:6.18.15")
        dialog = await asked(pilot, "x")
        assert "booted_through_handover" not in text(dialog)
        shown = await done(pilot)
        assert "it took no handover: what was preserved is lost" in shown
        assert "not proven" in line(screen, "LAST")


async def test_keys_that_come_in_one_go_close_a_dialog_once() -> None:
    async with rehearsal(OPEN).run_test(size=(80, 24)) as pilot:
        await handover(pilot)
        dialog = await asked(pilot, "f")
        for _ in range(3):
            pilot.app.post_message(events.Key("enter", None))
        pilot.app.post_message(events.Key("escape", None))
        await until(pilot, lambda: not dialog.is_attached)
        await pilot.pause()
        assert pilot.app.screen_stack
        assert changes(pilot).last is None


@pytest.mark.parametrize("key", ["escape", "q", "ctrl+c", "ctrl+q", "enter", "space"])
async def test_every_key_but_the_choice_itself_cancels(key: str) -> None:
    async with rehearsal(OPEN).run_test(size=(80, 24)) as pilot:
        await handover(pilot)
        await asked(pilot, "f")
        await pilot.press(key)
        await seen(pilot)
        assert changes(pilot).last is None
        assert not changes(pilot).doing


async def test_other_keys_reach_nothing_behind_a_dialog() -> None:
    async with rehearsal(OPEN).run_test(size=(80, 24)) as pilot:
        await handover(pilot)
        dialog = await asked(pilot, "f")
        await pilot.press("f", "x", "1", "y", "F", "r", "colon", "question_mark")
        await pilot.pause()
        assert pilot.app.screen is dialog
        assert changes(pilot).last is None


async def test_the_answer_of_the_kernel_is_explained() -> None:
    async with rehearsal(OPEN).run_test(size=(80, 40)) as pilot:
        screen = await handover(pilot)
        await pilot.press("F")
        await typed(pilot, "write:1:EBUSY")
        await pilot.press("enter")
        await until(pilot, lambda: "will go wrong: write:1:EBUSY" in bottom(screen))
        await asked(pilot, "f")
        shown = await done(pilot)
        assert "finalize: the kernel refused" in shown
        assert "answers EBUSY" in shown and " means " in shown and " do " in shown
        assert "the kernel refused" in line(screen, "LAST")
        await until(pilot, lambda: "[OPEN]" in text(screen))


async def test_a_fault_that_is_none_is_said_and_no_twin_has_none() -> None:
    async with rehearsal(OPEN).run_test(size=(120, 24)) as pilot:
        screen = await handover(pilot)
        await pilot.press("F")
        await typed(pilot, "write:often")
        await pilot.press("enter")
        await until(pilot, lambda: "is no fault; there are" in bottom(screen))
    async with console(OPEN).run_test(size=(80, 24)) as pilot:
        screen = await handover(pilot)
        await pilot.press("F")
        assert "this is no twin" in bottom(screen)


async def test_a_new_kernel_that_panics_is_shown_as_dead() -> None:
    async with rehearsal("linux-7.3.4/ready", None, "panic").run_test(size=(100, 30)) as pilot:
        screen = await handover(pilot)
        await asked(pilot, "x")
        assert "the new kernel panicked" in await done(pilot)
        assert "the new kernel panicked" in line(screen, "LAST")


async def test_a_memory_block_goes_offline_by_its_name() -> None:
    async with rehearsal("linux-7.3.4/hotplugged").run_test(size=(100, 30)) as pilot:
        screen = await handover(pilot)
        await pilot.press("O")
        await typed(pilot, "memory")
        await pilot.press("enter")
        await until(pilot, lambda: "neither memoryN nor cpuN" in bottom(screen))
        await pilot.press("ctrl+u")
        await typed(pilot, "cpu1")
        dialog = await asked(pilot, "enter")
        assert 'write "0" to /sys/devices/system/cpu/cpu1/online' in text(dialog)
        assert "offline: done" in await done(pilot)


async def test_a_machine_that_may_be_changed(tmp_path: Path) -> None:
    machine = Changeable(OPEN, put(FINALIZE, "1\n"))
    async with writing(machine, tmp_path).run_test(size=(80, 30)) as pilot:
        screen = await handover(pilot)
        assert banner(screen).endswith("WRITE")
        await asked(pilot, "f")
        assert "finalize: done" in await done(pilot)
        assert machine.asked == [Write(FINALIZE, b"1")]


async def test_what_nothing_undoes_wants_the_name_of_the_host(tmp_path: Path) -> None:
    machine = Changeable("linux-7.3.4/ready", lambda found, change: found.files.clear())
    machine.files["/run/systemd/system"] = ""
    app = writing(machine, tmp_path)
    async with app.run_test(size=(80, 40)) as pilot:
        await handover(pilot)
        dialog = await asked(pilot, "x")
        shown = text(dialog)
        assert "systemctl kexec" in shown
        assert "holders of live-update sessions" in shown and "a cold boot" in shown
        assert "type the name of the host: hv-17" in shown
        assert dialog.focused is dialog.query_one("#cancel")
        dialog.query_one("#go").focus()
        for words in ("", "hv-1", "HV-17"):
            dialog.query_one(Input).value = words
            dialog.query_one("#go").focus()
            await pilot.press("enter")
            assert "this is not the name of the host" in text(dialog)
            assert machine.asked == []
        dialog.query_one(Input).value = ""
        dialog.query_one(Input).focus()
        await typed(pilot, "hv-17")
        await pilot.press("enter")
        await pilot.pause()
        assert machine.asked == []
        await pilot.press("enter")
        await until(pilot, lambda: changes(pilot).last is not None)
        assert len(machine.asked) == 1
        assert "execute: pending" in text(dialog)


async def test_a_recording_and_a_machine_that_is_looked_at_are_not_changed() -> None:
    async with console(OPEN).run_test(size=(80, 24)) as pilot:
        screen = await handover(pilot)
        assert banner(screen).endswith("R/O")
        dialog = await asked(pilot, "f")
        shown = text(dialog)
        assert f'does    write "1" to {FINALIZE}' in shown
        assert "[ Finalize ]" not in shown
        assert "not done: the console was opened to look only" in shown
        await pilot.press("tab", "enter")
        await seen(pilot)
        assert changes(pilot).last is None


async def test_the_right_is_tested_before_it_is_called_possible(tmp_path: Path) -> None:
    machine = Changeable(OPEN, put(FINALIZE, "1\n"))
    machine.forbidden = Unknown(Cause.NOT_PERMITTED, "not permitted (EACCES)")
    async with writing(machine, tmp_path).run_test(size=(100, 30)) as pilot:
        screen = await handover(pilot)
        assert "not now   not permitted (EACCES)" in line(screen, "f finalize")


async def test_the_second_console_only_looks_and_says_who_writes(tmp_path: Path) -> None:
    machine = Changeable(OPEN, put(FINALIZE, "1\n"))
    other = WriterLock(tmp_path / "lock", ME)
    app = writing(machine, tmp_path)
    with other:
        async with app.run_test(size=(120, 30)) as pilot:
            screen = await handover(pilot)
            await until(pilot, lambda: "of operator" in text(screen).splitlines()[1])
            assert f"process {os.getpid()} of operator" in text(screen).splitlines()[1]
            assert banner(screen).endswith("R/O")
            dialog = await asked(pilot, "f")
            assert "[ Finalize ]" not in text(dialog)
            assert machine.asked == []
            await pilot.press("q")
            other.__exit__(None, None, None)
            await pilot.press("r")
            await until(pilot, lambda: banner(screen).endswith("WRITE"))
            assert not text(screen).splitlines()[1].startswith("── process")
        other.__enter__()


async def test_an_errno_of_a_machine_stays_readable(tmp_path: Path) -> None:
    log = "[  100.000000] KHO: finalize failed: \x1b[31mred\n"
    machine = Changeable(OPEN, refuse(errno.ENOMEM, log=log))
    async with writing(machine, tmp_path).run_test(size=(100, 40)) as pilot:
        await handover(pilot)
        await asked(pilot, "f")
        shown = await done(pilot)
        assert "answers ENOMEM" in shown
        assert "\x1b" not in shown


async def test_one_change_at_a_time_and_a_closed_dialog_does_not_stop_it(tmp_path: Path) -> None:
    machine = Held(OPEN)
    app = writing(machine, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await handover(pilot)
        await asked(pilot, "f")
        await pilot.press("tab", "enter")
        await until(pilot, lambda: machine.asked)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Section))
        assert "finalize the handover" in line(screen, "LAST")
        await pilot.press("f")
        await until(pilot, lambda: "something is being done" in text(app.screen))
        assert "[ Finalize ]" not in text(app.screen)
        await pilot.press("q")
        await seen(pilot)
        await pilot.press("q")
        assert "once more leaves without its end" in bottom(screen)
        machine.gate.set()
        await until(pilot, lambda: changes(pilot).last is not None)
        await until(pilot, lambda: "finalize: done" in text(screen))
        assert len(machine.asked) == 1


async def test_every_step_runs_from_the_palette() -> None:
    own = [item for item in COMMANDS if item.screens[:1] == ("handover",)]
    assert {"finalize", "abort", "load", "unload", "unload-crash", "execute"} <= {
        item.id for item in own
    }
    assert {"execute-at-once", "online", "offline", "check-image", "fault"} <= {
        item.id for item in own
    }
    async with rehearsal(OPEN).run_test(size=(80, 24)) as pilot:
        screen = await seen(pilot)
        hits = [hit async for hit in TableCommands(screen).search("Finalize on Handover")]
        await hits[0].command()
        await until(pilot, lambda: isinstance(pilot.app.screen, ActionDialog))
        assert changes(pilot).last is None


@pytest.mark.parametrize(
    ("name", "width", "note"),
    [
        ("linux-7.3.4/ready", 80, "── the next reboot will kexec ── rehearsal: nothing on this"),
        ("linux-7.3.4/ready", 40, "── next reboot will kexec ── rehearsal ─"),
        (STATELESS, 40, "── rehearsal ───────────────────────────"),
    ],
)
async def test_what_must_not_be_overlooked_stands_on_every_screen(
    name: str, width: int, note: str
) -> None:
    async with rehearsal(name).run_test(size=(width, 15)) as pilot:
        for key in ("1", "2", "5", "6", "0"):
            screen = await open_screen(pilot, key)
            below = text(screen).splitlines()[1]
            assert below.startswith(note), key
            assert len(below) == width


async def test_it_can_be_used_at_the_least_size() -> None:
    async with rehearsal(OPEN).run_test(size=(40, 15)) as pilot:
        screen = await handover(pilot)
        assert screen.query_one("#list").size.height >= 3
        dialog = await asked(pilot, "f")
        assert dialog.query_one("#text").size.height >= 8
        assert dialog.query_one("#go").region.right <= 40
        assert dialog.query_one("#hint").region.bottom == 15
        assert "finalize: done" in await done(pilot)
        await pilot.press("l")
        await until(pilot, lambda: isinstance(pilot.app.screen, ImageDialog))
        await pilot.pause()
        assert pilot.app.screen.query_one("#load").region.right <= 40
        assert pilot.app.screen.query_one("#text").size.height >= 4


async def test_the_series_of_2024_has_its_own_words() -> None:
    async with console("made/kho2024-inactive").run_test(size=(120, 40)) as pilot:
        screen = await handover(pilot)
        assert "! without the handover: it is not active" in line(screen, "l load")
        assert "f activate  a deactivate" in bottom(screen)
