"""The JSON of every document: a version, plain values, and a reason beside what is null."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from kho_console import text
from kho_console.model.check import Check
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass

Document = dict[str, Any]

_SCHEMA = 1
_Series = TypeVar("_Series", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Streamed:
    """A document with a list that may be longer than memory.

    Attributes:
        head: What comes first, the schema included.
        key: The key of the list.
        items: Its items, to be taken once.
        tail: What follows, asked for once all items are taken.
    """

    head: Document
    key: str
    items: Iterator[Document]
    tail: Callable[[], Document]


def document(**content: object) -> Document:
    """A whole document."""
    return {"schema": _SCHEMA, **plain(content)}


def plain(content: Mapping[str, object]) -> Document:
    """JSON values; an Unknown becomes null with its reason beside it."""
    found: Document = {}
    for key, value in content.items():
        if isinstance(value, Unknown):
            found[key] = None
            found[f"{key}_reason"] = text.reason(value)
        elif isinstance(value, Mapping):
            found[key] = plain(value)
        elif isinstance(value, list | tuple):
            found[key] = [plain(item) if isinstance(item, Mapping) else item for item in value]
        else:
            found[key] = text.harmless(value) if isinstance(value, str) else value
    return found


def from_hex(words: str, what: str) -> bytes:
    """The bytes that hexadecimal digits stand for.

    Args:
        words: The digits.
        what: What they are, for the error.

    Raises:
        ValueError: They are none.
    """
    try:
        return bytes.fromhex(words)
    except ValueError as error:
        raise ValueError(f"{what}: {words!r:.50} is not hexadecimal") from error


def series(kind: type[_Series], word: object) -> _Series:
    """The series that a document names.

    Raises:
        ValueError: There is no such series.
    """
    try:
        return kind(str(word))
    except ValueError as error:
        raise ValueError(f"version is {word!r:.50}, none of {', '.join(kind)}") from error


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
