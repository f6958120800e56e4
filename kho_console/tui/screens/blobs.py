"""The root tree and the blobs of both sides: decoded values, device tree source, bytes."""

from collections.abc import Iterable

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from kho_console import text
from kho_console.engine import blob_view, trees
from kho_console.engine.blob_view import Line
from kho_console.engine.observer import View
from kho_console.engine.paths import IN, OUT
from kho_console.model.unknown import Unknown
from kho_console.tui import blob_rows, blob_search, commands, compare_rows
from kho_console.tui.blob_rows import Entry
from kho_console.tui.blob_search import Place
from kho_console.tui.hex_rows import HexRows
from kho_console.tui.rows import FixedRows, Row, row, rule, wrapped
from kho_console.tui.section import Section
from kho_console.tui.widgets.lines import Lines
from kho_console.tui.widgets.painted import Panel
from kho_console.tui.widgets.prompt import Prompt

_LIST = 29
_BYTES = ((80, 16), (43, 8), (0, 4))
"""How many bytes stand on a line, by the columns that they need."""

_BOTH_NEED = 64
"""Columns below which the list and the content take turns."""

_LEAST_FOR_BYTES = 20
"""Lines below which the values and the bytes take turns."""

_PANES = ("list", "values", "bytes")


class Blobs(Section):
    """See the module."""

    subject = "blobs"
    BINDINGS = commands.bindings(subject)

    def __init__(self) -> None:
        """Start with values and bytes, the arrows in the list."""
        super().__init__()
        self._pane = "list"
        self._hex = True
        self._source = False
        self._compared = False
        self._entries: list[Entry] = []
        self._lines: tuple[Line, ...] = ()
        self._drawn_for: Entry | None = None
        self._marked: tuple[str, range] | None = None
        self._words = ""
        self._places: tuple[Place, ...] = ()

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
        return self.query_one(f"#{self._pane}", Lines)

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
            *blob_rows.entries(view.snapshot, OUT),
            *blob_rows.entries(view.snapshot, IN),
        ]
        self._list.show(
            FixedRows([blob_rows.entry_row(view.snapshot, item) for item in self._entries])
        )
        if self._words:
            self._places = blob_search.places(view.snapshot, self._entries, self._words)
        if first:
            self._list.go(1)
        self._content()
        self._panes()

    def arrive(self, wanted: str) -> None:
        """Go to the blob of that name, or the root tree; an incoming one where `in` leads it."""
        side, _, name = wanted.partition(" ")
        for at, item in enumerate(self._entries):
            known = not item.title and name in (
                blob_rows.name_of(item).replace(" ", "-"),
                blob_rows.name_of(item),
            )
            if known and side == item.side:
                self._list.go(at)
                return

    def on_lines_moved(self, event: Lines.Moved) -> None:
        """Show another blob, or the bytes of another value."""
        if event.lines is self._values:
            self._bytes()
        elif self._chosen() is not self._drawn_for:
            self._values.go(0)
            self._content()

    def close_something(self) -> bool:
        """Show values again, then let the arrows move in the list again."""
        if self._compared:
            self.action_compare()
            return True
        was, self._pane = self._pane, "list"
        self._panes()
        return was != "list"

    def action_side(self) -> None:
        """Go to the other side."""
        other = IN if self._chosen().side == OUT else OUT
        at = next((at for at, item in enumerate(self._entries) if item.side == other), 0)
        self._list.go(min(at + 1, len(self._entries) - 1))

    def action_pane(self, step: int) -> None:
        """Let the arrows move in the next pane that has something to move in."""
        there = [name for name in _PANES if self._has(name)]
        at = there.index(self._pane) + step
        if len(there) == 1 and step > 0:
            self.say("there are no values here to move in")
            return
        self._pane = there[max(min(at, len(there) - 1), 0)]
        self._panes()

    def action_look(self) -> None:
        """Go into the content."""
        self.action_pane(1)

    def action_hex(self) -> None:
        """Show or hide the bytes."""
        if self._raw() is None:
            self.say("there are no bytes here to show")
            return
        self._hex = not self._hex
        self._content()
        self._panes()

    def action_dts(self) -> None:
        """Show values or device tree source."""
        missing = self._why_no_source()
        if missing:
            self.say(missing)
            return
        self._source, self._compared = not self._source, False
        self._content()

    def action_compare(self) -> None:
        """Show what differs between both sides, or the values again."""
        self._compared = not self._compared
        self._values.go(0)
        self._content()
        self._panes()

    def action_copy_path(self) -> None:
        """Copy the path of what is chosen; a terminal may ignore it, so it is said as well."""
        path = blob_rows.path_of(self._chosen(), self._line())
        self.app.copy_to_clipboard(path)
        self.say(f"copied: {path}")

    def action_find(self) -> None:
        """Ask for words to find."""
        hint = "in names, paths and values"
        self.query_one(Prompt).ask("find", self._words, self._find, hint=hint)

    def action_again(self, step: int) -> None:
        """Go to another place with the words."""
        if not self._words:
            self.say("nothing was looked for; / asks for words")
        elif not self._places:
            self.say(f"{text.escaped(self._words)} is nowhere here")
        else:
            here = Place(self._list.cursor, -1 if self._pane == "list" else self._values.cursor)
            self._go(blob_search.next_to(here, self._places, step))

    def _find(self, words: str) -> bool:
        self._words, self._places = words.strip(), ()
        if self._words and self.view is not None:
            self._places = blob_search.places(self.view.snapshot, self._entries, self._words)
            self.action_again(1)
        return True

    def _go(self, index: int) -> None:
        """Go to a place where words were found."""
        place = self._places[index]
        self._source = self._compared = False
        self._list.go(place.entry)
        self._content()
        self._values.go(max(place.line, 0))
        self._pane = "list" if place.line < 0 else "values"
        self._panes()
        self.say(f"{index + 1} of {len(self._places)}: n next, N previous")

    def _why_no_source(self) -> str:
        """Why what is chosen has no device tree source; empty where it has one."""
        entry = self._chosen()
        if self.view is None or entry.title:
            return "choose the root tree or a blob first"
        side = trees.side(self.view.snapshot, entry.side)
        found = side if isinstance(side, Unknown) else trees.tree(side, entry.name)
        return text.reason(found) if isinstance(found, Unknown) else ""

    def _has(self, pane: str) -> bool:
        if pane == "bytes":
            return self._hex and not self._compared and self._raw() is not None
        return pane == "list" or len(self._values.source) > 0

    def _panes(self) -> None:
        """Draw which pane the keys move in; where room is short it is the only one."""
        if not self._has(self._pane):
            self._pane = "list"
        for name in _PANES:
            self.query_one(f"#{name}", Lines).look_active(name == self._pane)
        both = self.size.width >= _BOTH_NEED
        self.set_class(not both, "-narrow")
        self._list.display = both or self._pane == "list"
        self.query_one("#content").display = both or self._pane != "list"
        self._bytes()

    def _chosen(self) -> Entry:
        return self._entries[self._list.cursor] if self._entries else Entry(OUT)

    def _line(self) -> Line | None:
        """The value under the cursor, where keys move in the values or the bytes."""
        at = self._values.cursor
        return self._lines[at] if self._pane != "list" and at < len(self._lines) else None

    def _content(self) -> None:
        if self.view is None:
            return
        entry, width = self._chosen(), self._room()
        self._drawn_for = entry
        if self._compared:
            title, rows = compare_rows.compared(self.view.snapshot, entry, width)
            self._show(title=[*title, rule(width)], values=rows, lines=())
            return
        side = trees.side(self.view.snapshot, entry.side)
        if isinstance(side, Unknown):
            cold = self.view.snapshot.booted_through_handover is False
            words = text.no_side(side, cold=cold and entry.side == IN)
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
            values = [blob_rows.value_row(line, width) for line in found]
            self._show(title=title, values=values, lines=found)

    def _show(self, *, title: list[Row], values: list[Row], lines: tuple[Line, ...]) -> None:
        self._lines = lines
        self.query_one("#title", Panel).show(title)
        self._values.show(FixedRows(values))
        if not self._has(self._pane):
            self._pane = "list"
        self._panes()

    def _bytes(self) -> None:
        """Show the bytes with those of the value under the cursor marked."""
        found = self.query_one("#bytes", Lines)
        raw = self._raw() if self._has("bytes") else None
        low = self.size.height < _LEAST_FOR_BYTES
        shown = raw is not None and (not low or self._pane == "bytes")
        self.query_one("#between", Panel).display = found.display = shown
        self._values.display = not (low and self._pane == "bytes")
        if raw is None or not shown:
            return
        self._between()
        room = self._room()
        per_line = next(count for needed, count in _BYTES if room >= needed)
        line = self._lines[self._values.cursor] if self._lines else None
        mark = range(0)
        if line is not None and line.offset is not None:
            mark = range(line.offset, line.offset + line.size)
        label = "" if line is None or not mark else text.escaped(line.label)
        found.show(HexRows(raw, per_line, mark, label))
        # What somebody scrolled to stays until another value is chosen.
        here = (blob_rows.path_of(self._chosen(), None), mark)
        if self._marked != here:
            self._marked = here
            found.scroll_to(y=max(mark.start // per_line - 1, 0), animate=False)

    def _between(self) -> None:
        """The line above the bytes: how many there are, and whether keys move in them."""
        raw = self._raw()
        if raw is not None:
            sign = ">" if self._pane == "bytes" else " "
            words = f"{sign}{text.exact(len(raw))} "
            rest = rule(max(self._room() - len(words), 0))
            self.query_one("#between", Panel).show([row((words, "dim"), *rest)])

    def _raw(self) -> bytes | None:
        entry = self._chosen()
        if self.view is None or entry.title:
            return None
        side = trees.side(self.view.snapshot, entry.side)
        found = side if isinstance(side, Unknown) else trees.content(side, entry.name)
        return None if isinstance(found, Unknown) else found

    def _room(self) -> int:
        width = self.size.width
        return width if width < _BOTH_NEED else max(width - _LIST - 1, 10)
