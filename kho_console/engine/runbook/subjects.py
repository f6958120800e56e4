"""What conditions may name: keys of the documents, their words, and the ids of findings.

A name that no document ever has would make a condition that never holds, or always.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from kho_console import resources
from kho_console.engine.diagnose import CATALOGUE
from kho_console.engine.runbook.conditions import FINDINGS, answers_in
from kho_console.model.runbook import Condition

_CRASH = "crash"


def fault(condition: Condition) -> str | None:
    """What no document can ever say; None for nothing."""
    found: list[Mapping[str, Any]] = [{"properties": _documents()}]
    for name in condition.subject.split("."):
        if any("patternProperties" in item for item in found):
            return None
        names = {key for item in found for key in item.get("properties", ())}
        if name not in names:
            return _unknown(f"there is no {name} in {condition.subject}", name, names)
        found = [
            form for item in found for form in _forms(item.get("properties", {}).get(name, {}))
        ]
    return _wrong_value(condition, found)


def _wrong_value(condition: Condition, found: Iterable[Mapping[str, Any]]) -> str | None:
    value = condition.value
    if answers_in(value):
        return None
    if condition.subject == FINDINGS and condition.operator in ("has", "lacks"):
        ids = {rule.id for rule in CATALOGUE}
        return None if value in ids else _unknown(f"there is no finding {value}", value, ids)
    if condition.operator in ("is", "is not"):
        words = {word for item in found for word in _words(item)}
        if words and value not in words:
            return f"it is never {value}; there are {', '.join(sorted(words))}"
    return None


def _words(form: Mapping[str, Any]) -> Iterator[str]:
    """The words that a value of this form is one of; none where it may be any."""
    if "enum" in form:
        yield from (str(item) for item in form["enum"] if item is not None)
    kinds = form.get("type")
    if "boolean" in (kinds if isinstance(kinds, list) else [kinds]):
        yield from ("true", "false")


def _unknown(words: str, name: str, names: Iterable[str]) -> str:
    nearest = get_close_matches(name, sorted(names), n=1)
    return words + "".join(f"; the nearest is {item}" for item in nearest)


def _forms(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A schema, or all that it may be."""
    if "$ref" in schema:
        yield from _forms(_schemas()[schema["$ref"].rpartition("/")[2]])
    elif "oneOf" in schema:
        for item in schema["oneOf"]:
            yield from _forms(item)
    else:
        yield schema


def _documents() -> Mapping[str, Any]:
    return {**_schemas()["status"]["properties"], _CRASH: _schemas()[_CRASH]}


@cache
def _schemas() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(resources.schemas())["$defs"]
    return found
