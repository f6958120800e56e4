"""The base of all dialogs: a title, text that scrolls, choices, and the keys that work."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widget import Widget

from kho_console import text
from kho_console.tui.changes import Changes, changes_of
from kho_console.tui.commands import QUIT
from kho_console.tui.keymap import table_of
from kho_console.tui.rows import FixedRows, Row, clipped, row, rule, spread
from kho_console.tui.widgets.choice import Choice
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Panel

_NARROW = 60


def _quiet(key: str, action: str) -> Binding:
    return Binding(key, action, show=False)


class Dialog(ModalScreen[None], inherit_bindings=False):
    """Subclasses draw in `draw`; Cancel has the focus, and Escape and q answer it.

    No key but Enter or Space on a choice chooses it.
    """

    AUTO_FOCUS: ClassVar[str | None] = "#cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(_quiet(key, "cancel") for key in ("escape", "q")),
        *(_quiet(key, "move(-1)") for key in ("up", "k")),
        *(_quiet(key, "move(1)") for key in ("down", "j")),
        _quiet("pageup", "page(-1)"),
        _quiet("pagedown", "page(1)"),
        *(_quiet(key, "next(1)") for key in ("tab", "right")),
        *(_quiet(key, "next(-1)") for key in ("shift+tab", "left")),
    ]

    _left = False

    def fields(self) -> Iterable[Widget]:
        """What is asked for, above the choices."""
        return ()

    def choices(self) -> Iterable[Choice]:
        """What can be chosen, Cancel first."""
        return (Choice("cancel", "Cancel"),)

    def compose(self) -> ComposeResult:
        """See `Screen.compose`."""
        with Vertical(id="frame"):
            yield Panel(id="title")
            yield Lines("text", cursor=False)
            yield from self.fields()
            with Horizontal(id="choices"):
                yield from self.choices()
            yield Panel(id="hint")

    @property
    def changes(self) -> Changes:
        """What the application changes."""
        return changes_of(self.app)

    def draw(self) -> None:
        """Draw everything for the size that there is."""

    @property
    def narrow(self) -> bool:
        """Whether there is little room for words."""
        return self.size.width < _NARROW

    def on_mount(self) -> None:
        """Draw the first time."""
        self.on_resize()

    def on_resize(self) -> None:
        """Draw for the new size."""
        for choice in self.query(Choice):
            choice.fit(self.narrow)
        self.draw()

    def entitle(self, name: str, about: str, host: str = "") -> None:
        """Draw the title: what is done, on which machine, and whether that is a real one."""
        width = self.size.width
        left = row((f" {name.upper()} ", "strong"), f" {about}")
        right = row((f"{text.escaped(host)} ", "info"), (f" {self.changes.mode} ", "strong"))
        self.query_one("#title", Panel).show([spread(left, right, width), rule(width)])

    def show(self, rows: Sequence[Row]) -> None:
        """Draw the text."""
        self.query_one("#text", Lines).show(FixedRows(rows))

    def hint(self, words: str, look: str = "dim") -> None:
        """Draw the bottom line."""
        line = clipped(row((f" {words}", look)), self.size.width)
        self.query_one("#hint", Panel).show([line])

    def on_key(self, event: events.Key) -> None:
        """What leaves the console elsewhere leaves the dialog."""
        leaving = next(item.keys for item in table_of(self.app) if item.id == QUIT)
        if event.key in leaving and not event.is_printable:
            event.stop()
            event.prevent_default()
            self.action_cancel()

    def leave(self) -> bool:
        """Close it, once: keys may come faster than it goes; whether it was open."""
        left, self._left = self._left, True
        if not left:
            self.dismiss(None)
        return not left

    def action_cancel(self) -> None:
        """Leave, and change nothing."""
        self.leave()

    def action_move(self, step: int) -> None:
        """Scroll the text by lines."""
        self.query_one("#text", Lines).move(step)

    def action_page(self, pages: int) -> None:
        """Scroll the text by screens."""
        self.query_one("#text", Lines).page(pages)

    def action_next(self, step: int) -> None:
        """Go to the next choice or field, or to the one before."""
        if step > 0:
            self.focus_next()
        else:
            self.focus_previous()
