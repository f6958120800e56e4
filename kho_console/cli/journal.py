"""The verb `journal`: what was done to the machine, by whom, and how it ended."""

from argparse import Namespace

from kho_console import text
from kho_console.cli import exit_code, output, writing
from kho_console.documents import acting as documents
from kho_console.engine import journal_records
from kho_console.engine.journal_records import Now
from kho_console.engine.observe import observe
from kho_console.engine.opening import RECORDING, Source
from kho_console.engine.recorded_actions import recorded_actions
from kho_console.model.record import Record


def journal(source: Source, wanted: Namespace) -> int:
    """Print all actions, oldest first."""
    place = writing.journal_file(source, wanted)
    if place is None and source.kind != RECORDING:
        output.say("a fixture has no journal; a live machine has, a recording, and a kept twin")
        return exit_code.NOT_AVAILABLE
    snapshot = observe(source)
    host = snapshot.machine
    now = Now(host.boot_id, host.boot_time, snapshot.booted_through_handover)
    try:
        found = recorded_actions(source, now) if place is None else journal_records.read(place, now)
    except OSError as error:
        output.say(f"{place}: {error.strerror or error}")
        return exit_code.NOT_AVAILABLE
    if wanted.json:
        output.document(documents.journal(found.records, found.damage))
    elif found.records:
        heads = ("at", "who", "action", "standing", "what")
        output.table(map(_row, found.records), heads)
    else:
        output.line("nothing was done yet")
    for item in found.damage:
        output.say(f"{place}: line {item.line}: {item.reason}")
    return exit_code.DONE


def _row(record: Record) -> tuple[str, ...]:
    who = record.who.user if record.who.login is None else record.who.login
    return (
        text.escaped(record.at),
        text.escaped(who),
        text.escaped(record.action),
        record.standing,
        text.escaped(record.text),
    )
