"""What was found at a step, as the journal of a run and the faces tell it."""

from collections.abc import Sequence
from dataclasses import replace

from kho_console.engine.preflight.lifecycle import FINALIZED
from kho_console.model.check import Check, Result
from kho_console.model.runbook import Runbook, Step

_FINALIZES = ("finalize", "activate")
_LISTED = 3
"""As many conditions as are told one by one where they hold."""


def foreseen(book: Runbook, step: Step, found: tuple[Check, ...]) -> tuple[Check, ...]:
    """What preflight says, without the warning of what a later step of the runbook does."""
    later = book.steps[book.steps.index(step) + 1 :]
    ahead = next((item for item in later if item.action in _FINALIZES), None)
    if ahead is None:
        return found
    text = f"not finalized yet: step {book.steps.index(ahead) + 1}, {ahead.id}, is for that"
    return tuple(
        replace(item, result=Result.PASS, text=text, remedy=None)
        if (item.id, item.result) == (FINALIZED, Result.WARNING)
        else item
        for item in found
    )


def told(found: Sequence[Check]) -> str:
    """What does not hold, and why that is not known; else what does."""
    wrong = [item for item in found if item.result is not Result.PASS]
    if wrong:
        return "; ".join(map(_wrong, wrong))
    if len(found) > _LISTED:
        return f"all {len(found)} checks hold"
    return "; ".join(item.text for item in found) or "it is done"


def _wrong(item: Check) -> str:
    unknown = item.result is Result.UNKNOWN and item.evidence
    return f"{item.text}: {item.evidence}" if unknown else item.text
