"""The answer first: would the next reboot hand over, with what, and what stands in the way."""

from collections.abc import Iterable, Sequence

from textual.widget import Widget

from kho_console import text
from kho_console.engine.observer import View
from kho_console.engine.verdict import Standing, judge
from kho_console.model.finding import Severity
from kho_console.model.memory import ScratchArea
from kho_console.model.session import Direction
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.tui import commands
from kho_console.tui.rows import Row, flowed, plain, row, rule, wrapped
from kho_console.tui.section import Section
from kho_console.tui.signs import finding_rows
from kho_console.tui.widgets.page import Page
from kho_console.tui.widgets.painted import Panel
from kho_console.tui.widgets.strip_map import StripPanel

_LOOKS = {
    Standing.READY: "good",
    Standing.FLAWED: "error",
    Standing.NOT_YET: "warning",
    Standing.NO: "error",
    Standing.UNKNOWN: "warning",
}
_LABEL = 12
_MOST_BANDS = 4
_LEAST_FINDINGS = 3
_FRAME = 3
"""Lines of the banner and of the keys."""


class Overview(Section):
    """See the module."""

    subject = "overview"
    BINDINGS = commands.bindings(subject)

    def body(self) -> Iterable[Widget]:
        """See `Section.body`."""
        with Page(id="page"):
            yield Panel(id="verdict")
            yield Panel(id="machine")
            yield StripPanel(id="strip").without_owners()
            yield Panel(id="events")
        yield Panel(id="more")

    def moving(self) -> Page:
        """See `Section.moving`."""
        return self.query_one(Page)

    def show(self, view: View) -> None:
        """See `Section.show`."""
        width, height = self.size
        strip = self.query_one(StripPanel)
        strip.show_map(view.strip, view.snapshot.machine.page_size, width, _MOST_BANDS)
        answer = _handover(view, width)
        machine = [rule(width), *_machine(view.snapshot, width), rule(width)]
        events = [rule(width), *_events(view, width)]
        room = height - _FRAME - len(machine) - len(strip.text.splitlines()) - len(events)
        answer += _found(view, width, max(room - len(answer), _LEAST_FINDINGS))
        self.query_one("#verdict", Panel).show(answer)
        self.query_one("#machine", Panel).show(machine)
        self.query_one("#events", Panel).show(events)
        more = self.query_one("#more", Panel)
        more.display = len(answer) > room
        more.show([row((" .. PgDn shows more, PgUp goes back", "dim"))])


def _labelled(label: str, rows: Sequence[Row]) -> list[Row]:
    """Rows with a label before the first one."""
    first = ((f" {label:<{_LABEL - 1}}", "strong"),)
    rest = ((" " * _LABEL, ""),)
    return [(*(first if at == 0 else rest), *found) for at, found in enumerate(rows)]


def _handover(view: View, width: int) -> list[Row]:
    verdict, room = judge(view.snapshot, view.findings), width - _LABEL
    sign = row((f"{verdict.standing}: ", _LOOKS[verdict.standing]))
    words = wrapped(verdict.sentence, room, sign, "strong")
    if verdict.detail:
        words += wrapped(verdict.detail, room, look="dim")
    return _labelled("HANDOVER", words)


def _machine(snapshot: Snapshot, width: int) -> list[Row]:
    room = width - _LABEL
    rows: list[Row] = []
    if snapshot.unavailable is None:
        rows += _labelled("CARRIES", wrapped(" · ".join(_cargo(snapshot)), room))
    if snapshot.booted_through_handover is True:
        rows += _labelled("CAME FROM", wrapped(_origin(snapshot), room))
    rows += _labelled("SCRATCH", _scratch(snapshot, room))
    return rows + _labelled("CRASH", wrapped(_crash(snapshot), room))


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


def _origin(snapshot: Snapshot) -> str:
    parts = ["an earlier kernel, through a handover"]
    if not isinstance(snapshot.previous_release, Unknown):
        parts = [f"kernel {text.escaped(snapshot.previous_release)}, through a handover"]
    if not isinstance(snapshot.kexec_count, Unknown):
        parts.append(f"number {snapshot.kexec_count} since a cold boot")
    waiting = snapshot.inventory.waiting
    if not isinstance(waiting, Unknown) and waiting:
        parts.append(f"{waiting:,} of its sessions waiting")
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


def _crash(snapshot: Snapshot) -> str:
    regions, cpus = snapshot.memory.crash_regions, snapshot.cpus
    if isinstance(regions, Unknown):
        room = f"reserved memory {text.why(regions)}"
    else:
        total = text.total(regions)
        room = f"{text.size(total)} reserved" if total else "no memory is reserved"
    present = text.told(cpus.present, lambda found: f"{len(found)}")
    possible = text.told(cpus.possible, lambda found: f"{len(found)}")
    armed = text.armed(snapshot.kexec.crash_loaded)
    return f"{armed} · {room} · {present} of {possible} CPUs present"


def _found(view: View, width: int, most: int) -> list[Row]:
    """How many findings there are, and the worst of them on about `most` lines.

    The first one and all errors are there in any case.
    """
    rows = [row((" FINDINGS   ", "strong"), text.findings(view.findings))]
    shown = 0
    for item in sorted(view.findings, key=lambda item: -item.severity.rank):
        lines = finding_rows(item, width)
        if shown and item.severity is not Severity.ERROR and len(rows) + len(lines) > most - 1:
            break
        rows += lines
        shown += 1
    if shown < len(view.findings):
        rows.append(row((f"   {len(view.findings) - shown} more on screen 8", "dim")))
    return rows


def _events(view: View, width: int) -> list[Row]:
    """The latest events that fit on one line, newest first."""
    head = row((" EVENTS     ", "strong"))
    if not view.events:
        return [(*head, ("none seen", "dim"))]
    boot, shown = view.snapshot.machine.boot_time, 0
    line = head
    for item in reversed(view.events):
        piece = f"{text.moment(boot, item.monotonic)} {text.event(item)}   "
        if len(plain(line)) + len(piece) > width - 13 and shown:
            break
        line = (*line, (piece, ""))
        shown += 1
    earlier = view.events_seen - shown
    return [(*line, (f"({earlier:,} earlier)" if earlier else "", "dim"))]
