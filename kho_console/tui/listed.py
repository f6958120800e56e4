"""The shape of screens that are a list with the chosen line explained below it."""

from collections.abc import Iterable

from textual.widget import Widget

from kho_console.engine.observer import View
from kho_console.tui.rows import FixedRows, Row, exactly, row, rule, wrapped
from kho_console.tui.section import Section
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Panel

_HEAD_PER_LINES = 5
"""Lines of the screen for each line of the answer above a list."""


class Listed(Section):
    """Subclasses draw `#head` and the list in `show`, and explain a line in `detail`.

    Attributes:
        detail_height: Lines below the list, the rule among them.
    """

    detail_height: int
    _all_details = False

    def body(self) -> Iterable[Widget]:
        """See `Section.body`."""
        yield Panel(id="head")
        yield Lines("list")
        yield from self.details()

    def details(self) -> Iterable[Widget]:
        """The widgets below the list: the detail, and the place for all of it."""
        yield Panel(id="detail")
        yield Lines("details", cursor=False)

    def lines(self) -> Lines:
        """See `Section.lines`."""
        return self.query_one("#list", Lines)

    def head(self, title: str, answer: str, *below: Row) -> None:
        """Draw the answer, a rule, and the rows below it."""
        width, height = self.size
        most = 99 if self._all_details else max(height // _HEAD_PER_LINES, 2)
        answered = wrapped(answer, width, row((f" {title:<11}", "strong")), most=most)
        self.query_one("#head", Panel).show([*answered, rule(width), *below])

    def detail(self, view: View) -> list[Row]:
        """What to say of the line under the cursor."""
        raise NotImplementedError

    def explain(self, view: View) -> None:
        """Draw the detail; in a low window it takes half of it at most."""
        found = self.detail(view)
        height = max(min(self.detail_height, self.size.height // 2), 4)
        rows = exactly([rule(self.size.width), *found], height)
        self.query_one("#detail", Panel).show(rows)
        for name in ("list", "detail"):
            self.query_one(f"#{name}").display = not self._all_details
        whole = self.query_one("#details", Lines)
        whole.display = self._all_details
        whole.show(FixedRows(found if self._all_details else ()))

    def moving(self) -> Lines:
        """See `Section.moving`."""
        return self.query_one("#details", Lines) if self._all_details else self.lines()

    def close_something(self) -> bool:
        """Show the list again."""
        had = self._all_details
        if had:
            self.action_details()
        return had

    def action_details(self) -> None:
        """Show all that is known of the chosen line in place of the list, or the list again."""
        self._all_details = not self._all_details
        self.query_one("#details", Lines).scroll_to(y=0, animate=False)
        self.draw()

    def on_lines_moved(self) -> None:
        """Explain the line that the cursor came to."""
        if self.view is not None:
            self.explain(self.view)


def labelled(label: str, words: str, width: int, look: str = "", most: int = 99) -> list[Row]:
    """Words behind a label, on at most `most` lines."""
    return wrapped(words, width, row((f" {label:<7} ", "strong")), look, most=most)
