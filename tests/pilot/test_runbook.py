"""The screen that guides: a run is begun, answered, done, left, picked up and undone."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from kho_console.config.settings import Settings
from kho_console.documents import runbook as documents
from kho_console.engine.actions.perform import Writer, perform
from kho_console.engine.actions.planning import plan
from kho_console.engine.journal import Journal
from kho_console.engine.observer import Observer
from kho_console.engine.opening import rehearse, writable
from kho_console.engine.runbook import shelf
from kho_console.engine.runbook.begin import begin
from kho_console.engine.runbook.run import Run
from kho_console.model.action import Action
from kho_console.model.runbook import Need, Step
from kho_console.source.fixture import FixtureSource
from kho_console.tui.app import KhoConsole
from kho_console.tui.dialogs.action import ActionDialog
from kho_console.tui.exports import screen_text
from kho_console.tui.means import Means, Mode
from kho_console.tui.screens.runbook import Runbook
from kho_console.tui.widgets.choice import Choice
from kho_console.tui.widgets.prompt import Prompt
from kho_console.twin import TwinSource
from tests.pilot.machines import ME, NEVER, bottom, open_screen, seen, text, until
from tests.recordings import folder

OPEN = "linux-6.18.15/cold"


class Machine:
    """A twin with a place for runs, on which a console may be opened again and again."""

    def __init__(self, place: Path, name: str = OPEN) -> None:
        twin = writable(rehearse(FixtureSource(folder(name)), ()))
        assert isinstance(twin, TwinSource)
        self.source = twin
        self.runs = place / "runs"
        self.writer = Writer(Journal(place / "journal", ME, mirror=None))

    def console(self, *, refusal: str | None = None) -> KhoConsole:
        means = Means(self.source, Mode.TWIN, self.writer, refusal, runs=self.runs)
        return KhoConsole(Observer(self.source), settings=Settings(interval=NEVER), means=means)

    @property
    def deeds(self) -> list[str]:
        return [type(deed).__name__ for deed in self.source.twin.history]

    def go_on(self, run: Run, step: Step) -> None:
        """Do what a run needs that nobody has to answer."""
        planner = run.planner(step) if run.position().need is Need.ACT else None
        if planner is None:
            assert run.check(step)
            return
        found = plan(self.source, planner)
        assert isinstance(found, Action)
        perform(self.source, planner, found, run.writer(step))

    def run(self, book: str, *answers: str) -> Run:
        """A run with its first questions answered."""
        content = shelf.path(book).read_text("utf-8")
        place = begin(shelf.read(book), content, self.runs, self.source, ME)
        run = Run(place, self.source, self.writer, ME, documents.facts)
        for word in answers:
            step = run.position().step
            assert step is not None and run.answer(step, word) is None
        return run


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


async def opened(pilot: Pilot[int]) -> Runbook:
    screen = await open_screen(pilot, "R")
    assert isinstance(screen, Runbook)
    await until(pilot, lambda: "7 procedures" in text(screen))
    return screen


async def at_step(pilot: Pilot[int], screen: Runbook, name: str) -> None:
    await until(pilot, lambda: f", {name}; " in " ".join(text(screen).split()))


async def agree(pilot: Pilot[int]) -> None:
    """Choose the action in the dialog, not the Cancel that it begins with."""
    await until(pilot, lambda: isinstance(pilot.app.screen, ActionDialog))
    dialog = pilot.app.screen
    await until(pilot, lambda: dialog.query(Choice) and "Cancel" in text(dialog))
    await pilot.press("tab", "enter")
    await until(pilot, lambda: "Close" in text(dialog))
    await pilot.press("enter")


async def test_a_run_from_its_begin_to_the_new_kernel(machine: Machine) -> None:
    async with machine.console().run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        screen.lines().go([book.name for book in shelf.shipped()].index("rehearsal"))
        await pilot.press("enter")
        await until(pilot, lambda: "11 steps; Enter begins" in text(screen))
        assert not machine.runs.exists()
        await pilot.press("enter")
        await at_step(pilot, screen, "kernel")
        for step, word in (("kernel", "twin:6.18.15"), ("initrd", ""), ("append", "")):
            await at_step(pilot, screen, step)
            await pilot.press("enter")
            assert screen.query_one(Prompt).asking
            for letter in word:
                await pilot.press({":": "colon", ".": "full_stop"}.get(letter, letter))
            await pilot.press("enter")
        for step in ("finalize", "load", "execute"):
            await at_step(pilot, screen, step)
            await pilot.press("enter")
            await agree(pilot)
        await until(pilot, lambda: "rehearsal: finished" in text(screen))
    (run,) = shelf.runs(machine.runs)
    assert (run.over, run.done) == ("finished", 11)


async def test_a_wrong_answer_is_asked_again(machine: Machine) -> None:
    machine.run("rehearsal")
    async with machine.console().run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await pilot.press("enter")
        await at_step(pilot, screen, "kernel")
        await pilot.press("enter", "x", "enter")
        await until(pilot, lambda: "there is no such file" in text(screen) + bottom(screen))
        await at_step(pilot, screen, "kernel")


async def test_answers_are_shown_where_they_are_used(machine: Machine) -> None:
    machine.run("rehearsal", "twin:6.18.15", "", "")
    async with machine.console().run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await pilot.press("enter")
        await at_step(pilot, screen, "finalize")
        assert " 1 kernel       twin:6.18.15" in text(screen)
        screen.lines().go([step.id for step in shelf.read("rehearsal").steps].index("load"))
        await pilot.press("tab")
        await until(pilot, lambda: "load kernel=twin:6.18.15" in " ".join(text(screen).split()))


async def test_one_that_was_left_is_told_of_and_gone_on_with(machine: Machine) -> None:
    machine.run("rehearsal", "twin:6.18.15", "", "")
    async with machine.console().run_test(size=(80, 24)) as pilot:
        first = await seen(pilot)
        await until(pilot, lambda: "R resumes it" in bottom(first))
        assert "run rehearsal stands at step 4, preflight" in bottom(first)
        screen = await opened(pilot)
        assert "1 run to go on with" in text(screen)
        await pilot.press("enter")
        await at_step(pilot, screen, "finalize")
        await pilot.press("s")
        assert "finalize may not be skipped" in bottom(screen)
        await pilot.press("enter")
        await agree(pilot)
        await at_step(pilot, screen, "load")
        await pilot.press("u")
        await agree(pilot)
        await at_step(pilot, screen, "finalize")
        await pilot.press("escape")
        await until(pilot, lambda: "7 procedures" in text(screen))
        assert "left as it stands" in bottom(screen)
    assert machine.deeds.count("Write") == 2


async def test_one_that_came_through_its_kexec_is_picked_up_by_itself(machine: Machine) -> None:
    run = machine.run("rehearsal", "twin:6.18.15", "", "")
    while (step := run.position().step) is not None and step.id != "execute":
        machine.go_on(run, step)
    assert step is not None
    # The console goes away with its kernel: how it ended is not written.
    journal, found = run.writer(step).journal, plan(machine.source, run.planner(step))
    assert journal is not None and isinstance(found, Action)
    journal.begin(found, {"source": "twin", "host": "hv-17", "boot": machine.source.kernel_start})
    machine.source.change(found.changes[0])
    async with machine.console(refusal="only looked at").run_test(size=(80, 24)) as pilot:
        await seen(pilot)
        await until(pilot, lambda: "R resumes it" in bottom(pilot.app.screen))  # type: ignore[arg-type]
    async with machine.console().run_test(size=(80, 24)) as pilot:
        await seen(pilot)
        await until(pilot, lambda: isinstance(pilot.app.screen, Runbook))
        await until(pilot, lambda: "rehearsal: finished" in text(pilot.app.screen))
    assert machine.deeds.count("Execute") == 1


@pytest.mark.parametrize("size", [(80, 24), (40, 15)])
async def test_a_step_that_fails_is_explained(tmp_path: Path, size: tuple[int, int]) -> None:
    machine = Machine(tmp_path)
    machine.run("live-update-finalize", "twin:7.3.4", "", "", "at-once")
    async with machine.console().run_test(size=size) as pilot:
        screen = await opened(pilot)
        await pilot.press("enter")
        await at_step(pilot, screen, "preflight")
        drawn = screen_text(screen)
        assert (len(drawn.splitlines()), max(map(len, drawn.splitlines())) <= size[0]) == (
            size[1],
            True,
        )
        await pilot.press("tab")
        await pilot.pause()
        assert "kernel refuses kho-v1" in " ".join(text(screen).split())


async def test_a_recording_shows_them_and_begins_none() -> None:
    source = FixtureSource(folder(OPEN))
    means = Means(source, refusal="a recording cannot be changed")
    app = KhoConsole(Observer(source), settings=Settings(interval=NEVER), means=means)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await pilot.press("enter", "enter")
        assert "a recording cannot be changed" in bottom(screen)
