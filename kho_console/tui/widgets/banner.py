"""The top line: who and what this is, where it comes from, and whether it is fresh."""

from kho_console import text
from kho_console.engine.observer import View
from kho_console.model.position import Landmark, Position
from kho_console.model.value import dataclass
from kho_console.tui.rows import Piece, Row, clipped, plain, row, rule, spread
from kho_console.tui.widgets.painted import Panel

_NARROW = 60

_REPLAYED = {"recording": "REPLAY", "live": "SEEN"}
"""What is shown instead of a machine that is looked at now."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How the console itself stands.

    Attributes:
        kind: `live`, `fixture`, `recording` or `twin`.
        name: The source's name.
        mode: Whether it may change the machine: `R/O`, `WRITE` or `TWIN`.
        paused: Nothing is read by itself.
        stale: Age in seconds of what is shown, while a read is late; None while none is.
        reading: Something is being waited for, and there is nothing to show yet.
        failed: The last read ended in an error.
        others: Who else changes the machine, in words; None where nobody does.
        position: The moment that is shown, where there are others to walk to; else None.
        landmarks: What happened on the way.
    """

    kind: str
    name: str
    mode: str
    paused: bool = False
    stale: int | None = None
    reading: bool = False
    failed: bool = False
    others: str | None = None
    position: Position | None = None
    landmarks: tuple[Landmark, ...] = ()


class Banner(Panel):
    """The top line and the rule below it; where room is short, the machine gives way."""

    def show_for(self, view: View | None, condition: Condition, width: int) -> None:
        """Draw it for a view."""
        left = row(" ") if view is None else _machine(view)
        below = _notes(view, condition, width)
        self.show([spread(left, _state(condition, width), width), below])


def _notes(view: View | None, condition: Condition, width: int) -> Row:
    """The rule below, with what must not be overlooked: long where all of it fits, else short."""
    notes: list[tuple[Piece, str]] = []
    if condition.others is not None:
        other = text.escaped(condition.others)
        notes.append(((other, "warning"), other))
    if view is not None and view.snapshot.kexec.loaded is True:
        notes.append((("the next reboot will kexec", "warning"), "next reboot will kexec"))
    if condition.kind == "twin":
        notes.append((("rehearsal: nothing on this machine is touched", "info"), "rehearsal"))
    whole = sum(len(words) + 4 for (words, _), _ in notes)
    pieces: list[Piece] = []
    for (words, look), short in notes:
        pieces += [("── ", "rule"), (words if whole < width else short, look), (" ", "rule")]
    line = clipped(tuple(pieces), width)
    return (*line, *rule(width - len(plain(line))))


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
    if condition.position is not None:
        kind = _REPLAYED.get(condition.kind, kind)
        name = f"{name} {text.clock(condition.position.at)}"
    # Where room is short the host comes first: a live machine has its name, the rest another.
    short = kind if condition.kind == "live" and condition.position is None else name
    where = short if width < _NARROW or condition.kind == "twin" else f"{kind} {name}"
    room = width - len(plain((*pieces, mode)))
    return (*pieces, (text.cut(where, room), "info"), mode)
