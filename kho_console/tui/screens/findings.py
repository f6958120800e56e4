"""What is worth attention: the list, and what the chosen finding rests on."""

from kho_console import text
from kho_console.engine.observer import View
from kho_console.model.finding import Finding
from kho_console.tui import commands
from kho_console.tui.listed import Listed, labelled
from kho_console.tui.rows import FixedRows, Row, row
from kho_console.tui.signs import finding_line


class Findings(Listed):
    """See the module."""

    subject = "findings"
    detail_height = 12
    BINDINGS = commands.bindings(subject)

    def show(self, view: View) -> None:
        """See `Section.show`."""
        width = self.size.width
        self.head("FINDINGS", text.findings(view.findings))
        if view.findings:
            rows = [finding_line(item, width) for item in view.findings]
        else:
            rows = [row(("nothing was found that is worth attention", "dim"))]
        self.lines().show(FixedRows(rows), cursor=bool(view.findings))
        self.explain(view)

    def detail(self, view: View) -> list[Row]:
        """See `Listed.detail`."""
        if not view.findings:
            return []
        return whole(view.findings[self.lines().cursor], self.size.width)


def whole(item: Finding, width: int) -> list[Row]:
    """A finding in full: what it is about, what it says, how it shows, what to do."""
    rows = labelled("name", f"{item.id}, about {text.escaped(item.subject)}", width)
    rows += labelled("found", item.text, width)
    if item.remedy:
        rows += labelled("remedy", item.remedy, width)
    for evidence in item.evidence:
        words = f"{text.escaped(evidence.path)}: {text.escaped(evidence.value)}"
        rows += labelled("seen", words, width, "dim", most=3)
    return rows
