"""The actions of the journal as rows."""

from kho_console import text
from kho_console.model.record import Damage, Record, Standing, Who
from kho_console.tui.listed import labelled
from kho_console.tui.rows import Piece, Row, column, row

_WHEN, _WHO, _WHAT = 19, 10, 10
_NARROW = 60

SIGNS: dict[Standing, Piece] = {
    Standing.DONE: ("ok ", "good"),
    Standing.ARRIVED: ("ok ", "good"),
    Standing.PENDING: ("?  ", "warning"),
    Standing.UNKNOWN: ("?  ", "warning"),
    Standing.INTERRUPTED: ("!  ", "warning"),
    Standing.UNPROVEN: ("!  ", "warning"),
    Standing.REFUSED: ("x  ", "error"),
    Standing.KERNEL_REFUSED: ("x  ", "error"),
    Standing.LOST: ("x  ", "error"),
}


def line(found: Record, width: int) -> Row:
    """An action on one line: when, who, what, and how it stands."""
    who = found.who.login or found.who.user
    when = text.escaped(found.at)[:_WHEN].replace("T", " ")
    if width < _NARROW:
        head = row(SIGNS[found.standing], (when[-8:], "dim"), " ")
        return (*head, (f"{text.escaped(found.action)}: {found.standing}", ""))
    head = row(SIGNS[found.standing], (f"{column(when, _WHEN)} ", "dim"))
    names = f"{column(text.escaped(who), _WHO)} {column(text.escaped(found.action), _WHAT)} "
    rest = max(width - 3 - _WHEN - 1 - len(names) - 2, 8)
    words = f"{found.standing}: {text.escaped(found.text)}"
    return (*head, (names, "strong"), (column(words, rest), ""))


def whole(found: Record, width: int) -> list[Row]:
    """All that is known of an action."""
    rows = labelled(found.action, f"{found.standing}: {text.escaped(found.text)}", width)
    for change in found.changes:
        told = ", ".join(f"{text.escaped(key)}={_value(value)}" for key, value in change.items())
        rows += labelled("asked", told, width)
    for path, value in found.found:
        held = "not there" if value is None else text.escaped(value)
        rows += labelled("proof", f"{text.escaped(path)}: {held}", width)
    if found.errno is not None:
        rows += labelled("errno", text.escaped(found.errno), width)
    ended = "its end was not written" if found.ended is None else text.escaped(found.ended)
    rows += labelled("when", f"{text.escaped(found.at)}, ended {ended}", width)
    rows += labelled("who", _who(found.who), width)
    where = f"{found.host}, boot {found.boot}, source {found.source}"
    return rows + labelled("where", text.escaped(where), width, "dim")


def damage(found: Damage) -> str:
    """What of the journal cannot be read, in words."""
    place = f"line {found.line}: " if found.line else ""
    return f"{place}{text.escaped(found.reason)}"


def _who(who: Who) -> str:
    told = [f"{who.user} (uid {who.uid})"]
    told += [] if who.login is None else [f"logged in as {who.login}"]
    told += [] if who.tty is None else [f"on {who.tty}"]
    told += [] if who.ssh is None else [f"by ssh {who.ssh}"]
    return text.escaped(", ".join(told))


def _value(value: str | int | None) -> str:
    return "none" if value is None else text.escaped(str(value))
