"""The top line: who and what this is, where it comes from, and whether it is fresh."""

from kho_console import text
from kho_console.engine.observer import View
from kho_console.model.value import dataclass
from kho_console.tui.rows import Piece, Row, plain, row, rule, spread
from kho_console.tui.widgets.painted import Panel

_NARROW = 60


@dataclass(frozen=True, slots=True)
class Condition:
    """How the console itself stands.

    Attributes:
        kind: `live` or `fixture`.
        name: The source's name.
        mode: Whether it may change the machine: `R/O` or `R/W`.
        paused: Nothing is read by itself.
        stale: Age in seconds of what is shown, while a read is late; None while none is.
        reading: Something is being waited for, and there is nothing to show yet.
        failed: The last read ended in an error.
    """

    kind: str
    name: str
    mode: str
    paused: bool = False
    stale: int | None = None
    reading: bool = False
    failed: bool = False


class Banner(Panel):
    """The top line and the rule below it; where room is short, the machine gives way."""

    def show_for(self, view: View | None, condition: Condition, width: int) -> None:
        """Draw it for a view."""
        left = row(" ") if view is None else _machine(view)
        self.show([spread(left, _state(condition, width), width), rule(width)])


def _machine(view: View) -> Row:
    snapshot = view.snapshot
    machine = snapshot.machine
    return row(
        " ",
        (text.escaped(machine.hostname) or "host unknown", "strong"),
        f"  {text.escaped(machine.release)} {text.escaped(machine.architecture)}",
        (f"  {text.life_cycle(snapshot.generation, snapshot.state)}", "dim"),
    )


def _state(condition: Condition, width: int) -> Row:
    pieces: list[Piece] = []
    if condition.stale is not None:
        pieces.append((f"STALE {condition.stale} s  ", "warning"))
    elif condition.reading:
        pieces.append(("reading ..  ", "info"))
    if condition.failed:
        pieces.append(("x read failed  ", "error"))
    if condition.paused:
        pieces.append(("PAUSED  ", "warning"))
    mode: Piece = (f"  {condition.mode} ", "strong")
    kind, name = condition.kind.upper(), text.escaped(condition.name)
    # Where room is short the host comes first: a live machine has its name, the rest another.
    short = kind if condition.kind == "live" else name
    where = short if width < _NARROW else f"{kind} {name}"
    room = width - len(plain((*pieces, mode)))
    return (*pieces, (text.cut(where, room), "info"), mode)
