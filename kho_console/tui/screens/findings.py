"""What is worth attention: the list, and what the chosen finding rests on."""

from kho_console import text
from kho_console.engine.observer import View
from kho_console.model.finding import Finding
from kho_console.tui import commands, rooms
from kho_console.tui.filtered import Filtered
from kho_console.tui.listed import labelled
from kho_console.tui.rows import FixedRows, Row, row
from kho_console.tui.signs import finding_line


class Findings(Filtered):
    """See the module."""

    subject = "findings"
    detail_height = 12
    BINDINGS = commands.bindings(subject)

    def __init__(self) -> None:
        """Start with all findings."""
        super().__init__()
        self._shown: list[Finding] = []

    def show(self, view: View) -> None:
        """See `Section.show`."""
        width = self.size.width
        self._shown = self.kept(view.findings, _words)
        below = self.filter_rows(len(self._shown), len(view.findings))
        self.head("FINDINGS", text.findings(view.findings), *below)
        rows = [finding_line(item, width) for item in self._shown]
        if not view.findings:
            rows = [row(("nothing was found that is worth attention", "dim"))]
        self.lines().show(FixedRows(rows), cursor=bool(self._shown))
        self.explain(view)

    def arrive(self, wanted: str) -> None:
        """Go to the first finding of that id."""
        at = next((at for at, item in enumerate(self._shown) if item.id == wanted), None)
        if at is not None:
            self.lines().go(at)

    def detail(self, view: View) -> list[Row]:
        """See `Listed.detail`."""
        chosen = self._chosen()
        return [] if chosen is None else whole(chosen, self.size.width)

    async def action_follow(self) -> None:
        """Go to what the chosen finding is about."""
        chosen = self._chosen()
        if chosen is not None:
            await self.follow(rooms.SCREENS[chosen.about], rooms.wanted(chosen))

    def _chosen(self) -> Finding | None:
        return self._shown[self.lines().cursor] if self._shown else None


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


def _words(item: Finding) -> str:
    """All that the filter looks at."""
    seen = (f"{text.escaped(found.path)} {text.escaped(found.value)}" for found in item.evidence)
    return " ".join([item.severity, item.id, text.escaped(item.subject), item.text, *seen])
