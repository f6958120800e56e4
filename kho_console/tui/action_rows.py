"""An action, and how it ended, as rows: what both dialogs and the Handover screen show."""

import re
from collections.abc import Iterable, Iterator

from kho_console import text, text_acting
from kho_console.documents.difference import Difference
from kho_console.model.action import Action, Expectation, NotApplicable
from kho_console.model.check import Check, Result
from kho_console.model.outcome import Ending, Explained, Found
from kho_console.model.unknown import Maybe, Unknown
from kho_console.tui.listed import labelled
from kho_console.tui.lookout import Failure
from kho_console.tui.rows import Piece, Row, row, wrapped
from kho_console.tui.signs import RESULTS
from kho_console.tui.wish import Deed

_WORST_FIRST = (Result.FAIL, Result.UNKNOWN, Result.WARNING, Result.PASS)
_DETAIL = re.compile(r"(\.address|_from_memory|\.truncated|\.reason|blocks_by_order\.\d+)$")
"""What is different, but tells nothing or is the choice of the next kernel's page allocator."""

_ENDINGS: dict[Ending, Piece] = {
    Ending.DONE: ("ok ", "good"),
    Ending.PENDING: ("?  ", "warning"),
    Ending.UNPROVEN: ("!  ", "warning"),
    Ending.REFUSED: ("x  ", "error"),
    Ending.KERNEL_REFUSED: ("x  ", "error"),
}


def action_rows(found: Action, width: int) -> list[Row]:
    """What would be done, what it does besides, what undoes it, what must hold first."""
    rows: list[Row] = []
    for change in found.changes:
        rows += labelled("does", text_acting.change(change), width)
    for effect in found.effects:
        rows += labelled("effect", text.escaped(effect), width)
    if found.undone_by is None:
        rows += labelled("undone", "by nothing", width, "warning")
    else:
        rows += labelled("undone", f"by {found.undone_by}", width)
    rows += labelled("risk", found.risk, width)
    rows += check_rows(found.preconditions, width)
    for item in found.expects:
        rows += labelled("proof", _expected(item), width)
    if not found.expects:
        rows += labelled("proof", "lies in the boot of the other kernel", width)
    return rows


def not_applicable_rows(found: NotApplicable, width: int) -> list[Row]:
    """Why there is no such step here, and what there is in its place."""
    rows = labelled("why not", text.escaped(found.reason), width)
    if found.instead:
        rows += labelled("instead", text.escaped(found.instead), width)
    return rows


def check_rows(found: Iterable[Check], width: int) -> list[Row]:
    """Checks, the worst first; what passed takes no more than its line."""
    return [line for item in worst_first(found) for line in _check(item, width)]


def worst_first(found: Iterable[Check]) -> list[Check]:
    """Checks in the order of how bad they are."""
    return sorted(found, key=lambda item: _WORST_FIRST.index(item.result))


def counted(found: Iterable[Check]) -> str:
    """How many checks came to what, the worst first: `1 fail, 11 pass`."""
    results = [item.result for item in found]
    parts = (f"{results.count(at)} {at}" for at in _WORST_FIRST if at in results)
    return ", ".join(parts) or "nothing to check"


def worst(found: Iterable[Check]) -> Result:
    """The worst result; a pass where there is none."""
    results = {item.result for item in found}
    return next((at for at in _WORST_FIRST if at in results), Result.PASS)


def difference_rows(found: Maybe[tuple[Difference, ...]] | Failure, width: int) -> list[Row]:
    """What would be different, as far as it tells something."""
    if isinstance(found, Failure):
        return labelled("then", f"not known: {text.escaped(found.reason)}", width, "dim")
    if isinstance(found, Unknown):
        return labelled("then", text.reason(found), width, "dim")
    rows: list[Row] = []
    for key, before, after in found:
        if not _DETAIL.search(key):
            rows += labelled("then", f"{key}: {_value(before)} -> {_value(after)}", width)
    return rows or labelled("then", "nothing is different", width)


def deed_rows(found: Deed, width: int) -> list[Row]:
    """How a step ended, with its proof or the kernel's answer in words."""
    name, ended = found.action.name, found.outcome
    if isinstance(ended, Failure):
        first = row((" x  ", "error"), (f"{name}: ", "strong"))
        return wrapped(text.escaped(ended.reason), width, first)
    sign, look = _ENDINGS[ended.ending]
    head = row((f" {sign} ", look), (f"{name}: {ended.ending}", "strong"))
    rows = [head]
    if not (ended.ending is Ending.DONE and found.action.expects):
        rows += labelled("", text.escaped(ended.text), width)
    for item in ended.found:
        rows += labelled("proof", _found(item), width, "" if item.fits else "error")
    rows += check_rows(ended.obstacles, width)
    if ended.explained is not None:
        rows += list(_explained(ended.explained, width))
    return rows


def deed_line(found: Deed) -> tuple[Piece, str]:
    """The same on one line: its sign, and the words."""
    name, ended = found.action.name, found.outcome
    if isinstance(ended, Failure):
        return ("x  ", "error"), f"{name}: {text.escaped(ended.reason)}"
    return _ENDINGS[ended.ending], f"{name}: {ended.ending}: {text.escaped(ended.text)}"


def _check(item: Check, width: int) -> Iterator[Row]:
    first = row(" ", RESULTS[item.result])
    if item.result is Result.PASS:
        seen = f" ({item.evidence})" if item.evidence else ""
        yield from wrapped(text.escaped(f"{item.text}{seen}"), width, first, most=2)
        return
    yield from wrapped(text.escaped(item.text), width, first)
    below = row("     ")
    if item.evidence:
        yield from wrapped(f"seen: {text.escaped(item.evidence)}", width, below, "dim", most=3)
    if item.remedy:
        yield from wrapped(f"do: {text.escaped(item.remedy)}", width, below)


def _explained(found: Explained, width: int) -> Iterator[Row]:
    yield from labelled("kernel", f"{text.escaped(found.call)} answers {found.name}", width)
    yield from labelled("means", text.escaped(found.text), width)
    yield from labelled("do", text.escaped(found.advice), width)
    for item in found.evidence:
        yield from labelled("seen", text.escaped(item), width, "dim")
    for item in found.log:
        yield from labelled("log", text.escaped(item), width, "dim")


def _expected(item: Expectation) -> str:
    return f"{text.escaped(item.path)}: {_held(item.before)} -> {_held(item.value)}"


def _found(item: Found) -> str:
    told = f"{text.escaped(item.path)}: {_held(item.found)}"
    if not item.fits:
        return f"{told}, and not {_held(item.expected)}"
    return f"{told}, as expected" if item.telling else f"{told}, as it was before"


def _held(value: str | None) -> str:
    return "not there" if value is None else text.escaped(value)


def _value(value: str | int | None) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else text.harmless(str(value))
