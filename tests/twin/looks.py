"""What a fresh look shows, in a form that can be compared."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kho_console.engine.observe import observe
from kho_console.model.memory import MemoryRange
from kho_console.model.owner import Ownership
from kho_console.model.preserved import Runs
from kho_console.source.protocol import Source

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def look(source: Source) -> dict[str, object]:
    """A snapshot as plain values, without where it comes from."""
    shown = plain(observe(source))
    assert isinstance(shown, dict)
    del shown["source"]
    return shown


def plain(value: object) -> object:
    """Values all the way down."""
    if isinstance(value, Runs):
        return list(value.pairs())
    if isinstance(value, Ownership):
        return [plain(item) for item in value], value.complete
    if isinstance(value, MemoryRange):
        return (value.start, value.size)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return fields_of(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def fields_of(value: "DataclassInstance") -> dict[str, object]:
    """A dataclass by the names of its fields."""
    return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
