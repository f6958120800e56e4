"""A simulated crash in words: what both faces say of a step under a design."""

from collections import Counter
from collections.abc import Iterator
from types import MappingProxyType

from kho_console import text
from kho_console.model.crash_simulation import Answer, Dump, ImageState, Moment, ProcedureStep

MEANINGS = MappingProxyType(
    {
        ImageState.UNTOUCHED: "the update failed; it boots, with the header of before",
        ImageState.VALID: "it boots, whatever its header lacks",
        ImageState.WINDOW: "taken from the kernel for an update",
        ImageState.DISARMED: "loaded, and no panic finds it",
        ImageState.HANG: "armed, and its digest does not verify",
    }
)
"""What the states with a letter mean."""


def answered(moment: Moment) -> str:
    """What a design made of a step: `updated`, `event 1 of 4: disarmed; 3 found no image`."""
    if moment.events < 2:
        return moment.answer
    if set(moment.answers) == {moment.answer}:
        return f"each of {moment.events:,} events: {moment.answer}"
    number = moment.answers.index(moment.answer) + 1
    others = Counter(moment.answers)
    same = others.pop(moment.answer) - 1
    parts = [f"event {number:,} of {moment.events:,}: {moment.answer}"]
    parts += [f"{same:,} more likewise"] if same else []
    parts += [f"{times:,} {_other(answer, moment)}" for answer, times in others.items()]
    return "; ".join(parts)


def failures(moment: Moment) -> Iterator[str]:
    """Where the procedure failed: `failed at part 14 of 16: write purgatory`."""
    for item in moment.failed:
        yield f"failed at part {item.number} of {moment.design.parts}: {text.escaped(item.words)}"


def part(item: ProcedureStep) -> str:
    """A part of the procedure: `write purgatory: it failed`."""
    return text.escaped(item.words) + (": it failed" if item.failed else "")


def notes(dump: Dump, possible: int) -> str:
    """CPUs and their notes: `notes of 2 of 4 possible CPUs, all that are present`."""
    words = f"notes of {dump.noted:,} of {text.count(possible, 'possible CPU')}"
    if dump.without:
        return f"{words}, not of cpu{text.orders(dump.without)}"
    return f"{words}, all that are present" if dump.noted < possible else words


def cost(moment: Moment) -> str:
    """What the events cost: `532.0 KiB hashed, 4.0 KiB written`."""
    hashed = f"{text.size(moment.hashed)} hashed, " if moment.hashed else ""
    return f"{hashed}{text.size(moment.written)} written"


def _other(answer: Answer, moment: Moment) -> str:
    if answer is Answer.NOTHING and moment.state is ImageState.DISARMED:
        return "found no image"
    return f"{answer}"
