"""All commands and their keys, from the table they come from."""

from collections.abc import Iterable

from textual.widget import Widget

from kho_console.engine.observer import View
from kho_console.tui import commands
from kho_console.tui.commands import COMMANDS, SCREENS, Command
from kho_console.tui.rows import FixedRows, Row, row, rule, wrapped
from kho_console.tui.section import Section
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Panel

_KEYS = 13
_TITLE = 20


class Help(Section):
    """See the module."""

    subject = commands.HELP
    BINDINGS = commands.bindings(subject)

    def body(self) -> Iterable[Widget]:
        """See `Section.body`."""
        yield Panel(id="head")
        yield Lines("list", cursor=False)

    def lines(self) -> Lines:
        """See `Section.lines`."""
        return self.query_one("#list", Lines)

    def draw(self) -> None:
        """Draw the help, which needs no view."""
        super().draw()
        width = self.size.width
        if not self.is_mounted or not width:
            return
        words = "every key, from the table that makes them; : finds a command by name"
        head = [row((" HELP       ", "strong"), words), rule(width)]
        self.query_one("#head", Panel).show(head)
        self.lines().show(FixedRows(_rows(width)))

    def show(self, view: View) -> None:
        """See `Section.show`; nothing here depends on the machine."""


def _rows(width: int) -> list[Row]:
    rows: list[Row] = []
    groups: dict[str, list[Command]] = {}
    for item in COMMANDS:
        groups.setdefault(_place(item), []).append(item)
    for place, items in groups.items():
        rows += [(), row((f" {place}", "info"))] if rows else [row((f" {place}", "info"))]
        for item in items:
            first = row(
                (f"  {' '.join(item.signs):<{_KEYS}}", "strong"), f"{item.title:<{_TITLE}} "
            )
            rows += wrapped(item.help, width, first, "dim")
    return rows


def _place(item: Command) -> str:
    if not item.screens:
        return "everywhere"
    if item.screens == SCREENS:
        return "on every screen"
    return "on " + " and ".join(name.capitalize() for name in item.screens)
