"""The words of the Overview: the answer, what is worth attention, and what it rests on."""

from collections.abc import Iterable, Iterator, Sequence

from kho_console import text, text_crash, text_mechanisms
from kho_console.engine import arrived
from kho_console.engine.observer import View
from kho_console.engine.paths import IN
from kho_console.engine.verdict import Standing, judge
from kho_console.model.finding import Severity
from kho_console.model.kho2024 import Fate
from kho_console.model.memory import ScratchArea
from kho_console.model.session import Direction
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.model.value import dataclass
from kho_console.tui import happening_rows
from kho_console.tui.crash_rows import in_short
from kho_console.tui.rows import Row, flowed, plain, row, rule, wrapped
from kho_console.tui.signs import finding_rows

STANDINGS = {
    Standing.READY: "good",
    Standing.CONDITIONAL: "warning",
    Standing.FLAWED: "error",
    Standing.NOT_YET: "warning",
    Standing.NO: "error",
    Standing.UNKNOWN: "warning",
}
"""The look of each answer."""

_LABEL = 11


@dataclass(frozen=True, slots=True)
class Linked:
    """A row, the screen that tells more, and what to go to there; no screen for none."""

    row: Row
    screen: str = ""
    wanted: str = ""


def overview(view: View, width: int, height: int) -> list[Linked]:
    """All rows; findings give way so that they fit in `height`, as far as that can be."""
    answer = [*_to("findings", _handover(view, width))]
    rest = [*_machine(view, width), *_to("crash", _events(view, width))]
    room = height - len(answer) - len(rest) - 1
    return [*answer, *_findings(view, width, room), Linked(rule(width)), *rest]


def _to(screen: str, rows: Iterable[Row]) -> Iterator[Linked]:
    return (Linked(found, screen) for found in rows)


def _labelled(label: str, rows: Sequence[Row]) -> list[Row]:
    """Rows with a label before the first one."""
    first = ((f"{label:<{_LABEL}}", "strong"),)
    rest = ((" " * _LABEL, ""),)
    return [(*(first if at == 0 else rest), *found) for at, found in enumerate(rows)]


def _handover(view: View, width: int) -> list[Row]:
    verdict, room = judge(view.snapshot, view.findings), width - _LABEL
    sign = row((f"{verdict.standing}: ", STANDINGS[verdict.standing]))
    words = wrapped(verdict.sentence, room, sign, "strong")
    if verdict.detail:
        words += wrapped(verdict.detail, room, look="dim")
    return _labelled("HANDOVER", words)


def _findings(view: View, width: int, most: int) -> Iterator[Linked]:
    """How many findings there are, and the worst of them on about `most` lines.

    The first one and all errors are there in any case.
    """
    label = row(("FINDINGS   ", "strong"), text.findings(view.findings))
    yield Linked(label, "findings")
    used, shown = 1, 0
    for item in sorted(view.findings, key=lambda item: -item.severity.rank):
        lines = [_flush(found) for found in finding_rows(item, width + 1)]
        rest = len(view.findings) - shown
        needed = used + len(lines) + (rest > 1)
        if shown and item.severity is not Severity.ERROR and needed > most:
            break
        yield from (Linked(found, "findings", item.id) for found in lines)
        used += len(lines)
        shown += 1
    if shown < len(view.findings):
        words = f"  {len(view.findings) - shown} more on screen 8"
        yield Linked(row((words, "dim")), "findings")


def _flush(found: Row) -> Row:
    """A row without the blank that it begins with; the sign of the cursor stands there."""
    (words, look), *rest = found
    return ((words[1:], look), *rest)


