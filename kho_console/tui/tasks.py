"""What is done on threads when a change is planned, checked or made.

The first one to be asked for loads this module: the first frame waits for nothing of it.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from kho_console import text
from kho_console.documents import machine
from kho_console.documents.difference import Difference, differences
from kho_console.engine import journal_records, preflight, rehearsal
from kho_console.engine.actions import steps
from kho_console.engine.actions.perform import Writer, perform
from kho_console.engine.actions.planning import plan
from kho_console.engine.actions.prediction import predict
from kho_console.engine.image_files import Watch
from kho_console.engine.journal_records import Now, Records
from kho_console.engine.observer import Source
from kho_console.engine.opening import RECORDING, writable
from kho_console.engine.recorded_actions import recorded_actions
from kho_console.engine.verdict import judge
from kho_console.model.action import Action, Plan
from kho_console.model.change import KexecImage
from kho_console.model.check import Check
from kho_console.model.outcome import Ending, Outcome
from kho_console.model.record import Record
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.tui.lookout import Failure
from kho_console.tui.wish import Planned, Wish

Turn = AbstractContextManager[object]


def planned(source: Source, wish: Wish, watch: Watch, turn: Turn, journal: Path | None) -> Planned:
    """What a step would do to the machine as it is now."""
    machine = writable(source)
    with turn:
        it = source if machine is None else machine
        found = plan(it, wish.planner(watch), journal=journal)
        return Planned(found, source.facts().hostname)


def possible(source: Source, snapshot: Snapshot, turn: Turn) -> Mapping[str, Plan]:
    """What each step that wants no file and no name would do, or why there is none."""
    machine = writable(source)
    with turn:
        return {
            name: plan(source if machine is None else machine, steps.planner(name), snapshot)
            for name in steps.of(snapshot)
        }


def predicted(
    source: Source, wish: Wish, action: Action, turn: Turn
) -> Maybe[tuple[Difference, ...]]:
    """What would be different: it is done on a twin first."""
    with turn:
        told = predict(source, wish.planner(Watch()), action)
    if isinstance(told, Unknown):
        return told
    before, after = (machine.status(item, (), asdict(judge(item))) for item in told)
    return differences(before, after)


def examined(snapshot: Snapshot, image: KexecImage, watch: Watch) -> tuple[Check, ...] | Failure:
    """An image held against the machine."""
    try:
        return preflight.check(snapshot, image, watch).checks
    except OSError as error:
        return Failure(text.escaped(error.strerror or str(error)))


def performed(
    source: Source, wish: Wish, action: Action, watch: Watch, writer: Writer, turn: Turn
) -> Outcome:
    """The change itself."""
    machine = writable(source)
    if machine is None:
        return Outcome(Ending.REFUSED, f"{source.name} is a recording: it cannot be changed")
    with turn:
        return perform(machine, wish.planner(watch), action, writer)


def armed(source: Source, word: str, turn: Turn) -> str:
    """Let something go wrong on a twin; why not in words, empty where it will."""
    machine = writable(source)
    if machine is None:
        return "this is no twin"
    try:
        with turn:
            rehearsal.arm(machine, word)
    except ValueError as error:
        return text.escaped(str(error))
    return ""


def records(source: Source, place: Path | None, snapshot: Snapshot) -> Maybe[Records]:
    """The journal, with what became of each kexec; of a recording, the one in it."""
    host = snapshot.machine
    now = Now(host.boot_id, host.boot_time, snapshot.booted_through_handover)
    if place is None and source.kind == RECORDING:
        return recorded_actions(source, now)
    if place is None:
        return Unknown(Cause.ABSENT, "of this source no journal is kept")
    try:
        return journal_records.read(place, now)
    except OSError as error:
        return Unknown(Cause.UNREADABLE, f"{place}: {error.strerror or error}")


def begun_until(found: Maybe[Records], moment: datetime) -> Maybe[Records]:
    """What of a journal was begun by a moment."""
    if isinstance(found, Unknown):
        return found
    return replace(found, records=tuple(item for item in found.records if _begun(item) <= moment))


def _begun(record: Record) -> datetime:
    """When an action was begun; what does not tell its time is never left out."""
    try:
        at = datetime.fromisoformat(record.at)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return at.replace(tzinfo=at.tzinfo or UTC)
