"""What this console can and cannot see here, and what would fix it."""

from collections import Counter

from kho_console import text
from kho_console.config.checks import checks as own_checks
from kho_console.engine.observer import View
from kho_console.model.check import Check, Result
from kho_console.tui import commands
from kho_console.tui.console import settings_of
from kho_console.tui.filtered import Filtered
from kho_console.tui.listed import labelled
from kho_console.tui.rows import FixedRows, Row, column, row
from kho_console.tui.signs import NAME, RESULTS

_WORDS = {
    Result.FAIL: "failed",
    Result.WARNING: "with a warning",
    Result.UNKNOWN: "not known",
    Result.PASS: "passed",
}


class Doctor(Filtered):
    """See the module."""

    subject = "doctor"
    detail_height = 6
    BINDINGS = commands.bindings(subject)

    def __init__(self) -> None:
        """Start with all checks."""
        super().__init__()
        self._shown: list[Check] = []

    def show(self, view: View) -> None:
        """See `Section.show`."""
        checks = [*view.checks, *own_checks(settings_of(self.app))]
        counted = Counter(item.result for item in checks)
        answer = ", ".join(f"{counted[at]} {word}" for at, word in _WORDS.items() if counted[at])
        # What failed comes first.
        ordered = sorted(checks, key=lambda item: list(_WORDS).index(item.result))
        self._shown = self.kept(ordered, _words)
        self.head("DOCTOR", answer, *self.filter_rows(len(self._shown), len(checks)))
        width = self.size.width
        self.lines().show(FixedRows([_line(item, width) for item in self._shown]))
        self.explain(view)

    def detail(self, view: View) -> list[Row]:
        """See `Listed.detail`."""
        if not self._shown:
            return []
        width = self.size.width
        item = self._shown[self.lines().cursor]
        rows = labelled("answer", text.escaped(item.text), width)
        if item.remedy:
            rows += labelled("fix", text.escaped(item.remedy), width)
        if item.evidence:
            rows += labelled("seen", text.escaped(item.evidence), width, "dim", most=3)
        return rows


def _words(item: Check) -> str:
    """All that the filter looks at."""
    parts = (item.result, item.id, item.text, item.evidence or "", item.remedy or "")
    return " ".join(map(text.escaped, parts))


def _line(item: Check, width: int) -> Row:
    rest = max(width - NAME - 8, 8)
    words = column(text.escaped(item.text), rest)
    return row(RESULTS[item.result], (column(item.id, NAME), "strong"), f" {words}")
