"""The areas that the next kernel boots in: where they lie, what they hold, what was asked for."""

from collections.abc import Iterable

from textual.widget import Widget

from kho_console import text
from kho_console.engine import scratch_fit
from kho_console.engine.observer import View
from kho_console.engine.scratch_fit import Fit
from kho_console.tui import commands, scratch_rows
from kho_console.tui.listed import Listed
from kho_console.tui.rows import FixedRows, Row, rule
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Panel
from kho_console.tui.widgets.strip_map import StripPanel

_BAND_PER_LINES = 6
"""Lines of the screen for each line of the strip."""

_ANSWER_PER_LINES = 8
"""Lines of the screen for each line of the answer."""

_LEAST_FOR_STRIP = 20


class Scratch(Listed):
    """See the module."""

    subject = "scratch"
    detail_height = 8
    BINDINGS = commands.bindings(subject)

    def __init__(self) -> None:
        """Start without areas."""
        super().__init__()
        self._fits: tuple[Fit, ...] = ()

    def body(self) -> Iterable[Widget]:
        """See `Section.body`."""
        yield Panel(id="head")
        yield StripPanel(id="strip").without_owners()
        yield Panel(id="columns")
        yield Lines("list")
        yield from self.details()

    def show(self, view: View) -> None:
        """See `Section.show`."""
        width, height = self.size
        snapshot = view.snapshot
        self._fits = scratch_fit.fits(snapshot)
        most = 99 if self._all_details else max(height // _ANSWER_PER_LINES, 2)
        head = scratch_rows.answer(snapshot, width, most)
        self.query_one("#head", Panel).show([*head, rule(width)])
        strip = self.query_one(StripPanel)
        strip.display = height >= _LEAST_FOR_STRIP
        most = max(height // _BAND_PER_LINES, 1)
        strip.show_map(view.strip, snapshot.machine.page_size, width, most)
        columns = [rule(width)] if strip.display else []
        if self._fits:
            columns.append(scratch_rows.titles(width))
        self.query_one("#columns", Panel).show(columns)
        self.lines().show(FixedRows([scratch_rows.line(item, width) for item in self._fits]))
        self.explain(view)
        self._mark()

    def arrive(self, wanted: str) -> None:
        """Go to the area of that role."""
        roles = [text.scratch_role(item.area) for item in self._fits]
        if wanted in roles:
            self.lines().go(roles.index(wanted))

    def detail(self, view: View) -> list[Row]:
        """See `Listed.detail`."""
        if not self._fits:
            return []
        chosen = self._fits[self.lines().cursor]
        return scratch_rows.whole(chosen, view.snapshot, self.size.width)

    def on_lines_moved(self) -> None:
        """Explain the chosen area, and mark it on the strip."""
        super().on_lines_moved()
        self._mark()

    def _mark(self) -> None:
        if self._fits and (area := self._fits[self.lines().cursor].area).size:
            self.query_one(StripPanel).put_mark(area.address)
