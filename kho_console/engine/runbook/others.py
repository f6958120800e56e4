"""Whether somebody else has acted since a run did: told by the machine's journal, by its ids."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from kho_console.engine import journal_records
from kho_console.engine.actions.loaded_image import LEFT_IT, for_a_crash
from kho_console.engine.actions.planning import Planner
from kho_console.engine.runbook.journal import NO_KERNEL
from kho_console.model.action import Action, Plan
from kho_console.model.check import Check, Result
from kho_console.model.record import Record
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Maybe, Unknown

_OWN = "own-action"
_REMEDY = "end this run with --abandon, and begin another"


def since(journal: Path, known: str, own: Collection[str]) -> Maybe[Record | None]:
    """The first action of somebody else on the same thing, in the same boot; None for none.

    Args:
        journal: The machine's.
        known: The id of the run's action.
        own: The ids of all its actions.
    """
    try:
        found = journal_records.read(journal, NO_KERNEL).records
    except OSError as error:
        return Unknown(Cause.UNREADABLE, f"{journal}: {error.strerror or error}")
    at = next((number for number, item in enumerate(found) if item.id == known), None)
    if at is None:
        return Unknown(Cause.ABSENT, f"{journal} does not have what this run did")
    mine = found[at]
    for item in found[at + 1 :]:
        another = item.id not in own and item.boot == mine.boot and item.standing not in LEFT_IT
        if another and _thing(item) == _thing(mine):
            return item
    return None


def still_own(
    planner: Planner, journal: Path, known: str, own: Collection[str], snapshot: Snapshot
) -> Plan:
    """Plan it, with the condition that nobody else has acted on the same thing meanwhile."""
    planned = planner(snapshot)
    if not isinstance(planned, Action):
        return planned
    other = since(journal, known, own)
    if isinstance(other, Unknown):
        text = "whether somebody else has acted since this run did is not known"
        check = Check(_OWN, Result.UNKNOWN, text, other.reason, _REMEDY)
    elif other is None:
        check = Check(_OWN, Result.PASS, "nobody else has acted since", f"{journal}: {known}")
    else:
        text = f"{other.who.user} did {other.action} at {other.at}, after this run"
        check = Check(_OWN, Result.FAIL, text, f"{journal}: {other.id}", _REMEDY)
    checks = (*planned.preconditions, check)
    return replace(planned, preconditions=checks, certain=planned.certain | {_OWN})


def _thing(record: Record) -> str:
    """What an action changes."""
    match record.action:
        case "load" | "unload":
            return "crash image" if for_a_crash(record) else "image"
        case "online" | "offline":
            return " ".join(str(item.get("path")) for item in record.changes)
    return "handover"
