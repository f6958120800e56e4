"""The journal screen: its actions, their details, and what of it is damaged."""

import json
from pathlib import Path

import pytest
from textual.pilot import Pilot

from kho_console.engine.journal import Journal
from kho_console.model.action import Action, Risk
from kho_console.model.change import Write
from kho_console.model.outcome import Ending, Explained, Found, Outcome
from kho_console.model.record import Who
from kho_console.tui.changes import changes_of
from kho_console.tui.section import Section
from kho_console.tui.widgets.lines import Lines
from tests.cli.test_documents import validate
from tests.pilot.machines import console, open_screen, rehearsal, seen, text, until

NAME = "linux-6.18.15/cold"
FILE = "/sys/kernel/debug/kho/out/finalize"
ACTION = Action("finalize", "finalize", (Write(FILE, b"1"),), (), "abort", Risk.SMALL, ())
WHO = Who(0, "root\x1b[2J", "alice", "/dev/pts/1", "192.0.2.1 5 192.0.2.2 22")
REFUSED = Explained(16, "EBUSY", f"write {FILE}", "it is busy", "wait")


def written(path: Path) -> None:
    """A journal of three actions, one of which has no end, and a line that was torn."""
    journal = Journal(path, WHO, mirror=None)
    machine = {"source": "live", "host": "hv-17", "boot": "b"}
    known = journal.begin(ACTION, machine)
    journal.end(known, ACTION, Outcome(Ending.DONE, "done", (Found(FILE, "1", "1", True),)))
    known = journal.begin(ACTION, machine)
    journal.end(known, ACTION, Outcome(Ending.KERNEL_REFUSED, "busy", explained=REFUSED))
    journal.begin(ACTION, machine)
    with path.open("ab") as file:
        file.write(b'{"schema": 1, "step": "begi')


async def journal(pilot: Pilot[int]) -> Section:
    screen = await open_screen(pilot, "J")
    await until(pilot, lambda: "the journal was not read yet" not in text(screen))
    await pilot.pause()
    return screen


async def test_actions_details_and_damage(tmp_path: Path) -> None:
    written(tmp_path / "journal")
    async with rehearsal(NAME, tmp_path / "journal").run_test(size=(100, 30)) as pilot:
        screen = await journal(pilot)
        shown = text(screen)
        assert "JOURNAL    3 actions" in shown
        assert "cannot be read: line 6: no line of a journal" in shown
        rows = screen.query_one("#list", Lines)
        assert len(rows.source) == 3 and rows.cursor == 2
        assert "interrupted: it was begun, and how it ended was not written" in shown
        assert "\x1b" not in shown
        await pilot.press("up")
        await pilot.pause()
        shown = text(screen)
        assert "errno   EBUSY" in shown
        assert "root\\x1b[2J (uid 0), logged in as alice, on /dev/pts/1, by ssh 192.0.2.1" in shown
        await pilot.press("home", "tab")
        await pilot.pause()
        shown = text(screen)
        assert f"asked   call=write, path={FILE}, data=1" in shown
        assert f"proof   {FILE}: 1" in shown


async def test_it_is_filtered_and_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    written(tmp_path / "journal")
    async with rehearsal(NAME, tmp_path / "journal").run_test(size=(100, 30)) as pilot:
        screen = await journal(pilot)
        await pilot.press("slash", *"refused", "enter")
        await pilot.pause()
        assert len(screen.query_one("#list", Lines).source) == 1
        await pilot.press("escape", "E")
        exported = tmp_path / "kho-console" / "journal-1.json"
        await until(pilot, lambda: str(exported) in text(screen))
        document = json.loads(exported.read_text())
        validate(document, "journal")
        assert len(document["records"]) == 3


async def test_the_latest_actions_stand_on_handover(tmp_path: Path) -> None:
    written(tmp_path / "journal")
    async with rehearsal(NAME, tmp_path / "journal").run_test(size=(100, 40)) as pilot:
        screen = await open_screen(pilot, "6")
        await until(pilot, lambda: "interrupted" in text(screen))
        lines = [item for item in text(screen).splitlines() if " finalize   " in item]
        stands = ("interrupted", "the kernel refused", "done")
        assert all(word in item for word, item in zip(stands, lines[-3:], strict=True))
        rows = screen.query_one("#list", Lines)
        at = next(at for at in range(len(rows.source)) if "JOURNAL" in rows.source.row(at)[0][0])
        rows.go(at)
        await pilot.press("enter")
        assert (await seen(pilot)).subject == "journal"


async def test_a_journal_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    async with rehearsal(NAME, tmp_path / "journal").run_test(size=(100, 24)) as pilot:
        screen = await journal(pilot)
        assert "JOURNAL    unreadable:" in text(screen)
    async with console(NAME).run_test(size=(80, 24)) as pilot:
        screen = await journal(pilot)
        assert "of this source no journal is kept" in text(screen)
        assert changes_of(pilot.app).means.journal is None
