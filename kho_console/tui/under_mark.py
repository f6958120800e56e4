"""What lies under the mark of a strip, in a few lines."""

from kho_console import text
from kho_console.engine import strip, strip_cells
from kho_console.engine.extents import Rows
from kho_console.engine.strip import StripMap
from kho_console.model.memory import MemoryRange
from kho_console.tui.extent_rows import NARROW
from kho_console.tui.rows import Row, row, wrapped
from kho_console.tui.widgets.strip_map import MEANINGS


def under_mark(
    cell: MemoryRange, found: StripMap, rows: Rows | None, width: int, *, whole: bool
) -> list[Row]:
    """The bytes of a cell, and what they hold.

    Args:
        cell: The bytes under the mark.
        found: What may be there.
        rows: The extents of the list, to count those in the cell.
        width: Columns.
        whole: Whether to sum up how much of each there is: that takes long where a cell is large,
            so it is not done at every step of the mark.
    """
    place = text.address(cell.start, 8 if width < NARROW else 12)
    head = row((" mark ", "dim"), (place, "address"), f" {text.size(cell.size)}  ")
    if whole:
        held = strip_cells.held(cell, found.machine, found.owners)
        words = ", ".join(f"{MEANINGS[letter]} {text.size(size)}" for letter, size in held)
        return wrapped(words, width, head, most=2 if width < NARROW else 3)
    letters = strip_cells.letters(cell, found.layers(by_owner=True)) or strip.HOLE
    count = len(rows.within(cell)) if rows else 0
    number = f", {text.count(count, 'extent')}" if count else ""
    return [(*head, (f"holds {letters}{number}", "dim"))]
