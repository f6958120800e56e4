"""What is done on threads for the screen that guides: runs are read, begun and gone on with."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from kho_console.documents import runbook as documents
from kho_console.engine.opening import writable
from kho_console.engine.runbook import shelf
from kho_console.engine.runbook.begin import begin
from kho_console.engine.runbook.driver import go_on
from kho_console.engine.runbook.error import RunbookError, RunError
from kho_console.engine.runbook.machine import boot_of
from kho_console.engine.runbook.position import on_its_way
from kho_console.engine.runbook.run import Run
from kho_console.engine.runbook.state import State
from kho_console.engine.who import who
from kho_console.model.runbook import Position, Runbook, RunSummary, Step
from kho_console.model.value import dataclass
from kho_console.tui.means import Means

Turn = AbstractContextManager[object]


@dataclass(frozen=True, slots=True)
class Shelf:
    """The runbooks that there are, and the runs that go on."""

    books: tuple[Runbook, ...]
    runs: tuple[RunSummary, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that goes on, and whether it has come through its kexec since it was left."""

    run: RunSummary
    arrived: bool


@dataclass(frozen=True, slots=True)
class Stand:
    """How a run stands.

    Attributes:
        run: The run.
        state: As it was written.
        position: What it needs.
        wrong: What keeps it from going on; empty where nothing does.
    """

    run: Run
    state: State
    position: Position
    wrong: str = ""


def shelved(means: Means) -> Shelf | str:
    """What there is to choose from; why not, in words."""
    try:
        runs = () if means.runs is None else shelf.open_runs(means.runs)
        return Shelf(shelf.shipped(), runs)
    except RunbookError as error:
        return str(error)


def waiting(means: Means) -> Waiting | None:
    """The run that was begun last and goes on; None where none does."""
    found = () if means.runs is None else shelf.open_runs(means.runs)
    if not found or means.runs is None:
        return None
    machine, latest = writable(means.source), found[-1]
    try:
        state = shelf.told(means.runs / latest.id)
        arrived = machine is not None and on_its_way(state) and boot_of(machine) != state.boot
    except RunError:
        return None
    return Waiting(latest, arrived)


def begun(means: Means, book: Runbook, turn: Turn) -> Stand | str:
    """Begin a run, and go on as far as nobody is needed; why not, in words."""
    machine = writable(means.source)
    if machine is None or means.runs is None:
        return "runs are kept of this machine and of twins; a recording has none"
    text = shelf.path(book.name).read_text("utf-8")
    try:
        with turn:
            folder = begin(book, text, means.runs, machine, who())
    except (RunError, OSError) as error:
        return str(error)
    return resumed(means, folder.name, turn)


def resumed(means: Means, name: str, turn: Turn) -> Stand | str:
    """Go on with a run, as far as nobody is needed; why not, in words."""
    machine = writable(means.source)
    if machine is None or means.runs is None or means.writer is None:
        return "this machine is only looked at"
    try:
        with turn:
            pause = _outside(turn)
            folder = means.runs / name
            run = Run(folder, machine, means.writer, who(), documents.facts, pause)
        return gone_on(run, turn)
    except (RunError, OSError) as error:
        return str(error)


def gone_on(run: Run, turn: Turn) -> Stand:
    """Do what needs nobody: settle what was interrupted, check, record, verify.

    Raises:
        RunError: The run cannot be read.
        OSError: It cannot be written.
    """
    with turn:
        halt = go_on(run)
        wrong = "what must be true is not" if halt.failed else ""
        if halt.before:
            wrong = "what must be true before is not"
        return Stand(run, run.state, halt.position, wrong)


def answered(run: Run, step: Step, word: str, turn: Turn) -> Stand:
    """Take an answer, and go on."""
    wrong = run.answer(step, word)
    if wrong is not None:
        return Stand(run, run.state, run.position(), wrong)
    return gone_on(run, turn)


def skipped(run: Run, step: Step, turn: Turn) -> Stand:
    """Leave a step out, and go on."""
    wrong = run.skip(step)
    if wrong is not None:
        return Stand(run, run.state, run.position(), wrong)
    return gone_on(run, turn)


def decided(run: Run, step: Step, done: bool, turn: Turn) -> Stand:
    """Take the operator's word for what became of a step, and go on."""
    run.decide(step, done=done)
    return gone_on(run, turn)


def _outside(turn: Turn) -> Callable[[float], None]:
    """Waits while others may look at the machine."""

    def pause(seconds: float) -> None:
        turn.__exit__(None, None, None)
        try:
            time.sleep(seconds)
        finally:
            turn.__enter__()

    return pause
