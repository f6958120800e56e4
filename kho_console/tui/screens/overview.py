"""The answer first: would the next reboot hand over, with what, and what stands in the way."""

from collections import Counter
from collections.abc import Iterable, Sequence

from textual.widget import Widget

from kho_console import text
from kho_console.engine.observer import View
from kho_console.engine.verdict import Standing, judge
from kho_console.model.finding import Severity
from kho_console.model.memory import ScratchArea
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.tui import commands
from kho_console.tui.rows import Row, flowed, plain, row, rule, wrapped
from kho_console.tui.section import Section
from kho_console.tui.signs import finding_rows, totals
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


class Overview(Section):
    """See the module."""

    subject = "overview"
    BINDINGS = commands.bindings(subject)

    def body(self) -> Iterable[Widget]:
        """See `Section.body`."""
        yield Panel(id="answer")
        yield StripPanel(id="strip").without_owners()
        yield Panel(id="found")

    def show(self, view: View) -> None:
        """See `Section.show`."""
        width, height = self.size
        answer = [*_answer(view, width), rule(width)]
        self.query_one("#answer", Panel).show(answer)
        strip = self.query_one(StripPanel)
        strip.show_map(view.strip, view.snapshot.machine.page_size, width, _MOST_BANDS)
        left = height - 3 - len(answer) - len(strip.text.splitlines())
        found = [rule(width), *_found(view, width, left - 2), *_events(view, width)]
        self.query_one("#found", Panel).show(found)


def _labelled(label: str, rows: Sequence[Row]) -> list[Row]:
    """Rows with a label before the first one."""
    first = ((f" {label:<{_LABEL - 1}}", "strong"),)
    rest = ((" " * _LABEL, ""),)
    return [(*(first if at == 0 else rest), *found) for at, found in enumerate(rows)]


def _answer(view: View, width: int) -> list[Row]:
    snapshot, room = view.snapshot, width - _LABEL
    verdict = judge(snapshot, view.findings)
    sign = row((f"{verdict.standing}: ", _LOOKS[verdict.standing]))
    handover = wrapped(verdict.sentence, room, sign, "strong")
    if verdict.detail:
        handover += wrapped(verdict.detail, room, look="dim")
    if snapshot.unavailable is None:
        handover += wrapped(" · ".join(_cargo(snapshot)), room)
    return [
        *_labelled("HANDOVER", handover),
        *(_labelled("CAME FROM", wrapped(_origin(snapshot), room)) if _came(snapshot) else []),
        *_labelled("SCRATCH", _scratch(snapshot, room)),
        *_labelled("CRASH", wrapped(_crash(snapshot), room)),
    ]


def _cargo(snapshot: Snapshot) -> Iterable[str]:
    """What would be handed over, one phrase each."""
    inventory = snapshot.inventory
    sessions = inventory.sessions
    yield (
        f"sessions {text.word(sessions)}"
        if isinstance(sessions, Unknown)
        else text.count(len(sessions), "session")
    )
    found = inventory.preserved
    if isinstance(found, Unknown):
        yield f"preserved memory: {found.reason}"
    else:
        yield f"{text.size(found.bytes)} preserved in {text.count(len(found.ranges), 'range')}"
    blobs = snapshot.outgoing.blobs
    yield (
        f"blobs {text.word(blobs)}"
        if isinstance(blobs, Unknown)
        else text.count(len(blobs), "blob")
    )


def _came(snapshot: Snapshot) -> bool:
    return snapshot.booted_through_handover is True


def _origin(snapshot: Snapshot) -> str:
    release = text.told(snapshot.previous_release, lambda found: f"kernel {text.escaped(found)}")
    number = text.told(snapshot.kexec_count, lambda found: f"handover {found} since a cold boot")
    if isinstance(snapshot.previous_release, Unknown):
        return f"an earlier kernel, through a handover (its release: {release})"
    return f"{release}, through {number}"


def _scratch(snapshot: Snapshot, room: int) -> list[Row]:
    areas = snapshot.scratch
    if isinstance(areas, Unknown):
        return wrapped(f"{text.word(areas)}: {areas.reason}", room)
    total = sum(area.size for area in areas)
    head = row(text.size(total))
    items = [row((f"{_short_role(area)} ", "dim"), _length(area)) for area in areas]
    return flowed([head, *items], room, indent=0)


def _short_role(area: ScratchArea) -> str:
    return text.scratch_role(area).replace("low memory", "low").replace("node ", "node")


def _length(area: ScratchArea) -> str:
    return text.short_size(area.size) if area.size else "none"


def _crash(snapshot: Snapshot) -> str:
    kexec, regions = snapshot.kexec, snapshot.memory.crash_regions
    if isinstance(kexec.crash_loaded, Unknown):
        armed = f"{text.word(kexec.crash_loaded)}: {kexec.crash_loaded.reason}"
    elif kexec.crash_loaded:
        armed = "armed: image loaded"
    else:
        armed = "not armed: no image"
    if isinstance(regions, Unknown):
        room = f"reserved memory {text.word(regions)}"
    else:
        total = sum(region.size for region in regions)
        room = f"{text.size(total)} reserved" if total else "no memory is reserved"
    present = text.told(snapshot.cpus.present, lambda found: f"{len(found)}")
    possible = text.told(snapshot.cpus.possible, lambda found: f"{len(found)}")
    return f"{armed} · {room} · {present} of {possible} CPUs present"


def _found(view: View, width: int, most: int) -> list[Row]:
    """How many findings there are, and the worst of them, on at most `most` lines."""
    counted = Counter(item.severity for item in view.findings)
    head = row((" FINDINGS   ", "strong"), totals(counted))
    rows = [head]
    shown = 0
    for item in sorted(view.findings, key=lambda item: -item.severity.rank):
        lines = finding_rows(item, width, 2)
        if len(rows) + len(lines) > most - 1 and item.severity is not Severity.ERROR:
            break
        rows += lines
        shown += 1
    if shown < len(view.findings) and len(rows) <= most:
        rows.append(row((f"   {len(view.findings) - shown} more on screen 8", "dim")))
    return rows[:most]


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
