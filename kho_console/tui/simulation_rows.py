"""The picture of a simulated crash: both designs side by side, step by step."""

from collections.abc import Iterator

from kho_console import text, text_simulation
from kho_console.model.crash_simulation import (
    Answer,
    CrashSimulation,
    Deed,
    Design,
    Dump,
    DumpEnd,
    Moment,
    SimulatedStep,
)
from kho_console.tui.bar import bar
from kho_console.tui.crash_rows import COVERED, MISSING, STALE, coverage_parts
from kho_console.tui.rows import Piece, Row, clipped, column, plain, row, wrapped

_NARROW = 60
_WIDE = 100
_NUMBER = 4
_STATE = 17
_SHORT_STATE = 10
_LEAST_BAR = 6
_LABEL = 10


def head(found: CrashSimulation, width: int, most: int) -> list[Row]:
    """What the scenario shows."""
    name = text.escaped(found.name)
    first = row((f" {name}  ", "strong"))
    return wrapped(text.escaped(found.about), width, first, "dim", most=most)


def titles(width: int) -> Row:
    """The names of the columns."""
    what, bars = _columns(width)
    each = [f"{design:<{bars + _state(width)}}" for design in Design]
    return row((f" {'':<{_NUMBER}}{'step':<{what}} {' '.join(each)}".rstrip(), "dim"))


def lines(found: CrashSimulation, width: int) -> list[Row]:
    """Each step: what is done, and what a panic behind it would leave under each design."""
    before = (None, *found.steps)
    return [_line(step, last, width) for last, step in zip(before, found.steps, strict=False)]


def _line(step: SimulatedStep, before: SimulatedStep | None, width: int) -> Row:
    what, bars = _columns(width)
    look = "error" if step.deed is Deed.PANIC else ""
    words = column(_briefly(step, before, what), what)
    found = row((f"{step.number:>{_NUMBER - 2}}  ", "dim"), (words, look))
    for moment in step.moments:
        word, how = verdict(moment, short=width < _NARROW)
        state = row(" ", (column(word, _state(width)), how))
        found = (*found, *state[:1], *_bar(moment.dump, bars), *state[1:])
    return found


def _briefly(step: SimulatedStep, before: SimulatedStep | None, room: int) -> str:
    """What a step does; where its addresses do not fit, how much memory that is."""
    words = _words(step)
    if len(words) <= room or before is None:
        return words
    changes = (
        abs(text.total(getattr(step, name)) - text.total(getattr(before, name)))
        for name in ("ram", "online")
    )
    return f"{step.deed} {text.size(size)}" if (size := max(changes)) else words


def verdict(moment: Moment, *, short: bool = False) -> Piece:
    """What a panic at a moment would leave: `V complete`, `A missing 512.0M`, `D hang`."""
    dump, letter = moment.dump, moment.state.letter
    if dump.end is not DumpEnd.DUMP:
        word = dump.end if dump.end is DumpEnd.HANG else moment.state
        return f"{letter} {word}".strip(), "error"
    if dump.complete:
        return f"{letter} complete".strip(), "good"
    lacks = " ".join(_lacks(dump))
    return f"{letter} {lacks.split()[0] if short else lacks}".strip(), "warning"


def picture(
    step: SimulatedStep, found: CrashSimulation, width: int, *, everything: bool
) -> list[Row]:
    """One step in full: side by side where there is room, else one below the other.

    Args:
        step: The step.
        found: The scenario that it is one of.
        width: Columns.
        everything: Whether the steps of the procedures are told, too.
    """
    number = f"step {step.number} of {len(found.steps)}"
    memory = f"{text.size(text.total(step.ram))} of memory"
    rows = wrapped(f"{_words(step)} · {memory}", width, row((f" {number}  ", "strong")), most=2)
    if width < _NARROW and not everything:
        return [*rows[:1], *_both_first(step, width)]
    if width < _WIDE:
        both = [_moment(moment, width, everything) for moment in step.moments]
        return [*rows, *both[0], *both[1]]
    half = width // 2
    old, new = (_moment(moment, half - 1, everything) for moment in step.moments)
    height = max(len(old), len(new))
    old, new = (item + [()] * (height - len(item)) for item in (old, new))
    sides = zip(old, new, strict=True)
    return [*rows, *((*_filled(left, half), *right) for left, right in sides)]


