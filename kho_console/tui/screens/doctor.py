"""What this console can and cannot see here, and what would fix it."""

from collections import Counter

from kho_console import text
from kho_console.engine.observer import View
from kho_console.model.check import Check, Result
from kho_console.tui import commands
from kho_console.tui.listed import Listed, labelled
from kho_console.tui.rows import FixedRows, Row, column, row
from kho_console.tui.signs import NAME, RESULTS

_WORDS = {
    Result.FAIL: "failed",
    Result.WARNING: "with a warning",
    Result.UNKNOWN: "not known",
    Result.PASS: "passed",
}


class Doctor(Listed):
    """See the module."""

    subject = "doctor"
    detail_height = 6
    BINDINGS = commands.bindings(subject)

    def show(self, view: View) -> None:
        """See `Section.show`."""
        counted = Counter(item.result for item in view.checks)
        answer = ", ".join(f"{counted[at]} {word}" for at, word in _WORDS.items() if counted[at])
        self.head("DOCTOR", answer)
        width = self.size.width
        self.lines().show(FixedRows([_line(item, width) for item in _ordered(view)]))
        self.explain(view)

    def detail(self, view: View) -> list[Row]:
        """See `Listed.detail`."""
        width = self.size.width
        item = _ordered(view)[self.lines().cursor]
        rows = labelled("answer", text.escaped(item.text), width)
        if item.evidence:
            rows += labelled("seen", text.escaped(item.evidence), width, "dim", most=3)
        if item.remedy:
            rows += labelled("remedy", text.escaped(item.remedy), width)
        return rows


def _ordered(view: View) -> list[Check]:
    """What failed first."""
    return sorted(view.checks, key=lambda item: list(_WORDS).index(item.result))


def _line(item: Check, width: int) -> Row:
    rest = max(width - NAME - 8, 8)
    words = column(text.escaped(item.text), rest)
    return row(RESULTS[item.result], (column(item.id, NAME), "strong"), f" {words}")