def _machine(view: View, width: int) -> Iterator[Linked]:
    snapshot, room = view.snapshot, width - _LABEL
    if snapshot.unavailable is None:
        cargo = wrapped(" · ".join(_cargo(snapshot)), room)
        yield from _to("preserved", _labelled("CARRIES", cargo))
    if snapshot.booted_through_handover is True:
        came = _labelled("CAME FROM", wrapped(_origin(view), room))
        known = not isinstance(view.incoming.preserved, Unknown)
        place = ("preserved", IN) if known else ("blobs", "in root-tree")
        yield from (Linked(found, *place) for found in came)
    yield from _to("scratch", _labelled("SCRATCH", _scratch(snapshot, room)))
    yield from _beside(snapshot, room)
    yield from _to("crash", _labelled("CRASH", wrapped(in_short(snapshot), room)))


def _beside(snapshot: Snapshot, room: int) -> Iterator[Linked]:
    """The mechanisms that the machine has beside the handover."""
    found = snapshot.mechanisms
    if found.pkram is not None:
        words = wrapped(text_mechanisms.pkram(found.pkram), room, most=2)
        yield from _to("pkram", _labelled("PKRAM", words))
    if found.kstate is not None:
        words = wrapped(text_mechanisms.kstate(found.kstate), room, most=2)
        yield from _to("kstate", _labelled("KSTATE", words))


def _cargo(snapshot: Snapshot) -> Iterable[str]:
    """What would be handed over, one phrase each; sessions that came in do not go out again."""
    inventory = snapshot.inventory
    sessions = inventory.sessions
    yield (
        f"sessions {text.why(sessions)}"
        if isinstance(sessions, Unknown)
        else text.counted(item for item in sessions if item.direction is not Direction.INCOMING)
    )
    found = inventory.preserved
    if isinstance(found, Unknown):
        yield f"preserved memory {text.why(found)}"
    else:
        yield f"{text.size(found.bytes)} preserved in {text.count(len(found.ranges), 'range')}"
    blobs = snapshot.outgoing.blobs
    yield (
        f"blobs {text.why(blobs)}" if isinstance(blobs, Unknown) else text.count(len(blobs), "blob")
    )


def _origin(view: View) -> str:
    snapshot, came = view.snapshot, view.incoming.preserved
    parts = ["an earlier kernel, through a handover"]
    if not isinstance(snapshot.previous_release, Unknown):
        parts = [f"kernel {text.escaped(snapshot.previous_release)}, through a handover"]
    if not isinstance(snapshot.kexec_count, Unknown):
        parts.append(text.chain(snapshot.kexec_count))
    waiting = snapshot.inventory.waiting
    if not isinstance(waiting, Unknown) and waiting:
        parts.append(f"{waiting:,} of its sessions waiting")
    if not isinstance(came, Unknown):
        parts.append(f"with {text.size(came.bytes)}")
        left = [
            item for item in arrived.fates(snapshot.incoming).shares() if item.fate is Fate.WAITING
        ]
        parts += [f"{text.size(item.bytes)} of it still waiting" for item in left]
    return ", ".join(parts)


def _scratch(snapshot: Snapshot, room: int) -> list[Row]:
    areas = snapshot.scratch
    if isinstance(areas, Unknown):
        return wrapped(text.why(areas), room)
    head = row(text.size(text.total(areas)))
    items = [row((f"{_short_role(area)} ", "dim"), _length(area)) for area in areas]
    return flowed([head, *items], room, indent=0)


def _short_role(area: ScratchArea) -> str:
    return text.scratch_role(area).replace("low memory", "low").replace("node ", "node")


def _length(area: ScratchArea) -> str:
    return text.short_size(area.size) if area.size else "none"


def _events(view: View, width: int) -> list[Row]:
    """The latest happenings that fit on one line, newest first."""
    head = row(("EVENTS     ", "strong"))
    if not view.happenings:
        return [(*head, ("none seen", "dim"))]
    boot, shown = view.snapshot.machine.boot_time, 0
    line = head
    for item in reversed(view.happenings):
        piece = f"{text.moment(boot, happening_rows.began(item))} {text_crash.briefly(item)}   "
        if len(plain(line)) + len(piece) > width - 13 and shown:
            break
        line = (*line, (piece, ""))
        shown += 1
    earlier = len(view.happenings) - shown
    return [(*line, (f"({earlier:,} earlier)" if earlier else "", "dim"))]
