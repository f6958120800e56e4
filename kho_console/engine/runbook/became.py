"""What became of an action whose outcome was not written: told by evidence, never by repeating it.

In this order: the boot, as a kexec leaves another one; the machine's journal, which is written
before the kernel is asked; the files that the action was to change.
"""

from collections.abc import Collection
from enum import StrEnum
from pathlib import Path

from kho_console.engine import journal_records
from kho_console.engine.actions.loaded_image import LEFT_IT
from kho_console.engine.actions.probe import probe
from kho_console.engine.runbook.journal import NO_KERNEL
from kho_console.engine.runbook.others import since
from kho_console.model import record
from kho_console.model.action import Expectation
from kho_console.model.runbook import EXECUTE, Intent, Standing
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass
from kho_console.source.protocol import Source, SourceKind


class Became(StrEnum):
    """What can be told."""

    DONE = "done"
    NOT_DONE = "not done"
    ON_ITS_WAY = "on its way"
    LOST = "lost"
    """Another boot began, and took with it what was done."""
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Told:
    """What became of an action, and what tells it."""

    became: Became
    text: str


def became(
    intent: Intent,
    source: Source,
    boot: str,
    journal: Path | None,
    *,
    own: Collection[str] = (),
    standing: Standing = Standing.BEGUN,
) -> Told:
    """What became of an action.

    Args:
        intent: What was written before it.
        source: The machine as it is now.
        boot: Which boot that is.
        journal: The machine's journal; None where none is kept.
        own: The ids of all actions of the run.
        standing: How the step stands in the run: pending where the kernel was asked to leave,
            failed where the kernel took it and nothing proved it.
    """
    executes = intent.action == EXECUTE
    if boot != intent.boot:
        if executes:
            return Told(Became.DONE, f"another kernel runs: {source.facts().release}")
        return Told(Became.LOST, f"{intent.action} was begun in a boot that is over")
    if executes and source.kind is SourceKind.TWIN:
        if standing is Standing.FAILED:
            return Told(Became.DONE, "the kernel left, and no other one took its place")
        return Told(Became.NOT_DONE, "the same kernel runs: the twin has started no other one")
    asked = standing is Standing.PENDING
    found = _record(intent, journal)
    if not isinstance(found, Unknown):
        if found is None:
            return Told(Became.NOT_DONE, "the journal does not have it: the kernel was not asked")
        if found.standing is record.Standing.DONE:
            return Told(Became.DONE, f"the journal has it: {found.text}")
        if found.standing in LEFT_IT:
            return Told(Became.NOT_DONE, f"the journal has it: {found.text}")
        asked = asked or found.ended is not None
    if executes:
        if asked:
            return Told(Became.ON_ITS_WAY, "the same kernel still runs, and was asked to leave")
        return Told(Became.UNKNOWN, "the same kernel still runs; whether it was asked to leave "
                    "was not written")  # fmt: skip
    other = None if journal is None else since(journal, intent.record, own)
    if isinstance(other, record.Record):
        words = f"{other.who.user} did {other.action} at {other.at}, so the files do not tell"
        return Told(Became.UNKNOWN, words)
    return _by_files(intent, source)


def _record(intent: Intent, journal: Path | None) -> Maybe[record.Record | None]:
    """What the machine's journal has of it; None where it certainly has nothing."""
    unknown = Unknown(Cause.UNREADABLE, "the journal does not tell")
    if journal is None or not intent.record:
        return unknown
    try:
        found = journal_records.read(journal, NO_KERNEL)
    except OSError:
        return unknown
    for item in found.records:
        if item.id == intent.record:
            return item
    # A line that was torn may be the one that is looked for, and so may one that is gone.
    before = intent.journalled
    gone = before is None or len(found.records) < before
    return unknown if found.damage or gone else None


def _by_files(intent: Intent, source: Source) -> Told:
    expects = tuple(Expectation(*item) for item in intent.expects)
    found = probe(source, expects)
    words = "; ".join(
        f"{item.path}: {'not there' if item.found is None else item.found}" for item in found
    )
    if found and all(item.fits for item in found) and any(item.telling for item in found):
        return Told(Became.DONE, words)
    before = {item.path: item.before for item in expects}
    telling = [item for item in found if item.telling]
    if telling and all(item.found == before[item.path] for item in telling):
        return Told(Became.NOT_DONE, f"{words}, as before")
    return Told(Became.UNKNOWN, words or "no file tells")
