"""What is worth attention: the list, and what the chosen finding rests on."""

from collections import Counter
from collections.abc import Iterable

from textual.widget import Widget

from kho_console import text
from kho_console.engine.observer import View
from kho_console.model.finding import Finding
from kho_console.tui import commands
from kho_console.tui.rows import FixedRows, Row, exactly, row, rule, wrapped
from kho_console.tui.section import Section
from kho_console.tui.signs import finding_line, totals
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Panel

_DETAIL = 12


class Findings(Section):
    """See the module."""

    subject = "findings"
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
        counted = Counter(item.severity for item in view.findings)
        head = [row((" FINDINGS   ", "strong"), totals(counted)), rule(width)]
        self.query_one("#head", Panel).show(head)
        if view.findings:
            rows = [finding_line(item, width) for item in view.findings]
        else:
            rows = [row(("nothing was found that is worth attention", "dim"))]
        self.lines().show(FixedRows(rows), cursor=bool(view.findings))
        self._detail(view)

    def on_lines_moved(self) -> None:
        """Explain the finding under the cursor."""
        if self.view is not None:
            self._detail(self.view)

    def _detail(self, view: View) -> None:
        width = self.size.width
        rows = [rule(width)]
        if view.findings:
            rows += detail(view.findings[self.lines().cursor], width)
        most = max(min(_DETAIL, self.size.height // 2), 4)
        self.query_one("#detail", Panel).show(exactly(rows, most))


def detail(item: Finding, width: int) -> list[Row]:
    """A finding in full: what it is about, what it says, how it shows, what to do."""
    rows = wrapped(f"{item.id}, about {text.escaped(item.subject)}", width, _label("name"))
    rows += wrapped(text.escaped(item.text), width, _label("found"))
    if item.remedy:
        rows += wrapped(text.escaped(item.remedy), width, _label("remedy"))
    for evidence in item.evidence:
        words = f"{text.escaped(evidence.path)}: {text.escaped(evidence.value)}"
        rows += wrapped(words, width, _label("seen"), "dim", most=3)
    return rows


def _label(word: str) -> Row:
    return row((f" {word:<8}", "strong"))
