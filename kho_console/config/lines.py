"""The line on which each key of a TOML document begins, which tomllib does not tell."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

KeyPath: TypeAlias = tuple[str, ...]


def key_lines(document: str) -> dict[KeyPath, int]:
    """For the path of each key its line, counted from 1.

    The document is read statement by statement: a statement is the fewest lines that are TOML by
    themselves, so values over several lines, quoted keys and dotted keys need no rules of ours.

    Args:
        document: A document that tomllib takes as a whole.
    """
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for first, statement in _statements(document.replace("\r\n", "\n")):
        paths = list(_paths(tomllib.loads(statement)))
        if statement.lstrip().startswith("["):
            table = paths[-1]
            paths = [table[: at + 1] for at in range(len(table))]
        else:
            paths = [(*table, *path) for path in paths]
        for path in paths:
            found.setdefault(path, first)
    return found


def _statements(document: str) -> Iterator[tuple[int, str]]:
    """The statements with the line that each one begins on."""
    open_lines: list[str] = []
    first = 1
    for number, line in enumerate(document.split("\n"), 1):
        if not open_lines:
            first = number
        open_lines.append(line)
        statement = "\n".join(open_lines)
        try:
            tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        if statement.strip():
            yield first, statement
        open_lines.clear()


def _paths(table: Mapping[str, Any], above: KeyPath = ()) -> Iterator[KeyPath]:
    for key, value in table.items():
        path = (*above, key)
        yield path
        inner = value[0] if isinstance(value, list) and len(value) == 1 else value
        if isinstance(inner, dict):
            yield from _paths(inner, path)
