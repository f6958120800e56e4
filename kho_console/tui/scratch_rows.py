"""The words of the Scratch screen: its answer, a line for each area, and what is known of one."""

from kho_console import text
from kho_console.engine import scratch_fit
from kho_console.engine.scratch_fit import Fit
from kho_console.model.memory import ScratchArea
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Unknown
from kho_console.tui.listed import labelled
from kho_console.tui.rows import Row, row, wrapped

_WIDE = 76
"""Columns that a line needs with both ends of its area, and its bytes."""


def answer(snapshot: Snapshot, width: int, most: int) -> list[Row]:
    """How much there is, and what that is enough for, on at most `most` lines."""
    areas = snapshot.scratch
    label = row((" SCRATCH    ", "strong"))
    if isinstance(areas, Unknown):
        return wrapped(text.why(areas), width, label, most=most)
    largest = max((area.size for area in areas), default=0)
    running = text.explained(scratch_fit.running_kernel(snapshot), text.size)
    words = (
        f"{text.exact(text.total(areas))} in {text.count(len(areas), 'area')}; kernel and initrd "
        f"must each fit in one. The largest has {text.size(largest)}; the kernel that runs now "
        f"takes {running}."
    )
    return wrapped(words, width, label, most=most)


def titles(width: int) -> Row:
    """What the columns are."""
    if width < _WIDE:
        return row((f"  {'for':<11}{'from':<17}{'size':>9}", "dim"))
    return row((f"   {'for':<12}{'from':<18}{'to, excluded':<18}{'size':>10}  notes", "dim"))


def line(fit: Fit, width: int) -> Row:
    """An area on one line, with a sign where something is wrong."""
    area, wide = fit.area, width >= _WIDE
    role = f"  {text.scratch_role(area):<12}" if wide else f" {text.scratch_role(area):<11}"
    if not area.size:
        return row(role, (text.cut("none: nothing reserved for this", width - 15), "dim"))
    start, end = text.address(area.range.start), text.address(area.range.end)
    faults = notes(fit)
    if not wide:
        mark = ("!", "error") if faults else ""
        return row(role, (f"{start:<17}", "address"), f"{text.size(area.size):>9}", mark)
    note = (f"  ! {', '.join(faults)}", "error") if faults else ""
    return row(role, (f"{start:<18}{end:<18}", "address"), f"{text.size(area.size):>10}", note)


def notes(fit: Fit) -> list[str]:
    """What is wrong with an area, a word each."""
    found = []
    if not isinstance(fit.preserved, Unknown) and fit.preserved:
        found.append("preserved in it")
    if fit.shared:
        found.append("overlaps")
    if fit.asked is not None and not fit.met:
        found.append("not as asked")
    return found


def whole(fit: Fit, snapshot: Snapshot, width: int) -> list[Row]:
    """All that is known of an area."""
    area = fit.area
    role = text.scratch_role(area)
    if not area.size:
        rows = labelled("area", f"{role}: the kernel reserved nothing for it", width)
        return rows + labelled("asked", _asked(fit, snapshot), width)
    words = f"{role}, {text.exact(area.size)}, aligned to {text.size(fit.alignment)}"
    rows = labelled("area", words, width)
    rows += labelled("asked", _asked(fit, snapshot), width)
    rows += labelled("inside", _inside(fit), width)
    rows += labelled("kept", _kept(fit), width)
    return rows + labelled("use", _use(fit), width)


def _asked(fit: Fit, snapshot: Snapshot) -> str:
    request = scratch_fit.request(snapshot)
    if isinstance(request, Unknown):
        if request.cause is Cause.ABSENT:
            return f"nothing: {text.reason(request)}"
        return text.why(request)
    option = text.escaped(request.option + b"=" + (request.text or b""))
    if fit.asked is None:
        return f"{option}: a share of what the kernel itself had reserved, not a size"
    if snapshot.booted_through_handover is True:
        met = "and so it is" if fit.met else "not in force: the areas were inherited"
    else:
        met = "and so it is" if fit.met else "not what is there"
    return f"{text.size(fit.asked)} by {option}, {met}"


def _inside(fit: Fit) -> str:
    if isinstance(fit.inside, Unknown):
        return text.why(fit.inside)
    parts = [f"{text.escaped(item.name)} {text.size(item.bytes)}" for item in fit.inside]
    return ", ".join(parts) or "nothing that /proc/iomem names"


def _kept(fit: Fit) -> str:
    if isinstance(fit.preserved, Unknown):
        words = f"preserved memory {text.why(fit.preserved)}"
    elif fit.preserved:
        words = f"{text.exact(fit.preserved)} of preserved memory, lost when the next kernel boots"
    else:
        words = "no preserved memory in it"
    return words + "".join(f"; shares memory with {_named(other)}" for other in fit.shared)


def _named(area: ScratchArea) -> str:
    return f"the {text.scratch_role(area)} area"


def _use(fit: Fit) -> str:
    if isinstance(fit.use, Unknown):
        return text.why(fit.use)
    use = fit.use
    return (
        f"{text.size(use.free)} of {text.size(use.areas)} free in all scratch of node {use.node}; "
        "the rest is lent to pages that the kernel can move"
    )
