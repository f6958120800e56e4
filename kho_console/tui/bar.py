"""A bar of parts: each has a letter of its own, and none is too small to be seen."""

from collections.abc import Sequence

from kho_console.model.value import dataclass
from kho_console.tui.rows import Row


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar.

    Attributes:
        letter: What it is drawn with.
        look: How that looks.
        size: How much it is, in the unit of its neighbours.
    """

    letter: str
    look: str
    size: int


def bar(parts: Sequence[Part], width: int) -> Row:
    """Parts side by side on `width` columns, in proportion; what is not empty has one at least."""
    shown = [part for part in parts if part.size > 0]
    if len(shown) > width:
        return ()
    total = sum(part.size for part in shown)
    columns = [max(part.size * width // total, 1) for part in shown]
    while sum(columns) != width and columns:
        # The largest part gives and takes: there a column shows least.
        largest = max(range(len(columns)), key=columns.__getitem__)
        columns[largest] += 1 if sum(columns) < width else -1
    return tuple(
        (part.letter * count, part.look) for part, count in zip(shown, columns, strict=True)
    )
