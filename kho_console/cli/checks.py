"""Checks as lines: the answer, then what was seen and what to do where it is not a pass."""

from collections.abc import Iterator, Sequence

from kho_console import text
from kho_console.model.check import Check, Result


def lines(found: Sequence[Check]) -> Iterator[str]:
    """The lines of all checks."""
    width = max((len(item.id) for item in found), default=0)
    for item in found:
        yield f"{item.result:8} {item.id:{width}} {text.escaped(item.text)}"
        if item.result is not Result.PASS and item.evidence:
            yield f"{'':8} {'':{width}} seen: {text.escaped(item.evidence)}"
        if item.remedy:
            yield f"{'':8} {'':{width}} do:   {text.escaped(item.remedy)}"
