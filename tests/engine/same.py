"""Compares snapshots, whose parts have no equality of their own."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from kho_console.model.owner import Ownership
from kho_console.model.preserved import Runs
from kho_console.model.snapshot import Identity


def shape(value: Any) -> Any:
    """A value as lists and mappings that can be compared; where it was read from left out."""
    if isinstance(value, Identity):
        return None
    if isinstance(value, Ownership):
        return list(value), value.complete
    if isinstance(value, Runs):
        return list(value.pairs())
    if is_dataclass(value) and not isinstance(value, type):
        named = {field.name: shape(getattr(value, field.name)) for field in fields(value)}
        return type(value).__name__, named
    if isinstance(value, Mapping):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [shape(item) for item in value]
    return value
