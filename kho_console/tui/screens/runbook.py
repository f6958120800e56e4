"""Guided procedures: what there is, where a run stands, and what it needs next."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from kho_console import text
from kho_console.documents import runbook as documents
from kho_console.engine.observer import View
from kho_console.model.runbook import Need, RunSummary, Step, StepState
from kho_console.model.runbook import Runbook as Book
from kho_console.tui import commands, guiding, runbook_rows
from kho_console.tui.changes import Changes, changes_of
from kho_console.tui.dialogs.action import ActionDialog
from kho_console.tui.dialogs.dialog import Dialog
from kho_console.tui.guiding import Shelf, Stand, Turn
from kho_console.tui.listed import Listed
from kho_console.tui.lookout import Failure
from kho_console.tui.rows import FixedRows, Row, row
from kho_console.tui.widgets.prompt import Prompt
from kho_console.tui.wish import Wish

if TYPE_CHECKING:
    from kho_console.engine.actions.planning import Planner
    from kho_console.engine.image_files import Watch

Task = Callable[[Turn], Stand | str]

_NARROW = 60

_NEEDS = {
    Need.ANSWER: "Enter answers",
    Need.CHECK: "Enter checks again",
    Need.ACT: "Enter shows what it would do",
    Need.DECIDE: "what became of it cannot be told: look, then Enter says it",
    Need.REBOOT: "the kexec is on its way; the next kernel goes on; Enter looks again",
    Need.NOTHING: "it is over",
}


class Runbook(Listed):
    """See the module."""

    subject = commands.RUNBOOK
    detail_height = 9
    BINDINGS = commands.bindings(subject)

    def __init__(self) -> None:
        """Start with the list."""
        super().__init__()
        self._shelf: Shelf | None = None
        self._book: Book | None = None
        self._stand: Stand | None = None
        self._said = ""
        self._busy = False

    def on_screen_resume(self) -> None:
        """Look at what there is, and how the run stands after a dialog."""
        stand = self._stand
        if stand is None:
            self._read()
        elif not self._changes.doing:
            self._work(lambda turn: guiding.gone_on(stand.run, turn))

    def show(self, view: View) -> None:
        """See `Section.show`."""
        width, lines = self.size.width, self.lines()
        book = self._shown_book
        if book is None:
            self._show_list(width)
        else:
            stands, answers = self._states, self._answers
            here = None if self._stand is None else self._stand.position.step
            rows = [
                runbook_rows.step_line(
                    at, step, stands[step.id], answers.get(step.id), width - 1, here=step == here
                )
                for at, step in enumerate(book.steps, 1)
            ]
            name = f"{book.name}: " if width >= _NARROW else ""
            self.head("RUNBOOK", name + self._answer(book))
            lines.show(FixedRows(rows), cursor=True)
        self.explain(view)

    def detail(self, view: View) -> list[Row]:
        """See `Listed.detail`."""
        width, at, book = self.size.width, self.lines().cursor, self._shown_book
        if book is not None:
            step = book.steps[min(at, len(book.steps) - 1)]
            now = self._states[step.id]
            return runbook_rows.step_detail(step, now, self._answers, width)
        chosen = self._chosen()
        if chosen is None:
            return []
        if isinstance(chosen, RunSummary):
            return runbook_rows.run_detail(chosen, width)
        return runbook_rows.book_detail(chosen, width)

    def close_something(self) -> bool:
        """Show the step again, then the list; a run that was left goes on later."""
        if super().close_something():
            return True
        if self._shown_book is None:
            return False
        left, self._stand, self._book = self._stand, None, None
        if left is not None and left.position.need is not Need.NOTHING:
            self.say("left as it stands: it is in the list, and `runbook resume` goes on too")
        self.lines().go(0)
        self._read()
        self.draw()
        return True

    def exported(self) -> Mapping[str, Iterable[str]] | None:
        """See `exports.Exporter`."""
        book = self._shown_book
        if book is not None:
            return {"json": (f"{json.dumps(documents.runbook(book), indent=2)}\n",)}
        if self._shelf is None:
            return None
        found = documents.runbooks(self._shelf.books, self._shelf.runs)
        return {"json": (f"{json.dumps(found, indent=2)}\n",)}

    def open_run(self, name: str) -> None:
        """Go on with a run."""
        self._work(lambda turn: guiding.resumed(self._changes.means, name, turn))

    def action_do_step(self) -> None:
        """Open what is chosen; begin the run; do what it needs."""
        stand, book = self._stand, self._book
        if self._busy:
            self.say("it is being worked on")
        elif stand is not None:
            self._do(stand)
        elif book is not None:
            if (refusal := self._changes.refusal) is not None:
                self.say(f"x {text.escaped(refusal)}")
                return
            means = self._changes.means
            self._work(lambda turn: guiding.begun(means, book, turn))
        else:
            self._open_chosen()

    def action_skip_step(self) -> None:
        """Leave the step out that the run stands at."""
        stand = self._stand
        step = None if stand is None else stand.position.step
        if stand is None or step is None or self._busy:
            self.say("no run stands at a step here")
        elif not step.optional:
            self.say(f"{step.id} may not be skipped")
        else:
            self._work(lambda turn: guiding.skipped(stand.run, step, turn))

    def action_undo_step(self) -> None:
        """Ask about what undoes the latest step that changed the machine."""
        stand = self._stand
        if stand is None or self._busy:
            self.say("no run is open here")
            return
        step = stand.run.undoable()
        if isinstance(step, str):
            self.say(text.escaped(step))
        else:
            self._ask(stand, step, undo=True)

    @property
    def _changes(self) -> Changes:
        return changes_of(self.app)

    @property
    def _shown_book(self) -> Book | None:
        return self._book if self._stand is None else self._stand.state.book

    @property
    def _states(self) -> Mapping[str, StepState]:
        if self._stand is not None:
            return self._stand.state.steps
        return {step.id: StepState() for step in self._book.steps} if self._book else {}

    @property
    def _answers(self) -> Mapping[str, str]:
        return {} if self._stand is None else self._stand.state.answers

    def _answer(self, book: Book) -> str:
        """The first line: where it stands, and what Enter does."""
        if self._busy:
            return "being worked on .."
        stand = self._stand
        if stand is None:
            return f"{text.count(len(book.steps), 'step')}; Enter begins"
        at, step = stand.position, stand.position.step
        if step is None:
            return text.escaped(at.text)
        number = book.steps.index(step) + 1
        words = f"step {number} of {len(book.steps)}, {step.id}; "
        wrong = f"{stand.wrong}; " if stand.wrong else ""
        return words + wrong + _NEEDS[at.need]

    def _show_list(self, width: int) -> None:
        found = self._shelf
        if found is None:
            self.head("RUNBOOKS", text.escaped(self._said) or "being read ..")
            self.lines().show(FixedRows(()), cursor=False)
            return
        runs = f" · {text.count(len(found.runs), 'run')} to go on with" if found.runs else ""
        self.head("RUNBOOKS", f"{text.count(len(found.books), 'procedure')}{runs}")
        rows = [runbook_rows.run_line(item, width - 1) for item in found.runs]
        rows += [runbook_rows.book_line(item, width - 1) for item in found.books]
        self.lines().show(FixedRows(rows or [row("there is none")]), cursor=bool(rows))

    def _chosen(self) -> RunSummary | Book | None:
        found = self._shelf
        if found is None:
            return None
        both: tuple[RunSummary | Book, ...] = (*found.runs, *found.books)
        return both[min(self.lines().cursor, len(both) - 1)] if both else None

    def _open_chosen(self) -> None:
        chosen = self._chosen()
        if isinstance(chosen, RunSummary):
            if (refusal := self._changes.refusal) is not None:
                self.say(f"x {text.escaped(refusal)}")
                return
            self.open_run(chosen.id)
        elif chosen is not None:
            self._book = chosen
            self.lines().go(0)
            self.draw()

    def _do(self, stand: Stand) -> None:
        """What Enter does for a run."""
        at, step = stand.position, stand.position.step
        match at.need:
            case Need.ANSWER if step is not None:
                self._ask_answer(stand, step)
            case Need.ACT if step is not None:
                self._ask(stand, step, undo=False)
            case Need.DECIDE if step is not None:
                self._ask_decision(stand, step)
            case Need.NOTHING:
                self.say("it is over; Esc goes back to the list")
            case _:
                self._work(lambda turn: guiding.gone_on(stand.run, turn))

    def _ask_answer(self, stand: Stand, step: Step) -> None:
        asks = step.question
        assert asks is not None
        before = stand.state.answers.get(step.id, asks.default or "")
        hint = ", ".join(asks.choices) or ("a path" if asks.kind == "file" else str(asks.kind))

        def answer(words: str) -> bool:
            self._work(lambda turn: guiding.answered(stand.run, step, words, turn))
            return True

        self.query_one(Prompt).ask(step.id, before, answer, hint=text.escaped(hint))

    def _ask_decision(self, stand: Stand, step: Step) -> None:
        def answer(words: str) -> bool:
            word = words.strip()
            if word not in ("done", "not done"):
                return False
            done = word == "done"
            self._work(lambda turn: guiding.decided(stand.run, step, done, turn))
            return True

        self.query_one(Prompt).ask(f"was {step.id} done", "", answer, hint="done, or not done")

    def _ask(self, stand: Stand, step: Step, *, undo: bool) -> None:
        """Show the action in the dialog that all actions have."""

        def planner(watch: "Watch") -> "Planner":
            return stand.run.planner(step, watch, undo=undo)

        name = step.undo if undo else step.action
        wish = Wish(name, planner, writer=stand.run.writer(step, undo=undo))
        if not any(isinstance(screen, Dialog) for screen in self.app.screen_stack):
            self.app.push_screen(ActionDialog(wish))

    def _read(self) -> None:
        def then(found: Shelf | str | Failure) -> None:
            if isinstance(found, str | Failure):
                self._said = found if isinstance(found, str) else found.reason
            else:
                self._shelf = found
            self.draw()

        means = self._changes.means
        self._changes.guide(self, lambda turn: guiding.shelved(means), then)

    def _work(self, task: Task) -> None:
        """Have something done for the run, and show how it stands then."""
        if self._busy:
            return
        self._busy = True
        self.draw()

        def then(found: Stand | str | Failure) -> None:
            self._busy = False
            if isinstance(found, str | Failure):
                said = found if isinstance(found, str) else found.reason
                self.draw()
                self.say(f"x {text.escaped(said)}")
                return
            self._stand = found
            step = found.position.step
            self.draw()
            if step is not None:
                self.lines().go(found.state.book.steps.index(step))
            if found.wrong:
                self.say(f"x {text.escaped(found.wrong)}")

        self._changes.guide(self, task, then)
