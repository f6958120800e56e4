"""The shape of lists that can be filtered by words."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from kho_console import text
from kho_console.tui.listed import Listed
from kho_console.tui.rows import Row, row
from kho_console.tui.widgets.prompt import Prompt

T = TypeVar("T")


class Filtered(Listed):
    """Subclasses show what `kept` leaves; the filter is taken away by Escape."""

    _words = ""

    def action_filter(self) -> None:
        """Ask for words."""
        hint = "words that a line must have"
        self.query_one(Prompt).ask("filter", self._words, self._filter_by, hint=hint)

    def close_something(self) -> bool:
        """Show the list again, then take the filter away."""
        if super().close_something():
            return True
        had = bool(self._words)
        if had:
            self._filter_by("")
        return had

    def kept(self, items: Sequence[T], shown: Callable[[T], str]) -> list[T]:
        """Those that have all words of the filter in what is shown of them."""
        return [item for item in items if fits(self._words, shown(item))]

    def filter_rows(self, kept: int, total: int) -> list[Row]:
        """What the filter leaves; no row without a filter."""
        if not self._words:
            return []
        words = f" filter {text.escaped(self._words)}: {kept:,} of {total:,}, Esc takes it away"
        return [row((words, "warning"))]

    def _filter_by(self, words: str) -> bool:
        self._words = words.strip()
        self.lines().go(0)
        self.draw()
        return True


def fits(words: str, shown: str) -> bool:
    """Whether all words occur, upper and lower case being the same."""
    there = shown.lower()
    return all(word in there for word in words.lower().split())
