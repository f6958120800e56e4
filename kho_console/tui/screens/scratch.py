"""The areas that the next kernel boots in, and where they lie."""

from collections.abc import Iterable

from textual.widget import Widget

from kho_console import text
from kho_console.engine.observer import View
from kho_console.model.memory import ScratchArea
from kho_console.model.unknown import Unknown
from kho_console.tui import commands
from kho_console.tui.rows import FixedRows, Row, row, rule, wrapped
from kho_console.tui.section import Section
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Panel
from kho_console.tui.widgets.strip_map import StripPanel

_MOST_BANDS = 6


class Scratch(Section):
    """See the module."""

    subject = "scratch"
    BINDINGS = commands.bindings(subject)

    def body(self) -> Iterable[Widget]:
        """See `Section.body`."""
        yield Panel(id="head")
        yield StripPanel(id="strip").without_owners()
        yield Panel(id="columns")
        yield Lines("list")

    def lines(self) -> Lines:
        """See `Section.lines`."""
        return self.query_one("#list", Lines)

    def show(self, view: View) -> None:
        """See `Section.show`."""
        width = self.size.width
        self.query_one("#head", Panel).show([*_answer(view, width), rule(width)])
        strip = self.query_one(StripPanel)
        strip.show_map(view.strip, view.snapshot.machine.page_size, width, _MOST_BANDS)
        titles = f"   {'for':<12}{'from':<20}{'to, excluded':<20}{'size':>10}  bytes"
        self.query_one("#columns", Panel).show([rule(width), row((titles, "dim"))])
        areas = view.snapshot.scratch
        if isinstance(areas, Unknown):
            self.lines().show(FixedRows([]))
            return
        self.lines().show(FixedRows([_line(area) for area in areas]))
        self._mark(areas)

    def on_lines_moved(self) -> None:
        """Mark the chosen area on the strip."""
        if self.view is not None and not isinstance(self.view.snapshot.scratch, Unknown):
            self._mark(self.view.snapshot.scratch)

    def _mark(self, areas: tuple[ScratchArea, ...]) -> None:
        if areas and (area := areas[self.lines().cursor]).size:
            self.query_one(StripPanel).put_mark(area.address)


def _answer(view: View, width: int) -> list[Row]:
    areas = view.snapshot.scratch
    label = row((" SCRATCH    ", "strong"))
    if isinstance(areas, Unknown):
        return wrapped(text.why(areas), width, label)
    words = (
        f"{text.exact(text.total(areas))} in {text.count(len(areas), 'area')}. "
        "The next kernel boots inside; an image larger than its area cannot be loaded."
    )
    return wrapped(words, width, label)


def _line(area: ScratchArea) -> Row:
    role = f"  {text.scratch_role(area):<12}"
    if not area.size:
        return row(role, ("none: the kernel reserved nothing for this", "dim"))
    return row(
        role,
        (f"{text.address(area.range.start):<20}", "address"),
        (f"{text.address(area.range.end):<20}", "address"),
        f"{text.size(area.size):>10}",
        (f"  {area.size:,}", "dim"),
    )
