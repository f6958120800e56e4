"""Panels below each other that may be higher than the screen."""

from textual.containers import Vertical


class Page(Vertical, can_focus=False, inherit_bindings=False):
    """Moves its panels up and down as a whole."""

    def move(self, lines: int) -> None:
        """Move by lines."""
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False)

    def page(self, pages: int) -> None:
        """Move by as many lines as there is room for."""
        self.move(pages * max(self.size.height - 1, 1))

    def end(self, *, last: bool) -> None:
        """Move to the first or the last line."""
        self.scroll_to(y=self.max_scroll_y if last else 0, animate=False)
