"""How a run gets on, as lines or as JSON, one object a line."""

import json

from kho_console import text
from kho_console.cli import output
from kho_console.documents import runbook as documents
from kho_console.documents.shape import Document
from kho_console.engine.runbook.state import State
from kho_console.model.runbook import Position, Runbook, Standing, StepState

_SIGNS = {
    Standing.DONE: "ok",
    Standing.FAILED: "x",
    Standing.SKIPPED: "-",
    Standing.PASSED: "-",
    Standing.BEGUN: "!",
    Standing.PENDING: "?",
    Standing.DOING: "?",
}


class Progress:
    """Tells each step once for each way in which it stands."""

    def __init__(self, run: str, as_json: bool) -> None:
        """Tell of `run`."""
        self._run = run
        self._json = as_json
        self._told: dict[str, StepState] = {}

    def tell(self, state: State) -> None:
        """Tell the steps that stand in another way than when they were last told."""
        for number, step in enumerate(state.book.steps, 1):
            now = state.steps[step.id]
            if now.standing is Standing.WAITING or self._told.get(step.id) == now:
                continue
            self._told[step.id] = now
            if self._json:
                _object(documents.progress(self._run, state.book, step, now))
            else:
                sign = _SIGNS.get(now.standing, "")
                place = f"{number:>2}/{len(state.book.steps)}"
                words = f"{now.standing}: {text.escaped(now.text)}"
                output.report(f"{sign:<3} {place} {step.id:<12} {words}")

    def end(self, book: Runbook, left: Position) -> None:
        """Tell where the run was left."""
        if self._json:
            _object(
                documents.run_stands(
                    self._run, book, step=left.step, need=str(left.need), words=left.text
                )
            )
        elif left.step is None:
            output.report(f"run {self._run}: {left.text}")
        else:
            output.report(f"run {self._run} stands at {left.step.id}, and needs {left.need}")


def _object(found: Document) -> None:
    output.report(json.dumps(found))
