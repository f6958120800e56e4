"""A list of any length, drawn line by line."""

from textual import events
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kho_console.tui.rows import FixedRows, LineSource, Row, plain
from kho_console.tui.widgets.painted import Painted

_KEPT = 512
_NOTHING = FixedRows(())
_SIGNS = {"cursor": ">", "mark": "|", "": " "}
"""Before the line of the cursor: where keys move it, and where they do not.

Neither begins a line of any list, as `-` does where sides are compared.
"""


class Lines(Painted, ScrollView, can_focus=False, inherit_bindings=False):
    """Shows a line source with a cursor, asking it only for the lines on the screen."""

    class Moved(Message):
        """The cursor stands on another line."""

        def __init__(self, lines: "Lines") -> None:
            super().__init__()
            self.lines = lines

        @property
        def control(self) -> "Lines":
            """The list."""
            return self.lines

    def __init__(self, name: str, *, cursor: bool = True) -> None:
        """Make an empty list with the id `name`; without a cursor it only scrolls."""
        super().__init__(id=name)
        self._source: LineSource = _NOTHING
        self._with_cursor = cursor
        self._cursor = 0
        self._rows: LRUCache[int, Row] = LRUCache(_KEPT)
        self._strips: LRUCache[tuple[Row, int, str], Strip] = LRUCache(_KEPT)
        self.active = True

    @property
    def source(self) -> LineSource:
        """What it shows."""
        return self._source

    @property
    def cursor(self) -> int:
        """The line that the cursor stands on, 0 in an empty list."""
        return self._cursor

    @property
    def text(self) -> str:
        """The lines on the screen, without looks."""
        return "\n".join(plain(self._row(at)).rstrip() for at in self._visible())

    def show(self, source: LineSource, *, cursor: bool | None = None) -> None:
        """Show another source; nothing is drawn where the lines on the screen stay the same."""
        before = (len(self._source), [self._row(at) for at in self._visible()], self._with_cursor)
        self._source = source
        self._rows.clear()
        if cursor is not None:
            self._with_cursor = cursor
        last = max(len(source) - 1, 0)
        moved = self._cursor > last
        self._cursor = min(self._cursor, last)
        if len(source) != before[0]:
            self.virtual_size = Size(self.size.width, len(source))
        if moved or before != (
            len(source),
            [self._row(at) for at in self._visible()],
            self._with_cursor,
        ):
            self.refresh()

    def look_active(self, active: bool) -> None:
        """Draw the cursor as the one that keys move, or as a mark that stays."""
        if active != self.active:
            self.active = active
            self._redraw(self._cursor)

    def go(self, index: int) -> None:
        """Put the cursor on a line, or the nearest there is, and bring it into view."""
        index = max(0, min(index, len(self._source) - 1))
        if index != self._cursor:
            before, self._cursor = self._cursor, index
            self._redraw(before)
            self._redraw(index)
            self.post_message(self.Moved(self))
        self._into_view()

    def move(self, step: int) -> None:
        """Move the cursor by lines, or without one the view."""
        if self._with_cursor:
            self.go(self._cursor + step)
        else:
            self.scroll_to(y=self.scroll_offset.y + step, animate=False)

    def page(self, pages: int) -> None:
        """Move by as many lines as the list shows."""
        self.move(pages * max(self.size.height - 1, 1))

    def end(self, *, last: bool) -> None:
        """Move to the first or the last line."""
        self.move(len(self._source) if last else -len(self._source))

    def on_resize(self, event: events.Resize) -> None:
        """Keep the cursor in view."""
        self.virtual_size = Size(event.size.width, len(self._source))
        if self._with_cursor:
            self.call_after_refresh(self._into_view)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse points."""
        if self._with_cursor and self.scroll_offset.y + event.y < len(self._source):
            self.go(self.scroll_offset.y + event.y)

    def render_line(self, y: int) -> Strip:
        """See `Widget.render_line`."""
        index, width = self.scroll_offset.y + y, self.size.width
        if index >= len(self._source):
            return Strip.blank(width, self.rich_style)
        over = ""
        if self._with_cursor and index == self._cursor:
            over = "cursor" if self.active else "mark"
        sign: Row = ((_SIGNS[over], ""),) if self._with_cursor else ()
        row = (*sign, *self._row(index))
        strip = self._strips.get((row, width, over))
        if strip is None:
            strip = self._strips[(row, width, over)] = self.paint(row, width, over)
        return strip

    def notify_style_update(self) -> None:
        """Draw again when the style sheets change."""
        self._strips.clear()
        super().notify_style_update()

    def _row(self, index: int) -> Row:
        found = self._rows.get(index)
        if found is None:
            found = self._rows[index] = self._source.row(index)
        return found

    def _visible(self) -> range:
        first = self.scroll_offset.y
        return range(
            min(first, len(self._source)), min(first + self.size.height, len(self._source))
        )

    def _redraw(self, index: int) -> None:
        self.refresh(Region(0, index - self.scroll_offset.y, self.size.width, 1))

    def _into_view(self) -> None:
        top, height = self.scroll_offset.y, max(self.size.height, 1)
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False)
        elif self._cursor >= top + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False)
