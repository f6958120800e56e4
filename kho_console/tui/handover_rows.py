"""The words of the Handover screen: each step, the image, what was done."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from kho_console import text
from kho_console.model.action import Action, NotApplicable, Plan
from kho_console.model.check import Check, Result
from kho_console.model.record import Record
from kho_console.model.unknown import Maybe, Unknown
from kho_console.model.value import dataclass
from kho_console.tui import action_rows, journal_rows
from kho_console.tui.listed import labelled
from kho_console.tui.rows import Piece, Row, clipped, row
from kho_console.tui.signs import RESULTS
from kho_console.tui.wish import Deed, Examined

_LABEL = 15
"""Columns of what a line is about."""

_LATEST = 3
"""Actions of the journal that are shown."""

_WORST = 2
"""Checks of an image that are shown; the detail has all of them."""

_LOADS = ("load-disabled", "load-limit")
"""What forbids an unload and a load alike."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A row, what Enter does on it, and what is explained below the list.

    Attributes:
        row: The row.
        action: The action of the screen; empty for none.
        detail: The rows below the list, for a width.
    """

    row: Row
    action: str
    detail: Callable[[int], list[Row]]


def steps(
    plans: Mapping[str, Plan],
    keys: Mapping[str, str],
    refusal: str | None,
    early: str,
    width: int,
) -> Iterator[Chosen]:
    """The steps of the life cycle, each with whether it is possible, and why not.

    Args:
        plans: What each step would do, by its name.
        keys: The key of each step.
        refusal: Why nothing may be changed from here; None where it may.
        early: What the handover is not yet, so that an image goes without it; empty for nothing.
        width: Columns.
    """
    for name, found in plans.items():
        if name == "unload":
            yield _loading(found, keys, refusal, early, width)
        if name != "unload-crash":
            yield _step(name, found, keys, refusal, width)


def more_steps(
    plans: Mapping[str, Plan], keys: Mapping[str, str], refusal: str | None, width: int
) -> Iterator[Chosen]:
    """What is not on the way of the handover: the crash image, memory blocks and CPUs."""
    if "unload-crash" in plans:
        yield _step("unload-crash", plans["unload-crash"], keys, refusal, width)
    words = "a memory block or a CPU: asks which one"
    for name in ("online", "offline"):
        head = _head(keys.get(name, ""), name)
        line = clipped((*head, (words, "dim")), width)
        yield Chosen(line, name, lambda room: labelled("asks for", "memoryN or cpuN", room))


def image(found: Examined | None, width: int) -> list[Chosen]:
    """The image that was checked last, and what is wrong with it."""
    label = _label("PREFLIGHT")
    if found is None:
        words = "no image was checked yet"
        return [Chosen(row(label, (words, "dim")), "image", lambda room: [])]
    checks = found.checks

    def all_of_it(room: int) -> list[Row]:
        return [*_image_rows(found, room), *action_rows.check_rows(checks, room)]

    mark = RESULTS[action_rows.worst(checks)]
    words = f"of {text.escaped(found.image.kernel)}"
    counts = f" {action_rows.counted(checks)}"
    head = clipped(row(label, mark, (counts.strip(), "strong"), f"  {words}"), width)
    lines = [Chosen(head, "image", all_of_it)]
    bad = [item for item in action_rows.worst_first(checks) if item.result is not Result.PASS]
    return [*lines, *(_check(item, width) for item in bad[:_WORST])]


def doing(title: str, last: Deed | None, width: int) -> list[Chosen]:
    """What is being done, or what was done last."""
    label = _label("LAST")
    if title:
        return [Chosen(row(label, (f"{title} ..", "info")), "", lambda room: [])]
    if last is None:
        return []
    sign, words = action_rows.deed_line(last)
    line = clipped(row(label, sign, words), width)
    return [Chosen(line, "", lambda room: action_rows.deed_rows(last, room))]


def journal(found: Maybe[Sequence[Record]], width: int) -> list[Chosen]:
    """The last actions of the journal, the latest first."""
    label = row(_label("JOURNAL"))
    if isinstance(found, Unknown):
        why = text.why(found)
        line = clipped((*label, (why, "dim")), width)
        return [Chosen(line, "journal", lambda room: [])]
    if not found:
        return [Chosen((*label, ("nothing was done yet", "dim")), "journal", lambda room: [])]
    latest = list(found[-_LATEST:])[::-1]
    lines = []
    for at, item in enumerate(latest):
        before = label if not at else row(" " * _LABEL)
        told = (*before, *journal_rows.line(item, width - _LABEL))
        lines.append(Chosen(clipped(told, width), "journal", _record(item)))
    return lines


def _record(item: Record) -> Callable[[int], list[Row]]:
    return lambda room: journal_rows.whole(item, room)


def _label(words: str) -> Piece:
    return f"{words:<{_LABEL}}", "strong"


def _head(key: str, name: str) -> Row:
    return row((f"{key} ", "strong"), f"{name:<{_LABEL - 2}}")


def _step(
    name: str, found: Plan, keys: Mapping[str, str], refusal: str | None, width: int
) -> Chosen:
    sign, words = _standing(found, refusal)
    shown = "unload crash" if name == "unload-crash" else name
    head = _head(keys.get(name, ""), shown)
    line = clipped((*head, sign, (words, "" if sign[1] == "good" else "dim")), width)

    def detail(room: int) -> list[Row]:
        if isinstance(found, NotApplicable):
            return action_rows.not_applicable_rows(found, room)
        return [*_first(found, refusal, room), *action_rows.action_rows(found, room)]

    return Chosen(line, f"step('{name}')", detail)


def _loading(
    unload: Plan, keys: Mapping[str, str], refusal: str | None, early: str, width: int
) -> Chosen:
    """The load of an image: it wants files, so that only what forbids any load is known."""
    obstacles = [item for item in _obstacles(unload) if item.id in _LOADS]
    if obstacles:
        sign, words = ("no        ", "warning"), obstacles[0].text
    elif early:
        sign, words = _possible(refusal), f"! without the handover: it is not {early}"
    else:
        sign, words = _possible(refusal), "an image, after its files were checked"
    line = clipped((*_head(keys.get("load", ""), "load"), sign, (words, "dim")), width)

    def detail(room: int) -> list[Row]:
        return action_rows.check_rows(obstacles, room) or labelled(
            "asks for", "the kernel, its initrd and its command line; checks them first", room
        )

    return Chosen(line, "image", detail)


def _first(found: Action, refusal: str | None, width: int) -> list[Row]:
    """Why it is not possible, before everything else."""
    rows = action_rows.check_rows(found.obstacles, width)
    if not rows and refusal is not None:
        rows = labelled("not here", text.escaped(refusal), width, "warning")
    return rows


def _obstacles(found: Plan) -> Iterable[Check]:
    return found.obstacles if isinstance(found, Action) else ()


def _possible(refusal: str | None) -> Piece:
    return ("possible  ", "good") if refusal is None else ("look only ", "warning")


def _standing(found: Plan, refusal: str | None) -> tuple[Piece, str]:
    """Whether a step is possible, and in words what undoes it or why it is not."""
    if isinstance(found, NotApplicable):
        return ("none      ", "dim"), text.escaped(found.reason)
    if found.obstacles:
        return ("not now   ", "warning"), text.escaped(found.obstacles[0].text)
    warnings = [item for item in found.preconditions if item.result is not Result.PASS]
    undone = f"undone by {found.undone_by}" if found.undone_by else "nothing undoes it"
    words = f"{undone}; ! {text.escaped(warnings[0].text)}" if warnings else undone
    return _possible(refusal), words


def _image_rows(found: Examined, width: int) -> list[Row]:
    image = found.image
    rows = labelled("kernel", text.escaped(image.kernel), width)
    if image.initrd is not None:
        rows += labelled("initrd", text.escaped(image.initrd), width)
    return rows + labelled("line", text.escaped(image.command_line), width, "dim", most=3)


def _check(item: Check, width: int) -> Chosen:
    line = clipped(row("   ", RESULTS[item.result], text.escaped(item.text)), width)
    return Chosen(line, "image", lambda room: action_rows.check_rows([item], room))
