"""The base of all screens: top line, one subject, bottom line."""

from collections.abc import Iterable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen
from textual.widget import Widget

from kho_console.engine.observer import View
from kho_console.tui.commands import DIFFERENCE
from kho_console.tui.keymap import table_of
from kho_console.tui.rows import row
from kho_console.tui.widgets.banner import Banner, Condition
from kho_console.tui.widgets.keys import Keys
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Panel
from kho_console.tui.widgets.prompt import Prompt
from kho_console.tui.widgets.timeline import Timeline

LEAST_WIDTH = 40
LEAST_HEIGHT = 15


class Section(Screen[None], inherit_bindings=False):
    """One subject. Subclasses compose `body` and draw a view in `show`.

    Attributes:
        subject: The name that the command table knows it by.
        view: What it shows; None before the first look has ended.
    """

    AUTO_FOCUS: ClassVar[str | None] = ""
    subject: ClassVar[str]
    view: View | None = None
    _condition: Condition | None = None
    _wanted = ""

    def body(self) -> Iterable[Widget]:
        """The widgets of the subject."""
        return ()

    def show(self, view: View) -> None:
        """Draw a view. Called on each new one and whenever the size changes."""

    def lines(self) -> Lines | None:
        """The list of the screen."""
        return None

    def moving(self) -> Lines | None:
        """What the arrows move in: the list, unless something stands in its place."""
        return self.lines()

    def arrive(self, wanted: str) -> None:
        """Go to what another screen led here for; nothing happens where it is not there."""

    async def follow(self, section: str, wanted: str = "") -> None:
        """Go to another screen, and there to what is wanted."""
        await self.app.run_action(f"section('{section}')")
        screen = self.app.screen
        if isinstance(screen, Section):
            screen._wanted = wanted
            screen.draw()

    def close_something(self) -> bool:
        """Close what is open on the screen; False where nothing is."""
        return False

    def compose(self) -> ComposeResult:
        """See `Screen.compose`."""
        yield Panel(id="small")
        with Vertical(id="frame"):
            yield Banner(id="banner")
            with Vertical(id="body"):
                yield from self.body()
            yield Timeline(id="timeline")
            yield Prompt(id="prompt")
            yield Keys(id="keys")

    def receive(self, view: View | None, condition: Condition) -> None:
        """Take a view and the console's condition, and draw what differs."""
        new = view is not self.view
        self.view, self._condition = view, condition
        if not self.is_mounted:
            return
        self._frame()
        if new and view is not None and not self._small():
            self._show_view(view)

    def say(self, words: str) -> None:
        """Say something in the bottom line, until the next key."""
        keys = self.query_one(Keys)
        keys.notice = words
        keys.show_for(self.subject, self.size.width)

    def draw(self) -> None:
        """Draw everything again that depends on the size or on what was asked for."""
        if not self.is_mounted:
            return
        self._frame()
        if self.view is not None and not self._small():
            self._show_view(self.view)

    def on_mount(self) -> None:
        """Draw the first time."""
        self.draw()

    def on_resize(self) -> None:
        """Draw for the new size."""
        self.draw()

    def on_key(self, event: events.Key) -> None:
        """Take a notice away; Escape does nothing else then, unless there is a question."""
        asking = self.query_one(Prompt).asking
        if event.key == "escape" and self.query_one(Keys).notice and not asking:
            event.stop()
        self.say("")

    def action_exports(self) -> None:
        """Say what writes this screen to a file."""
        table = {item.id: item.signs[0] for item in table_of(self.app)}
        kinds = {"export-view": "JSON", "export-text": "text", "screenshot": "a picture"}
        words = ", ".join(f"{table[name]} writes {kind}" for name, kind in kinds.items())
        self.say(f"no list to export here; {words}")

    async def action_compare_with(self) -> None:
        """Ask which moment to compare with."""
        await self.follow(DIFFERENCE, "ask")

    def action_move(self, step: int) -> None:
        """Move by lines."""
        if (found := self.moving()) is not None:
            found.move(step)

    def action_page(self, pages: int) -> None:
        """Move by screens."""
        if (found := self.moving()) is not None:
            found.page(pages)

    def action_edge(self, last: bool) -> None:
        """Move to the first or the last line."""
        if (found := self.moving()) is not None:
            found.end(last=last)

    def _show_view(self, view: View) -> None:
        self.show(view)
        wanted, self._wanted = self._wanted, ""
        if wanted:
            self.arrive(wanted)

    def _frame(self) -> None:
        small = self._small()
        self.set_class(small, "-small")
        width, height = self.size
        if small:
            needed = f"needs {LEAST_WIDTH}x{LEAST_HEIGHT}"
            words = f"{needed}, this is {width}x{height}"
            self.query_one("#small", Panel).show([row(words if len(words) <= width else needed)])
            return
        if self._condition is not None:
            self.query_one(Banner).show_for(self.view, self._condition, width)
            line = self.query_one(Timeline)
            line.show_for(self._condition.position, self._condition.landmarks, (width, height))
        self.query_one(Keys).show_for(self.subject, width)

    def _small(self) -> bool:
        return self.size.width < LEAST_WIDTH or self.size.height < LEAST_HEIGHT
