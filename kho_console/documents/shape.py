"""The JSON of every document: a version, plain values, and a reason beside what is null."""

from collections.abc import Iterable, Mapping
from typing import Any

from kho_console import text
from kho_console.model.check import Check
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Cause, Maybe, Unknown

Document = dict[str, Any]

_SCHEMA = 1


def document(**content: object) -> Document:
    """A whole document."""
    return {"schema": _SCHEMA, **_plain(content)}


def _plain(content: Mapping[str, object]) -> Document:
    """JSON values; an Unknown becomes null with its reason beside it."""
    found: Document = {}
    for key, value in content.items():
        if isinstance(value, Unknown):
            found[key] = None
            found[f"{key}_reason"] = text.reason(value)
        elif isinstance(value, Mapping):
            found[key] = _plain(value)
        elif isinstance(value, list | tuple):
            found[key] = [_plain(item) if isinstance(item, Mapping) else item for item in value]
        else:
            found[key] = text.harmless(value) if isinstance(value, str) else value
    return found


def mapped(value: Maybe[Any], shape: Any) -> Any:
    """The shape of what is known, or why it is not."""
    return value if isinstance(value, Unknown) else shape(value)


def each(value: Maybe[Iterable[Any]], shape: Any) -> Any:
    """The shape of each that is known, or why none is."""
    return value if isinstance(value, Unknown) else [shape(item) for item in value]


def memory_range(found: MemoryRange) -> Document:
    """A range of physical memory."""
    return {"address": found.start, "size": found.size}


def check_list(answers: Iterable[Check]) -> list[Document]:
    """Checks with their answers."""
    nothing = Unknown(Cause.ABSENT, "none needed")
    return [
        {
            "id": item.id,
            "result": item.result,
            "text": text.escaped(item.text),
            "evidence": text.escaped(item.evidence) if item.evidence else nothing,
            "remedy": text.escaped(item.remedy) if item.remedy else nothing,
        }
        for item in answers
    ]
