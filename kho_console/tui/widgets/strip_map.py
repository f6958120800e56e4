"""Physical memory as one line of letters for each NUMA node."""

from collections.abc import Sequence
from itertools import groupby

from textual import events
from textual.message import Message

from kho_console import text
from kho_console.engine import strip, strip_cells
from kho_console.engine.strip import Band, Layer, StripMap
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Unknown
from kho_console.tui.rows import Piece, Row, flowed, row
from kho_console.tui.widgets.painted import Panel

MEANINGS = {
    strip.SCRATCH: "scratch",
    strip.PRESERVED: "preserved",
    strip.CRASH: "crash kernel",
    strip.OTHER: "other memory",
    strip.HOLE: "hole",
    **{letter: str(kind) for kind, letter in strip.OWNERS.items()},
}
"""What each letter stands for."""

_NAME = 7
_ROOM_FOR_ENDS = 60
"""Columns from which on a line has its last address too."""


class StripPanel(Panel):
    """The map with a mark that can be moved, and a zoom around it.

    The mark is an address on a line: where nodes are interleaved, the address alone does not tell
    which line it moves along.
    """

    class Marked(Message):
        """The mouse has moved the mark, or zoomed."""

    _map: StripMap | None = None
    _page_size = 1
    _width = 0
    _most = 99
    _by_owner = True
    _zoom = 1
    _mark: int | None = None
    _line = 0
    _shown: MemoryRange | None = None
    _first = 0
    _drawn: dict[tuple[MemoryRange, int, int], str]
    _names: Sequence[str] = ()
    _name_width = _NAME
    _with_ends = False
    _digits = 8
    _before = 0
    _cells = 8

    @property
    def mark(self) -> int | None:
        """The address that the mark stands on, None without a mark."""
        return self._mark

    @property
    def cell(self) -> MemoryRange | None:
        """The bytes behind the cell under the mark."""
        where = self._place()
        if where is None:
            return None
        span, cell = where
        return strip_cells.cell_span(span, self._cells, cell)

    def show_map(self, found: StripMap, page_size: int, width: int, most: int) -> None:
        """Draw a map on at most `most` lines."""
        if found is not self._map:
            self._drawn = {}
        if width != self._width:
            self._shown = None
        self._map, self._page_size, self._width, self._most = found, page_size, width, most
        self._measure()
        self._find_line()
        self.draw()

    def put_mark(self, address: int) -> None:
        """Mark the cell that holds an address."""
        if address != self._mark:
            self._mark = address
            self._find_line()
            self.draw()

    def move_mark(self, step: int) -> None:
        """Move the mark by cells; at the end of a line it goes on with the next one."""
        bands = self._bands()
        if not bands:
            return
        if (where := self._place()) is None:
            self._go(0, bands[0].span.start)
            return
        span, cell = where
        self._go(*strip_cells.neighbour(bands, self._line, span, self._cells, cell + step))

    def move_line(self, step: int) -> None:
        """Move the mark to the first cell of another line."""
        bands = self._bands()
        if bands:
            line = max(0, min(self._line + step, len(bands) - 1))
            self._go(line, bands[line].span.start)

    def zoom(self, step: int) -> None:
        """Show the line of the mark larger (1) or smaller (-1), or as a whole again (0)."""
        bands = self._bands()
        if not bands:
            return
        if self._place() is None:
            self._line, self._mark = 0, bands[0].span.start
        span = bands[self._line].span
        deepest = strip_cells.deepest_zoom(span, self._cells, self._page_size)
        wanted = {1: self._zoom * 2, -1: self._zoom // 2, 0: 1}[step]
        self._zoom = max(1, min(wanted, deepest))
        self._shown = None
        self._measure()
        self.draw()

    def draw(self) -> None:
        """Draw it again."""
        if self._map is None:
            return
        if isinstance(self._map.bands, Unknown):
            words = f" no map of memory: {text.why(self._map.bands)}"
            self.show([row((words, "dim"))])
            return
        bands = self._bands()
        self._first = max(0, min(self._line - self._most + 1, len(bands) - self._most))
        lines = range(self._first, min(self._first + self._most, len(bands)))
        drawn = {at: self._letters(at, self._map) for at in lines}
        rows = [self._band(at, letters) for at, letters in drawn.items()]
        layers, used = self._map.layers(by_owner=self._by_owner), "".join(drawn.values())
        # Where there is room for one line only, there is none for letters that it does not have.
        whole = self._most > 1
        self.show([*rows, *legend(layers, self._width, used, self._notes(), whole=whole)])

    def without_owners(self) -> "StripPanel":
        """Show preserved memory as one letter, and leave the mark to the screen."""
        self._by_owner = False
        return self

    def on_click(self, event: events.Click) -> None:
        """Put the mark where the mouse points."""
        line, bands = self._first + event.y, self._bands()
        shown = min(self._first + self._most, len(bands))
        cell = event.x - self._before
        if self._by_owner and line < shown and 0 <= cell < self._cells:
            span = strip_cells.cell_span(self._span(line), self._cells, cell)
            self._go(line, span.start)
            self.post_message(self.Marked())

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in."""
        self._wheel(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out."""
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, step: int) -> None:
        if self._by_owner:
            event.stop()
            self.zoom(step)
            self.post_message(self.Marked())

    def _go(self, line: int, address: int) -> None:
        if line != self._line:
            self._shown = None
        self._line, self._mark = line, address
        self.draw()

    def _find_line(self) -> None:
        """The line of the mark; the one it moves along is kept while it holds the mark."""
        bands = self._bands()
        if self._mark is None:
            return
        if self._line < len(bands) and bands[self._line].holds(self._mark):
            return
        self._line = strip_cells.band_at(bands, self._mark) or 0
        self._shown = None

    def _bands(self) -> Sequence[Band]:
        found = None if self._map is None else self._map.bands
        return () if found is None or isinstance(found, Unknown) else found

    def _letters(self, line: int, found: StripMap) -> str:
        span = self._span(line)
        key = (span, line, self._cells)
        letters = self._drawn.get(key)
        if letters is None:
            parts = self._bands()[line].parts
            kept = found.kept(by_owner=self._by_owner)
            letters = strip_cells.cells(span, self._cells, found.machine, parts, kept)
            if len(self._drawn) > 2 * self._most:
                self._drawn.clear()
            self._drawn[key] = letters
        return letters

    def _band(self, line: int, letters: str) -> Row:
        span = self._span(line)
        cell = None
        if line == self._line and self._mark is not None:
            cell = strip_cells.cell_at(span, self._cells, self._mark)
        name = f" {self._names[line]:<{self._name_width}}"
        pieces: list[Piece] = [(name, ""), (f"{self._address(span.start)} ", "address")]
        pieces += _coloured(letters, cell)
        if self._with_ends:
            pieces.append((f" {text.address(span.end, 8)}", "address"))
        return tuple(pieces)

    def _notes(self) -> list[Row]:
        """The scale of the marked line, and which lines there is no room for.

        They are no part of a line, so that zooming one does not rescale the others.
        """
        bands, notes = self._bands(), []
        if self._by_owner and bands:
            span = self._span(self._line)
            words = f"{self._names[self._line]}: {text.size(max(span.size // self._cells, 1))}"
            end = "" if self._with_ends else f", to {text.address(span.end, 8)}"
            zoom = f" x{self._zoom}" if self._zoom > 1 else ""
            notes.append(row((f"{words} a cell{end}", "dim"), (zoom, "strong")))
        if len(bands) > self._most:
            last = self._first + self._most
            shown = f"{self._first + 1}" if self._most == 1 else f"{self._first + 1}-{last}"
            notes.append(row((f"line {shown} of {len(bands)}", "warning")))
        return notes

    def _span(self, line: int) -> MemoryRange:
        """What is shown of a line; that of the mark stays until the mark leaves it."""
        whole = self._bands()[line].span
        if line != self._line or self._zoom == 1 or self._mark is None:
            return whole
        shown = self._shown
        if shown is None or not (shown.start <= self._mark < shown.end and whole.contains(shown)):
            self._shown = strip_cells.zoomed(
                whole, self._zoom, self._mark, self._cells, self._page_size
            )
            return self._shown
        return shown

    def _place(self) -> tuple[MemoryRange, int] | None:
        """The window of the marked line, and the cell of the mark in it."""
        if self._line >= len(self._bands()) or self._mark is None:
            return None
        span = self._span(self._line)
        cell = strip_cells.cell_at(span, self._cells, self._mark)
        return None if cell is None else (span, cell)

    def _measure(self) -> None:
        """What the drawing of all lines depends on, but not the mark."""
        bands = self._bands()
        alone = "memory" if len(bands) == 1 else "others"
        self._names = [alone if band.node is None else f"node{band.node}" for band in bands]
        self._name_width = max(_NAME, *(len(name) + 1 for name in self._names), 0)
        self._with_ends = self._by_owner and self._width >= _ROOM_FOR_ENDS
        last = max((band.span.end for band in bands), default=0)
        # A line that can be zoomed may come to begin near its end.
        highest = last if self._by_owner else max((band.span.start for band in bands), default=0)
        self._digits = _digits(highest)
        self._before = 1 + self._name_width + len(self._address(0)) + 1
        end = len(text.address(0, _digits(last))) + 1 if self._with_ends else 0
        self._cells = max(self._width - self._before - end - 1, 8)

    def _address(self, value: int) -> str:
        return text.address(value, self._digits)


