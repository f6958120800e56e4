"""What is different in two documents."""

from collections.abc import Iterator
from typing import Any

from kho_console.documents.shape import Document

Difference = tuple[str, str | int | None, str | int | None]
"""A key of the document of `status`, what it is now and what it would be."""


def differences(before: Document, after: Document) -> tuple[Difference, ...]:
    """The keys of two documents of `status` that are not the same."""
    was, would = dict(_leaves(before)), dict(_leaves(after))
    keys = dict.fromkeys((*was, *would))
    return tuple(
        (key, was.get(key), would.get(key)) for key in keys if was.get(key) != would.get(key)
    )


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, str | int | None]]:
    """Every value of a document by its whole key; members of lists by their name, else number."""
    if isinstance(value, dict):
        for name, item in value.items():
            if not name.endswith("_reason"):
                yield from _leaves(item, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            name = item.get("name", number) if isinstance(item, dict) else number
            yield from _leaves(item, f"{key}[{name}]")
    else:
        yield key, value
