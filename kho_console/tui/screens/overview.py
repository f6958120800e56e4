"""The answer first: would the next reboot hand over, with what, and what stands in the way."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.widget import Widget

from kho_console.engine.observer import View
from kho_console.tui import commands
from kho_console.tui.rows import FixedRows, row, rule
from kho_console.tui.section import Section
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Panel
from kho_console.tui.widgets.strip_map import StripPanel

if TYPE_CHECKING:
    from kho_console.tui.overview_rows import Linked

_MOST_BANDS = 4
_LEAST_FOR_STRIP = 20
_FRAME = 3
"""Lines of the banner and of the keys."""


class Overview(Section):
    """See the module."""

    subject = "overview"
    BINDINGS = commands.bindings(subject)

    def __init__(self) -> None:
        """Start without rows."""
        super().__init__()
        self._rows: list[Linked] = []

    def body(self) -> Iterable[Widget]:
        """See `Section.body`."""
        yield Lines("list")
        yield Panel(id="more")
        yield Panel(id="above-strip")
        yield StripPanel(id="strip").without_owners()

    def lines(self) -> Lines:
        """See `Section.lines`."""
        return self.query_one("#list", Lines)

    def show(self, view: View) -> None:
        """See `Section.show`."""
        from kho_console.tui.overview_rows import overview

        width, height = self.size
        strip, above = self.query_one(StripPanel), self.query_one("#above-strip", Panel)
        strip.show_map(view.strip, view.snapshot.machine.page_size, width, _MOST_BANDS)
        strip.display = above.display = height >= _LEAST_FOR_STRIP
        above.show([rule(width)])
        below = len(strip.text.splitlines()) + 1 if strip.display else 0
        room = height - _FRAME - below
        # The list has one column for the sign of its cursor.
        self._rows = overview(view, width - 1, room)
        more = self.query_one("#more", Panel)
        more.display = len(self._rows) > room
        more.show([row((" .. PgDn shows more, PgUp goes back", "dim"))])
        self.lines().show(FixedRows([item.row for item in self._rows]))

    async def action_follow(self) -> None:
        """Go to the screen that the chosen line is about."""
        chosen = self._rows[self.lines().cursor] if self._rows else None
        if chosen is not None and chosen.screen:
            await self.follow(chosen.screen, chosen.wanted)
        else:
            self.say("there is nothing to go to on this line")