def legend(
    layers: Sequence[Layer], width: int, drawn: str, notes: Sequence[Row] = (), *, whole: bool
) -> list[Row]:
    """What the letters mean, and what else there is to say.

    Args:
        layers: What may be drawn; empty layers are left out.
        width: Columns.
        drawn: The letters that are on the map.
        notes: What stands behind the letters.
        whole: Whether to explain those as well that are not on the map, marked as such.
    """
    used = [layer.letter for layer in layers if len(layer.runs)]
    items = [_meaning(letter) for letter in (*used, strip.HOLE) if letter in drawn]
    hidden = [_meaning(letter) for letter in used if letter not in drawn]
    if hidden and whole:
        hidden[0] = (("not drawn: ", "dim"), *hidden[0])
        items += hidden
    return flowed([*items, *notes], width)


def _meaning(letter: str) -> Row:
    return row((letter, f"letter-{_look(letter)}"), (f" {MEANINGS[letter]}", "dim"))


def _coloured(drawn: str, mark: int | None) -> list[Piece]:
    pieces: list[Piece] = []
    at = 0
    for letter, group in groupby(drawn):
        run = len(list(group))
        look = f"letter-{_look(letter)}"
        if mark is not None and at <= mark < at + run:
            before, behind = mark - at, at + run - mark - 1
            found = [(letter * before, look), (letter, "cursor"), (letter * behind, look)]
            pieces += [piece for piece in found if piece[0]]
        else:
            pieces.append((letter * run, look))
        at += run
    return pieces


def _digits(address: int) -> int:
    return 8 if address < 1 << 32 else 12 if address < 1 << 48 else 16


def _look(letter: str) -> str:
    return "hole" if letter == strip.HOLE else letter
