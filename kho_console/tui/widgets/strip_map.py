"""Physical memory as one line of letters for each NUMA node."""

from collections.abc import Sequence
from itertools import groupby

from kho_console import text
from kho_console.engine import strip
from kho_console.engine.strip import Band, Layer, StripMap
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Unknown
from kho_console.tui.rows import Piece, Row, flowed, row
from kho_console.tui.widgets.painted import Panel

_MEANINGS = {
    strip.SCRATCH: "scratch",
    strip.PRESERVED: "preserved",
    strip.CRASH: "crash kernel",
    strip.OTHER: "other memory",
    strip.HOLE: "hole",
    **{letter: str(kind) for kind, letter in strip.OWNERS.items()},
}


class StripPanel(Panel):
    """The map with a mark that can be moved, and a zoom around it."""

    _map: StripMap | None = None
    _page_size = 1
    _width = 0
    _most = 99
    _by_owner = True
    _zoom = 1
    _mark: int | None = None
    _shown: MemoryRange | None = None

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
        return strip.cell_span(span, self._cells(), cell)

    def show_map(self, found: StripMap, page_size: int, width: int, most: int) -> None:
        """Draw a map on at most `most` lines."""
        self._map, self._page_size, self._width, self._most = found, page_size, width, most
        self.draw()

    def put_mark(self, address: int) -> None:
        """Mark the cell that holds an address."""
        if address != self._mark:
            self._mark = address
            self.draw()

    def move_mark(self, step: int) -> None:
        """Move the mark by cells; at the end of a line it goes on with the next one."""
        where, bands = self._place(), self._bands()
        if where is None or not bands:
            return
        span, cell = where
        index = strip.band_at(bands, strip.cell_span(span, self._cells(), cell).start) or 0
        self._mark = strip.neighbour(bands, index, span, self._cells(), cell + step)
        self.draw()

    def zoom(self, step: int) -> None:
        """Show the line of the mark larger (1) or smaller (-1)."""
        bands = self._bands()
        if not bands or self._mark is None:
            return
        index = strip.band_at(bands, self._mark) or 0
        deepest = strip.deepest_zoom(bands[index].span, self._cells(), self._page_size)
        self._zoom = min(self._zoom * 2, deepest) if step > 0 else max(self._zoom // 2, 1)
        self._shown = None
        self.draw()

    def draw(self) -> None:
        """Draw it again."""
        if self._map is None:
            return
        if isinstance(self._map.bands, Unknown):
            words = f" no map of memory: {text.why(self._map.bands)}"
            self.show([row((words, "dim"))])
            return
        layers = self._map.layers(by_owner=self._by_owner)
        bands = self._bands()
        marked = self._marked_band()
        first = max(0, min(marked - self._most + 1, len(bands) - self._most))
        rows = [
            self._band(band, layers, at == marked)
            for at, band in enumerate(bands[first : first + self._most], first)
        ]
        self.show([*rows, *legend(layers, self._width)])

    def without_owners(self) -> "StripPanel":
        """Show preserved memory as one letter."""
        self._by_owner = False
        return self

    def _bands(self) -> Sequence[Band]:
        found = None if self._map is None else self._map.bands
        return () if found is None or isinstance(found, Unknown) else found

    def _marked_band(self) -> int:
        if self._mark is None:
            return 0
        return strip.band_at(self._bands(), self._mark) or 0

    def _band(self, band: Band, layers: Sequence[Layer], marked: bool) -> Row:
        span = self._window(band) if marked else band.span
        drawn = strip.cells(span, self._cells(), layers)
        name = "memory" if band.node is None else f"node{band.node}"
        pieces: list[Piece] = [(f" {name:<7}", ""), (f"{self._address(span.start)} ", "address")]
        cell = None
        if marked and self._mark is not None:
            cell = strip.cell_at(span, self._cells(), self._mark)
        pieces += _coloured(drawn, cell)
        if marked and self._zoom > 1:
            pieces.append((f" x{self._zoom}", "strong"))
        return tuple(pieces)

    def _window(self, band: Band) -> MemoryRange:
        """What is shown of the marked line; it stays until the mark leaves it."""
        if self._zoom == 1 or self._mark is None:
            return band.span
        if self._shown is None or strip.cell_at(self._shown, 1, self._mark) is None:
            self._shown = strip.zoomed(band.span, self._zoom, self._mark)
        return self._shown

    def _place(self) -> tuple[MemoryRange, int] | None:
        """The window of the marked line, and the cell of the mark in it."""
        bands = self._bands()
        if not bands or self._mark is None:
            return None
        span = self._window(bands[self._marked_band()])
        cell = strip.cell_at(span, self._cells(), self._mark)
        return None if cell is None else (span, cell)

    def _digits(self) -> int:
        starts = [band.span.start for band in self._bands()]
        if self._zoom > 1 and self._mark is not None:
            starts.append(self._mark)
        return 8 if max(starts, default=0) < 1 << 32 else 12

    def _address(self, value: int) -> str:
        return text.address(value, self._digits())

    def _cells(self) -> int:
        zoom = len(f" x{self._zoom}") if self._zoom > 1 else 0
        return max(self._width - 8 - len(self._address(0)) - 1 - zoom - 1, 8)


def legend(layers: Sequence[Layer], width: int) -> list[Row]:
    """What the letters mean; those that no layer uses are left out."""
    used = [layer.letter for layer in layers if len(layer.runs)]
    items = [
        row((letter, f"letter-{_look(letter)}"), (f" {_MEANINGS[letter]}", "dim"))
        for letter in (*used, strip.HOLE)
    ]
    return flowed(items, width)


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


def _look(letter: str) -> str:
    return "hole" if letter == strip.HOLE else letter
