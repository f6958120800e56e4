"""All commands and their keys, from the table they come from: first what works where one was."""

from collections.abc import Iterable, Iterator

from textual.widget import Widget

from kho_console.engine.observer import View
from kho_console.tui import commands
from kho_console.tui.commands import SCREENS, Command
from kho_console.tui.console import section_before
from kho_console.tui.keymap import table_of
from kho_console.tui.rows import FixedRows, Row, row, rule, wrapped
from kho_console.tui.section import Section
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Panel

_KEYS = 13
_TITLE = 22
_NARROW = 60


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

    def on_screen_resume(self) -> None:
        """Begin with the commands of the screen that one came from."""
        self.draw()
        self.lines().scroll_to(y=0, animate=False)

    def draw(self) -> None:
        """Draw the help, which needs no view."""
        super().draw()
        width = self.size.width
        if not self.is_mounted or not width:
            return
        table = table_of(self.app)
        palette = next(item.signs[0] for item in table if item.id == "palette")
        words = f"all keys and what they do; {palette} finds a command by its name"
        head = wrapped(words, width, row((" HELP       ", "strong")))
        self.query_one("#head", Panel).show([*head, rule(width)])
        rows = help_rows(section_before(self.app), width, table)
        self.lines().show(FixedRows(rows))

    def show(self, view: View) -> None:
        """See `Section.show`; nothing here depends on the machine."""


def help_rows(screen: str, width: int, table: tuple[Command, ...]) -> list[Row]:
    """All commands, those of `screen` first, then those of all screens, then the others."""
    own = [item for item in table if screen in item.screens and item.screens != SCREENS]
    common = [item for item in table if item.screens == SCREENS]
    everywhere = [item for item in table if not item.screens]
    rows = [
        *_group(f"on this screen, {screen.capitalize()}", own, width),
        *_group("on every screen", common, width),
        *_group("everywhere", everywhere, width),
    ]
    others: dict[str, list[Command]] = {}
    for item in table:
        if item not in (*own, *common, *everywhere):
            place = "on " + " and ".join(name.capitalize() for name in item.screens)
            others.setdefault(place, []).append(item)
    for place, items in others.items():
        rows += _group(place, items, width)
    return rows[1:]


def _group(place: str, items: Iterable[Command], width: int) -> Iterator[Row]:
    """A heading and its commands behind an empty line; nothing where there is no command."""
    for at, item in enumerate(items):
        if not at:
            yield ()
            yield row((f" {place}", "info"))
        signs = " ".join(item.signs)
        first = row((f"  {signs:<{_KEYS}}", "strong"), f"{item.title:<{_TITLE}} ")
        if width < _NARROW:
            yield row((f"  {signs}  ", "strong"), item.title)
            first = row("     ")
        yield from wrapped(item.help, width, first, "dim")
