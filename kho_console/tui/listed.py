"""The shape of screens that are a list with the chosen line explained below it."""

from collections.abc import Iterable
from typing import ClassVar

from textual.widget import Widget

from kho_console.engine.observer import View
from kho_console.tui.rows import Row, exactly, row, rule, wrapped
from kho_console.tui.section import Section
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Panel


class Listed(Section):
    """Subclasses draw `#head` and the list in `show`, and explain a line in `detail`.

    Attributes:
        detail_height: Lines below the list, the rule among them.
    """

    detail_height: ClassVar[int]

    def body(self) -> Iterable[Widget]:
        """See `Section.body`."""
        yield Panel(id="head")
        yield Lines("list")
        yield Panel(id="detail")

    def lines(self) -> Lines:
        """See `Section.lines`."""
        return self.query_one("#list", Lines)

    def head(self, title: str, answer: str, *below: Row) -> None:
        """Draw the answer, a rule, and the rows below it."""
        width = self.size.width
        answered = wrapped(answer, width, row((f" {title:<11}", "strong")))
        self.query_one("#head", Panel).show([*answered, rule(width), *below])

    def detail(self, view: View) -> list[Row]:
        """What to say of the line under the cursor."""
        raise NotImplementedError

    def explain(self, view: View) -> None:
        """Draw the detail; in a low window it takes half of it at most."""
        height = max(min(self.detail_height, self.size.height // 2), 4)
        rows = [rule(self.size.width), *self.detail(view)]
        self.query_one("#detail", Panel).show(exactly(rows, height))

    def on_lines_moved(self) -> None:
        """Explain the line that the cursor came to."""
        if self.view is not None:
            self.explain(self.view)


def labelled(label: str, words: str, width: int, look: str = "", most: int = 99) -> list[Row]:
    """Words behind a label, on at most `most` lines."""
    return wrapped(words, width, row((f" {label:<8}", "strong")), look, most=most)
