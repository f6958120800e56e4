"""What is different between two moments, and what a note of a handover keeps, in words."""

from collections import Counter
from collections.abc import Iterable

from kho_console import text
from kho_console.model.difference import Difference, Told
from kho_console.model.unknown import Maybe, Unknown
from kho_console.model.verification import Noted, Traced

_LONGEST = 200
"""Columns of a value where two are held side by side."""


def fact(found: Maybe[Told] | None) -> str:
    """A value of one of two moments; `none` where there was nothing."""
    if found is None:
        return "none"
    if isinstance(found, Unknown):
        return text.word(found)
    raw = found.value
    if isinstance(raw, str):
        return text.harmless(raw) if found.meaning == "words" else text.escaped(raw)
    return text.value(raw, found.meaning)


def differences(found: Iterable[Difference]) -> str:
    """How many there are of each change: `9 differences: 5 added, 4 changed`, or `the same`."""
    numbers = Counter(item.change for item in found)
    if not numbers:
        return "the same"
    parts = (f"{number} {change}" for change, number in sorted(numbers.items()))
    return f"{text.count(numbers.total(), 'difference')}: {', '.join(parts)}"


def difference(found: Difference) -> str:
    """What is different, without the word for how: `reserve_mem oops  4.0 MiB (4,194,304 bytes)`.

    Where something changed or moved, both values; long ones are cut.
    """
    name = " ".join(filter(None, (text.escaped(found.name), text.escaped(found.what))))
    before, after = (
        None if side is None else text.cut(fact(side), _LONGEST)
        for side in (found.before, found.after)
    )
    shown = f"{before} -> {after}" if before is not None and after is not None else before or after
    return f"{name}  {shown}" if shown else name


def noted(found: Noted) -> str:
    """What a note keeps of: `reserve_mem oops  4.0 MiB`, `memory files  3 of 10.1 MiB`."""
    name = " ".join(filter(None, (found.kind, text.escaped(found.name))))
    shown = "" if found.size is None else text.size(found.size)
    if found.count is not None and found.kind == "memory files":
        shown = f"{found.count:,} of {shown}"
    elif found.count is not None:
        shown = f"{shown} in {text.count(found.count, 'range')}"
    return f"{name}  {shown}" if shown else name


def traced(found: Traced) -> str:
    """What became of it, without the word for its fate: what it is, and why."""
    return f"{noted(found.item)}: {text.escaped(found.why)}"
