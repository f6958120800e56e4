"""The life cycle as a drawing: stations, the steps between them, and where the machine stands."""

from kho_console.engine.life_cycle import LifeCycle, WayBack
from kho_console.tui.rows import Piece, Row, flowed, plain, row, wrapped

_ROOM = 2
"""Columns on both sides of what leads back."""


def drawing(found: LifeCycle, width: int, *, low: bool = False) -> list[Row]:
    """The way with all steps, and in words where the machine stands.

    Args:
        found: The life cycle.
        width: Columns; where the steps do not fit, there are the stations alone.
        low: Whether there is no room for more than the stations.
    """
    chain = _chain(found)
    if low or len(plain(chain)) >= width:
        rows = flowed(_stations(found), width, gap=0)
    else:
        rows = [chain, *_back(found)]
    if low and found.here is not None:
        return rows
    here = row((" you are here: ", "strong")) if found.here is not None else row(" ")
    return [*rows, *wrapped(found.words, width, here)]


def _name(found: LifeCycle, at: int) -> Piece:
    """A station; the one where the machine stands has brackets and capital letters."""
    name = found.stations[at]
    return (f"[{name.upper()}]", "mark") if at == found.here else (name, "")


def _chain(found: LifeCycle) -> Row:
    pieces: list[Piece] = [(" ", ""), _name(found, 0)]
    for at, verb in enumerate(found.verbs, 1):
        pieces += [(f" ──{verb}→ ", "dim"), _name(found, at)]
    return tuple(pieces)


def _stations(found: LifeCycle) -> list[Row]:
    last = len(found.stations) - 1
    return [row(_name(found, at), ("→" if at < last else "", "dim")) for at in range(last + 1)]


def _centres(found: LifeCycle) -> list[int]:
    """The column of the middle of each station."""
    centres, left = [], 1
    for at in range(len(found.stations)):
        length = len(_name(found, at)[0])
        centres.append(left + length // 2)
        left += length + (len(f" ──{found.verbs[at]}→ ") if at < len(found.verbs) else 0)
    return centres


def _back(found: LifeCycle) -> list[Row]:
    """Two lines with the steps that lead back, each from its station to the one before."""
    centres = _centres(found)
    ways = sorted(found.back, key=lambda item: item.end)
    if not ways:
        return []
    upper = lower = ""
    for way in ways:
        left, right = _ends(way, centres)
        inner = right - left - 1
        upper += " " * (left - len(upper)) + "↑" + " " * inner + "│"
        lower += " " * (left - len(lower)) + "└" + f" {way.verb} ".center(inner, "─") + "┘"
    return [row((upper, "dim")), row((lower, "dim"))]


def _ends(way: WayBack, centres: list[int]) -> tuple[int, int]:
    return centres[way.end] + _ROOM // 2, centres[way.start] - _ROOM // 2
