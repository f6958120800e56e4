"""What this console can and cannot see here, and what would fix it."""

from collections import Counter
from collections.abc import Iterable

from textual.widget import Widget

from kho_console import text
from kho_console.engine.observer import View
from kho_console.model.check import Check, Result
from kho_console.tui import commands
from kho_console.tui.rows import FixedRows, Row, column, exactly, row, rule, wrapped
from kho_console.tui.section import Section
from kho_console.tui.signs import NAME, RESULTS
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Panel

_DETAIL = 6
_WORDS = {
    Result.FAIL: "failed",
    Result.WARNING: "with a warning",
    Result.UNKNOWN: "not known",
    Result.PASS: "passed",
}


class Doctor(Section):
    """See the module."""

    subject = "doctor"
    BINDINGS = commands.bindings(subject)

    def body(self) -> Iterable[Widget]:
        """See `Section.body`."""
        yield Panel(id="head")
        yield Lines("list")
        yield Panel(id="detail")

    def lines(self) -> Lines:
        """See `Section.lines`."""
        return self.query_one("#list", Lines)

    def show(self, view: View) -> None:
        """See `Section.show`."""
        width = self.size.width
        counted = Counter(item.result for item in view.checks)
        answer = ", ".join(f"{counted[at]} {word}" for at, word in _WORDS.items() if counted[at])
        self.query_one("#head", Panel).show([row((" DOCTOR     ", "strong"), answer), rule(width)])
        self.lines().show(FixedRows([_line(item, width) for item in _ordered(view)]))
        self._detail(view)

    def on_lines_moved(self) -> None:
        """Explain the check under the cursor."""
        if self.view is not None:
            self._detail(self.view)

    def _detail(self, view: View) -> None:
        width = self.size.width
        item = _ordered(view)[self.lines().cursor]
        rows = [rule(width), *wrapped(text.escaped(item.text), width, _label("answer"))]
        if item.evidence:
            rows += wrapped(text.escaped(item.evidence), width, _label("seen"), "dim", most=3)
        if item.remedy:
            rows += wrapped(text.escaped(item.remedy), width, _label("remedy"))
        self.query_one("#detail", Panel).show(exactly(rows, _DETAIL))


def _ordered(view: View) -> list[Check]:
    """What failed first."""
    return sorted(view.checks, key=lambda item: list(_WORDS).index(item.result))


def _line(item: Check, width: int) -> Row:
    rest = max(width - NAME - 8, 8)
    words = column(text.escaped(item.text), rest)
    return row(RESULTS[item.result], (column(item.id, NAME), "strong"), f" {words}")


def _label(word: str) -> Row:
    return row((f" {word:<8}", "strong"))