def _both_first(step: SimulatedStep, width: int) -> list[Row]:
    """Both designs in a line each, and then what is to be said of them."""
    said = [_moment(moment, width, named=True) for moment in step.moments]
    return [*(rows[0] for rows in said), *(row for rows in said for row in rows[1:])]


def legend(width: int) -> Row:
    """What the bars are drawn with, and the letters of the states of 2021."""
    drawn = row(
        (f" {COVERED}", "good"), " dump  ", (MISSING, "error"), " missing  ",
        (STALE, "warning"), " gone", ("   A old image  V valid  W window  U disarmed", "dim"),
    )  # fmt: skip
    return clipped(drawn, width)


def _moment(
    moment: Moment, width: int, everything: bool = False, *, named: bool = False
) -> list[Row]:
    """One design at one step; `named` on each of its lines that is no rest of another."""
    label = row((f" {moment.design:<{_LABEL - 1}}", "strong"))
    word, look = verdict(moment)
    answer = _answered(moment, word)
    whole = f" {word} · {answer}"
    apart = moment.events > 1 and _LABEL + len(whole) + 1 > width
    told = row(" ", (word, look), (f" · {answer}" if answer and not apart else "", "dim"))
    room = max(min(width - _LABEL - len(plain(told)) - 1, 40), 0)
    drawn = _bar(moment.dump, room) if room >= _LEAST_BAR else ()
    rows = [clipped((*label, *drawn, *told), width)]
    indent = label if named else row(" " * _LABEL)
    rows += wrapped(f"a panic now: {text.escaped(moment.dump.why)}", width, indent, most=3)
    rows += wrapped(answer, width, indent, "dim") if apart else []
    for words in text_simulation.failures(moment):
        rows += wrapped(words, width, indent, "error", most=2)
    for message in moment.messages:
        rows += wrapped(f"log: {text.escaped(message)}", width, indent, "dim", most=2)
    return [*rows, *(_procedure(moment, width) if everything else ())]


def _answered(moment: Moment, word: str) -> str:
    """What the design made of the step, where that is not said already."""
    if moment.events > 1:
        return text_simulation.answered(moment)
    quiet = moment.answer is Answer.NOTHING or moment.answer in word
    return "" if quiet else moment.answer


def _procedure(moment: Moment, width: int) -> Iterator[Row]:
    """The numbered steps that ran, and what they cost."""
    for item in moment.procedure:
        look = "error" if item.failed else "dim"
        words = text_simulation.part(item)
        yield from wrapped(words, width, row((f"{item.number:>{_LABEL}}  ", "dim")), look)
    if moment.events:
        words = f"{text.count(moment.events, 'event')}, {text_simulation.cost(moment)}"
        yield from wrapped(words, width, row(" " * _LABEL), "dim")


def _bar(dump: Dump, width: int) -> Row:
    if not width:
        return ()
    if dump.end is not DumpEnd.DUMP:
        return row(("-" * (width - 1), "dim"), " ")
    missing, stale = text.total(dump.missing), text.total(dump.stale)
    there = text.total(dump.described) - stale
    drawn = bar(coverage_parts(there, missing, stale), width - 1)
    return (*drawn, (" " * (width - len(plain(drawn))), ""))


def _lacks(dump: Dump) -> Iterator[str]:
    if dump.missing:
        yield f"missing {text.short_size(text.total(dump.missing))}"
    if dump.stale:
        yield f"stale {text.short_size(text.total(dump.stale))}"
    if dump.without:
        yield f"no cpu{text.orders(dump.without)}"


def _words(step: SimulatedStep) -> str:
    return text.escaped(step.words)


def _state(width: int) -> int:
    return _SHORT_STATE if width < _NARROW else _STATE


def _columns(width: int) -> tuple[int, int]:
    """Columns of what is done, and of each bar with its gap."""
    if width < _NARROW:
        return width - 1 - _NUMBER - 2 * (_SHORT_STATE + 1), 0
    left = width - 1 - _NUMBER - 2 * (_STATE + 1)
    bars = left // 4 if width < _WIDE else left * 3 // 10
    return left - 2 * bars, bars


def _filled(found: Row, width: int) -> Row:
    return (*clipped(found, width), (" " * max(width - len(plain(found)), 0), ""))
