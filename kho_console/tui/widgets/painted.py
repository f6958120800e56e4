"""The base of all widgets here: rows of text drawn line by line, redrawn only where they differ."""

from collections.abc import Mapping, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from kho_console.text import harmless
from kho_console.tui import looks
from kho_console.tui.rows import Row, plain


class Painted(Widget, can_focus=False, inherit_bindings=False):
    """Draws rows, each piece in its look."""

    ALLOW_SELECT = False

    def paint(self, row: Row, width: int, over: str = "") -> Strip:
        """One row as wide as it must be, with the look `over` laid over all of it."""
        own = self.rich_style  # worked out from all that the widget stands in: once for a row
        styles = looks.styles(self.app.theme, self.app.no_color)
        segments = [Segment(harmless(text), _laid(own, styles, look, over)) for text, look in row]
        base = _laid(own, styles, over)
        return Strip(segments).adjust_cell_length(width, base).simplify()


def _laid(base: Style, styles: Mapping[str, Style], *wanted: str) -> Style:
    for look in wanted:
        if look:
            base += styles[look]
    return base


class Panel(Painted):
    """A few rows that are there as a whole, as high as they are many."""

    _rows: tuple[Row, ...] = ()

    @property
    def text(self) -> str:
        """What it shows, without looks."""
        return "\n".join(plain(row).rstrip() for row in self._rows)

    def show(self, rows: Sequence[Row]) -> None:
        """Draw these rows; lines that stay the same are left alone."""
        before, self._rows = self._rows, tuple(rows)
        if len(before) != len(rows):
            self.styles.height = len(rows)
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, self._rows, strict=True)):
            if old != new:
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """See `Widget.render_line`."""
        return self.paint(self._rows[y] if y < len(self._rows) else (), self.size.width)
