"""The root tree and the blobs of both sides: decoded values, device tree source, bytes."""

from collections.abc import Iterable

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from kho_console import text
from kho_console.engine import blob_view, trees
from kho_console.engine.blob_view import Line
from kho_console.engine.observer import View
from kho_console.model.unknown import Unknown
from kho_console.tui import blob_rows, commands
from kho_console.tui.blob_rows import Entry
from kho_console.tui.hex_rows import HexRows
from kho_console.tui.rows import FixedRows, Row, row, rule, wrapped
from kho_console.tui.section import Section
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Panel

_LIST = 29
_WIDE = 16
_NARROW = 8
_WIDE_NEEDS = 80


class Blobs(Section):
    """See the module."""

    subject = "blobs"
    BINDINGS = commands.bindings(subject)

    def __init__(self) -> None:
        """Start with values and without bytes, the arrows in the list."""
        super().__init__()
        self._in_list = True
        self._hex = True
        self._source = False
        self._entries: list[Entry] = []
        self._lines: tuple[Line, ...] = ()

    def body(self) -> Iterable[Widget]:
        """See `Section.body`."""
        with Horizontal():
            yield Lines("list")
            with Vertical(id="content"):
                yield Panel(id="title")
                yield Lines("values")
                yield Panel(id="between")
                yield Lines("bytes", cursor=False)

    def lines(self) -> Lines:
        """See `Section.lines`."""
        return self._list if self._in_list else self._values

    @property
    def _values(self) -> Lines:
        return self.query_one("#values", Lines)

    @property
    def _list(self) -> Lines:
        return self.query_one("#list", Lines)

    def show(self, view: View) -> None:
        """See `Section.show`."""
        first = not self._entries
        self._entries = [
            *blob_rows.entries(view.snapshot, trees.OUT),
            *blob_rows.entries(view.snapshot, trees.IN),
        ]
        self._list.show(
            FixedRows([blob_rows.entry_row(view.snapshot, item) for item in self._entries])
        )
        if first:
            self._list.go(1)
        self._content()
        self._panes()

    def on_lines_moved(self, event: Lines.Moved) -> None:
        """Show another blob, or the bytes of another value."""
        if event.lines is self._list:
            self._values.go(0)
            self._content()
        else:
            self._bytes()

    def close_something(self) -> bool:
        """Let the arrows move in the list again."""
        was_in_list, self._in_list = self._in_list, True
        self._panes()
        return not was_in_list

    def action_side(self) -> None:
        """Go to the other side."""
        other = trees.IN if self._chosen().side == trees.OUT else trees.OUT
        at = next((at for at, item in enumerate(self._entries) if item.side == other), 0)
        self._list.go(min(at + 1, len(self._entries) - 1))

    def action_pane(self, pane: str) -> None:
        """Let the arrows move in the list or in the content, where there is some."""
        if pane == "content" and not len(self._values.source):
            self.say("there are no values here to move in")
            return
        self._in_list = pane == "list"
        self._panes()

    def action_look(self) -> None:
        """Go into the content."""
        self.action_pane("content")

    def action_hex(self) -> None:
        """Show or hide the bytes."""
        if self._raw() is None:
            self.say("there are no bytes here to show")
            return
        self._hex = not self._hex
        self._content()

    def action_dts(self) -> None:
        """Show values or device tree source."""
        missing = self._why_no_source()
        if missing:
            self.say(missing)
            return
        self._source = not self._source
        self._content()

    def _why_no_source(self) -> str:
        """Why what is chosen has no device tree source; empty where it has one."""
        entry = self._chosen()
        if self.view is None or entry.title:
            return "choose the root tree or a blob first"
        side = trees.side(self.view.snapshot, entry.side)
        found = side if isinstance(side, Unknown) else trees.tree(side, entry.name)
        return text.reason(found) if isinstance(found, Unknown) else ""

    def _panes(self) -> None:
        self._list.look_active(self._in_list)
        self._values.look_active(not self._in_list)

    def _chosen(self) -> Entry:
        return self._entries[self._list.cursor] if self._entries else Entry(trees.OUT)

    def _content(self) -> None:
        if self.view is None:
            return
        entry, width = self._chosen(), self._room()
        side = trees.side(self.view.snapshot, entry.side)
        if isinstance(side, Unknown):
            cold = self.view.snapshot.booted_through_handover is False
            words = text.no_side(side, cold=cold and entry.side == trees.IN)
            self._show(title=wrapped(words, width, row(" ")), values=[], lines=())
            return
        title = [*blob_rows.title(side, entry, width), rule(width)]
        if entry.title:
            self._show(title=title, values=[], lines=())
            return
        found = blob_view.lines(side, entry.name)
        if self._source:
            source = blob_view.source_lines(side, entry.name)
            if not isinstance(source, Unknown):
                rows = [item for line in source for item in blob_rows.folded(line, width)]
                self._show(title=title, values=rows, lines=())
                return
        if isinstance(found, Unknown):
            # Where there is nothing to decode the title says why.
            if not isinstance(trees.content(side, entry.name), Unknown):
                title += wrapped(text.why(found), width, row(" "))
            self._show(title=title, values=[], lines=())
        else:
            self._show(
                title=title,
                values=[blob_rows.value_row(line, width) for line in found],
                lines=found,
            )

    def _show(self, *, title: list[Row], values: list[Row], lines: tuple[Line, ...]) -> None:
        self._lines = lines
        self.query_one("#title", Panel).show(title)
        self._values.show(FixedRows(values))
        if not values:
            self._in_list = True
            self._panes()
        self._bytes()

    def _bytes(self) -> None:
        """Show the bytes with those of the value under the cursor marked."""
        found, between = self.query_one("#bytes", Lines), self.query_one("#between", Panel)
        raw = self._raw() if self._hex else None
        between.display = found.display = raw is not None
        if raw is None:
            return
        between.show([rule(self._room())])
        per_line = _WIDE if self._room() >= _WIDE_NEEDS else _NARROW
        line = self._lines[self._values.cursor] if self._lines else None
        mark = range(0)
        if line is not None and line.offset is not None:
            mark = range(line.offset, line.offset + line.size)
        label = "" if line is None or not mark else text.escaped(line.label)
        found.show(HexRows(raw, per_line, mark, label))
        found.scroll_to(y=max(mark.start // per_line - 1, 0), animate=False)

    def _raw(self) -> bytes | None:
        entry = self._chosen()
        if self.view is None or entry.title:
            return None
        side = trees.side(self.view.snapshot, entry.side)
        found = side if isinstance(side, Unknown) else trees.content(side, entry.name)
        return None if isinstance(found, Unknown) else found

    def _room(self) -> int:
        return max(self.size.width - _LIST - 1, 10)
