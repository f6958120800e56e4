"""Conditions of a runbook: `SUBJECT OPERATOR VALUE` over what `status --json` says.

A subject is a dotted key of that document, or `crash.` and one of `crash --json`. A list of things
with names, or of findings, is the list of their names or ids. What is not known is neither true
nor false; nor is a finding that is not there where nobody could look for it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kho_console.model.check import Check, Result
from kho_console.model.runbook import Condition
from kho_console.model.unknown import Cause, Maybe, Unknown

SUBJECTS = (
    "verdict", "source", "kernel", "handover", "scratch", "outgoing", "incoming", "sessions",
    "kexec", "findings", "crash",
)  # fmt: skip
"""How a subject may begin."""

OPERATORS = ("is not", "is", "has", "lacks", "at least", "at most")

FINDINGS = "findings"
UNSEEN = "findings_unseen"
"""Beside the findings: by their ids, why those could not be looked for."""

EMPTY = "empty"
"""The value of a list without members."""

_FORM = re.compile(rf"([a-z0-9_.-]+) ({'|'.join(OPERATORS)}) (\S.*)")
_ANSWER = re.compile(r"\{([a-z0-9-]+)\}")


def parse(words: str) -> Condition:
    """A condition as it is written.

    Raises:
        ValueError: It is none, with what is wrong.
    """
    found = _FORM.fullmatch(words)
    if found is None:
        raise ValueError(f"expected SUBJECT OPERATOR VALUE, where operators are {_operators()}")
    condition = Condition(found[1], found[2], found[3])
    if condition.subject.partition(".")[0] not in SUBJECTS:
        raise ValueError(f"there is no subject {condition.subject}; it begins with one of "
                         f"{', '.join(SUBJECTS)}")  # fmt: skip
    number = condition.value.isdecimal() or _ANSWER.fullmatch(condition.value)
    if condition.operator.startswith("at ") and not number:
        raise ValueError(f"{condition.operator} wants a number, not {condition.value}")
    return condition


def answers_in(words: str) -> list[str]:
    """The questions whose answers stand in a text."""
    return _ANSWER.findall(words)


def filled(words: str, answers: Mapping[str, str]) -> str:
    """A text with the answers in their places."""
    return _ANSWER.sub(lambda found: answers.get(found[1], ""), words)


def evaluate(
    conditions: Iterable[Condition], facts: Mapping[str, Any], answers: Mapping[str, str]
) -> tuple[Check, ...]:
    """Each condition on a machine, as a check.

    Args:
        conditions: What must be true.
        facts: The document.
        answers: What the operator said.
    """
    return tuple(_checked(item, facts, answers) for item in conditions)


def false(checks: Iterable[Check]) -> bool:
    """Whether one of them is known not to hold."""
    return any(item.result is Result.FAIL for item in checks)


def _checked(condition: Condition, facts: Mapping[str, Any], answers: Mapping[str, str]) -> Check:
    subject, operator = condition.subject, condition.operator
    wanted = filled(condition.value, answers)
    text = f"{subject} {operator} {wanted}"
    found = _value(subject, facts)
    if isinstance(found, Unknown):
        return Check(subject, Result.UNKNOWN, f"{text}: not known", found.reason)
    try:
        holds = _holds(found, operator, wanted)
        if subject == FINDINGS and (why := _not_looked(found, operator, wanted, facts)):
            return Check(subject, Result.UNKNOWN, f"{text}: not known", why)
    except ValueError as error:
        return Check(subject, Result.UNKNOWN, f"{text}: cannot be told", str(error))
    seen = f"{subject}: {_shown(found)}"
    return Check(subject, Result.PASS if holds else Result.FAIL, text, seen)


def _value(subject: str, facts: Mapping[str, Any]) -> Maybe[Any]:
    value: Any = facts
    for at, name in enumerate(names := subject.split(".")):
        if not isinstance(value, Mapping) or name not in value:
            return Unknown(Cause.ABSENT, f"there is no {'.'.join(names[: at + 1])} here")
        if value[name] is None:
            reason = value.get(f"{name}_reason") or "it is not known"
            return Unknown(Cause.ABSENT, str(reason))
        value = value[name]
    return value


def _holds(found: Any, operator: str, wanted: str) -> bool:
    match operator:
        case "is":
            return _shown(found) == wanted
        case "is not":
            return _shown(found) != wanted
        case "has":
            return wanted in _names(found)
        case "lacks":
            return wanted not in _names(found)
    if isinstance(found, bool) or not isinstance(found, int):
        found = len(found) if isinstance(found, list) else None
    if found is None or not wanted.isdecimal():
        raise ValueError("it is no number")
    return bool(found >= int(wanted) if operator == "at least" else found <= int(wanted))


def _not_looked(found: Any, operator: str, wanted: str, facts: Mapping[str, Any]) -> str:
    """Why the findings are not known to be all; empty where they are, or it does not matter."""
    unseen: Mapping[str, str] = facts.get(UNSEEN, {})
    if operator in ("has", "lacks"):
        return "" if wanted in _names(found) else unseen.get(wanted, "")
    if operator == "at least" and _holds(found, operator, wanted):
        return ""
    return next(iter(unseen.values()), "")


def _names(found: Any) -> Sequence[str]:
    if not isinstance(found, list):
        raise ValueError("it is no list")
    return [_name(item) for item in found]


def _name(item: Any) -> str:
    if isinstance(item, Mapping):
        item = item.get("name") or item.get("id") or item.get("role") or ""
    return str(item)


def _shown(found: Any) -> str:
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, list):
        return ", ".join(_name(item) for item in found) or EMPTY
    return str(found)


def _operators() -> str:
    return ", ".join(OPERATORS)
