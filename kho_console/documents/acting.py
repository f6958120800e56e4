"""What is done to a machine: preflight, actions, their outcomes, the journal."""

from collections.abc import Iterable, Mapping
from typing import Any

from kho_console import text
from kho_console.documents.difference import Difference
from kho_console.documents.image import facts
from kho_console.documents.shape import Document, check_list, document, each, mapped
from kho_console.model.action import Action, NotApplicable
from kho_console.model.change import described
from kho_console.model.outcome import Explained, Outcome
from kho_console.model.preflight import Preflight
from kho_console.model.record import Damage, Record
from kho_console.model.unknown import Cause, Maybe, Unknown


def preflight(found: Preflight) -> Document:
    """Whether a machine may hand over to an image."""
    image, answers = facts(found.image), check_list(found.checks)
    return document(verdict=found.verdict, image=image, checks=answers)


def action(
    found: Action, ended: Maybe[Outcome], predicted: Maybe[Iterable[tuple[str, Any, Any]]]
) -> Document:
    """An action, with how it ended or why it was not done.

    Args:
        found: The action.
        ended: How it ended.
        predicted: What would be different in `status`: key, value before, value after.
    """
    return document(
        action={
            "name": found.name,
            "title": found.title,
            "changes": [_change(item) for item in map(described, found.changes)],
            "preconditions": check_list(found.preconditions),
            "expects": [
                {
                    "path": text.escaped(item.path),
                    "value": _content(item.value),
                    "before": _content(item.before),
                }
                for item in found.expects
            ],
            "effects": list(found.effects),
            "undone_by": found.undone_by or Unknown(Cause.ABSENT, "nothing undoes it"),
            "risk": found.risk,
        },
        not_applicable=Unknown(Cause.ABSENT, "it applies"),
        outcome=mapped(ended, _outcome),
        predicted=each(predicted, _difference),
    )


def not_applicable(found: NotApplicable) -> Document:
    """Why there is no such action here."""
    reason = Unknown(Cause.UNSUPPORTED, found.reason)
    said = {
        "name": found.name,
        "reason": text.escaped(found.reason),
        "instead": text.escaped(found.instead),
    }
    return document(action=reason, not_applicable=said, outcome=reason, predicted=reason)


def journal(records: Iterable[Record], damage: Iterable[Damage]) -> Document:
    """What was done to the machine, oldest first."""
    return document(
        records=[_record(item) for item in records],
        damage=[{"line": item.line, "reason": item.reason} for item in damage],
    )


def _change(told: Mapping[str, str | int | None]) -> Document:
    nothing = Unknown(Cause.ABSENT, "none is given")
    return {key: nothing if value is None else _escaped(value) for key, value in told.items()}


def _content(value: str | None) -> Maybe[str]:
    """What a file holds."""
    return Unknown(Cause.ABSENT, "it is not there") if value is None else text.escaped(value)


def _outcome(ended: Outcome) -> Document:
    refused = Unknown(Cause.ABSENT, "the kernel did not refuse")
    return {
        "ending": ended.ending,
        "text": text.escaped(ended.text),
        "found": [
            {
                "path": text.escaped(item.path),
                "expected": _content(item.expected),
                "found": _content(item.found),
                "telling": item.telling,
            }
            for item in ended.found
        ],
        "explained": refused if ended.explained is None else _explained(ended.explained),
        "obstacles": check_list(ended.obstacles),
    }


def _difference(found: Difference) -> Document:
    key, before, after = found
    nothing = Unknown(Cause.ABSENT, "nothing is there")
    return {
        "key": key,
        "before": nothing if before is None else before,
        "after": nothing if after is None else after,
    }


def _explained(found: Explained) -> Document:
    return {
        "errno": found.name,
        "number": found.number,
        "call": text.escaped(found.call),
        "text": text.escaped(found.text),
        "advice": text.escaped(found.advice),
        "evidence": [text.escaped(item) for item in found.evidence],
        "log": [text.escaped(item) for item in found.log],
    }


def _record(record: Record) -> Document:
    who = {"uid": record.who.uid, "user": text.escaped(record.who.user)} | {
        key: Unknown(Cause.ABSENT, "not told") if value is None else text.escaped(value)
        for key, value in (
            ("login", record.who.login),
            ("tty", record.who.tty),
            ("ssh", record.who.ssh),
        )
    }
    not_written = Unknown(Cause.ABSENT, "its end was not written")
    not_refused = Unknown(Cause.ABSENT, "the kernel did not refuse")
    return {
        "id": text.escaped(record.id),
        "at": text.escaped(record.at),
        "ended": not_written if record.ended is None else text.escaped(record.ended),
        "boot": text.escaped(record.boot),
        "host": text.escaped(record.host),
        "source": text.escaped(record.source),
        "who": who,
        "action": text.escaped(record.action),
        "changes": [_change(item) for item in record.changes],
        "standing": record.standing,
        "text": text.escaped(record.text),
        "errno": not_refused if record.errno is None else text.escaped(record.errno),
        "found": [
            {"path": text.escaped(path), "value": _content(value)} for path, value in record.found
        ],
    }


def _escaped(value: str | int) -> str | int:
    return text.escaped(value) if isinstance(value, str) else value
