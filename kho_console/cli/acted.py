"""An action and its outcome as text."""

from collections.abc import Iterable, Sequence

from kho_console import text, text_acting
from kho_console.cli import checks, output
from kho_console.documents.difference import Difference
from kho_console.model.action import Action, Expectation
from kho_console.model.check import Result
from kho_console.model.outcome import Ending, Explained, Outcome
from kho_console.model.unknown import Maybe, Unknown


def show_action(found: Action, differences: Maybe[Sequence[Difference]]) -> None:
    """What would be done, and what would be different then."""
    output.line(f"action     {found.name}: {found.title}")
    for change in found.changes:
        output.line(f"does       {text_acting.change(change)}")
    for item in found.expects:
        output.line(f"expected   {_expected(item)}")
    if not found.expects:
        output.line("expected   another kernel; the proof lies in its boot")
    if isinstance(differences, Unknown):
        output.line(f"predicted  {text.why(differences)}")
    else:
        for key, before, after in differences:
            output.line(f"predicted  {key}: {_value(before)} -> {_value(after)}")
    for effect in found.effects:
        output.line(f"effect     {effect}")
    output.line(f"undone by  {found.undone_by or 'nothing'}")
    output.line(f"risk       {found.risk}")
    for line in checks.lines(found.preconditions):
        output.line(line)
    if found.obstacles:
        names = ", ".join(item.id for item in found.obstacles)
        output.line(f"refused    it would not be done: {names}")


def show_outcome(found: Action, ended: Outcome) -> None:
    """How it ended; what did not go well is talk, what was done is data."""
    words = f"{found.name}: {ended.ending}: {text.escaped(ended.text)}"
    if ended.ending in (Ending.DONE, Ending.PENDING):
        output.line(words)
    else:
        output.say(words)
    for line in checks.lines(ended.obstacles):
        output.say(line)
    if ended.explained is not None:
        for line in _explained(ended.explained):
            output.say(line)
    for check in found.preconditions:
        if check.result is Result.WARNING:
            output.say(f"warning: {text.escaped(check.text)}")


def _value(value: str | int | None) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _expected(item: Expectation) -> str:
    before = "not there" if item.before is None else text.escaped(item.before)
    after = "not there" if item.value is None else text.escaped(item.value)
    return f"{text.escaped(item.path)}: {before} -> {after}"


def _explained(found: Explained) -> Iterable[str]:
    yield f"do:   {text.escaped(found.advice)}"
    for item in found.evidence:
        yield f"seen: {text.escaped(item)}"
    for item in found.log:
        yield f"log:  {text.escaped(item)}"
