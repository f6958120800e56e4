"""PKRAM: nodes, objects, pages by order, and whose memory is where."""

from kho_console.engine.observer import View
from kho_console.model.unknown import Unknown
from kho_console.tui import commands, pkram_rows
from kho_console.tui.listed import Listed
from kho_console.tui.pkram_rows import Line
from kho_console.tui.rows import FixedRows, Row
from kho_console.tui.signs import damage

_LEAST_FOR_MEMORY = 20
_LINES_PER_DAMAGE = 12


class Pkram(Listed):
    """See the module."""

    subject = commands.PKRAM
    detail_height = 8
    BINDINGS = commands.bindings(subject)

    def __init__(self) -> None:
        """Start without nodes."""
        super().__init__()
        self._lines: list[Line] = []

    def show(self, view: View) -> None:
        """See `Section.show`."""
        seen = view.snapshot.mechanisms.pkram
        width, height = self.size.width - 1, self.size.height
        found = () if seen is None else damage(seen.findings, width, height // _LINES_PER_DAMAGE)
        self.head("PKRAM", pkram_rows.answer(seen), *found)
        self._lines = pkram_rows.lines(seen)
        self.lines().show(FixedRows([pkram_rows.line_row(item, width) for item in self._lines]))
        self.explain(view)

    def detail(self, view: View) -> list[Row]:
        """See `Listed.detail`."""
        seen, at = view.snapshot.mechanisms.pkram, self.lines().cursor
        if seen is None or isinstance(seen.image, Unknown) or at >= len(self._lines):
            return []
        chosen, width = self._lines[at], self.size.width
        drawn = list(pkram_rows.memory(seen.image, view, width, chosen.number))
        known = pkram_rows.detail(chosen, width)
        if self._all_details or self.size.height >= _LEAST_FOR_MEMORY:
            return [*drawn, *known]
        return [*drawn[:2], *known]
