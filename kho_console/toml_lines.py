"""TOML of anybody's, and the line on which each key of it begins, which tomllib does not tell."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Names, and behind the name of an array of tables the number of one, from 0."""

_TOKEN = re.compile(
    r'"""(?:[^"\\]++|\\.|"(?!""))*+(?:"""+)?'
    r"|'''(?:[^']++|'(?!''))*+(?:'''+)?"
    r'|"(?:[^"\\\n]|\\[^\n])*+"?'
    r"|'[^'\n]*+'?"
    r"|\#[^\n]*+"
    r"|[\w+-]++"
    r"|[.=,\[\]{}\n]",
    re.DOTALL,
)
"""Whole strings and comments, words, and signs."""

_ENDS_A_KEY = frozenset("=,[]{}\n")
_DEPTHS = {"[": 1, "{": 1, "]": -1, "}": -1}

_MOST_DOTS = 8
_DEEPEST = 32
_LONGEST_WORD = 1000


def loads(document: str) -> dict[str, Any]:
    """What a document says.

    Its keys have few dots, its values little depth and its numbers and bare names not too many
    letters: tomllib takes time with the square of the first, stack with the second, and reads
    numbers that Python does not print.

    Raises:
        ValueError: It is no TOML, or beyond such a limit; the words end with the place, if any.
    """
    dots = depth = 0
    for found in _TOKEN.finditer(document):
        token = found[0]
        dots = 0 if token in _ENDS_A_KEY else dots + (token == ".")
        depth += _DEPTHS.get(token, 0)
        if dots > _MOST_DOTS:
            raise _fault(f"a key has more than {_MOST_DOTS} dots", found)
        if depth > _DEEPEST:
            raise _fault("tables or lists lie too deep in each other", found)
        if len(token) > _LONGEST_WORD and token[0] not in "\"'#":
            raise _fault(f"a number or a name has more than {_LONGEST_WORD} letters", found)
    return tomllib.loads(document)


def _fault(words: str, found: re.Match[str]) -> ValueError:
    """In the form that tomllib has."""
    before = found.string[: found.start()]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return ValueError(f"{words} (at line {line}, column {column})")


def key_lines(document: str) -> dict[KeyPath, int]:
    """For the path of each key its line, counted from 1.

    The document is read statement by statement, each of which is TOML by itself.

    Args:
        document: A document that `loads` takes.
    """
    found: dict[KeyPath, int] = {}
    counts: Counter[KeyPath] = Counter()
    table: KeyPath = ()
    for first, statement in _statements(document.replace("\r\n", "\n")):
        paths = list(_paths(tomllib.loads(statement)))
        if statement.lstrip().startswith("["):
            table = _numbered(paths[-1], counts, more=statement.lstrip().startswith("[["))
            paths = [table[: at + 1] for at in range(len(table))]
        else:
            paths = [(*table, *path) for path in paths]
        for path in paths:
            found.setdefault(path, first)
    return found


def _numbered(names: KeyPath, counts: Counter[KeyPath], *, more: bool) -> KeyPath:
    """The path of a header's table: the last one of each array of tables on the way to it."""
    table: KeyPath = ()
    for at, name in enumerate(names, 1):
        table = (*table, name)
        if more and at == len(names):
            counts[table] += 1
        if counts[table]:
            table = (*table, counts[table] - 1)
    return table


def _statements(document: str) -> Iterator[tuple[int, str]]:
    """The statements with the line that each one begins on."""
    first = line = 1
    begin = depth = 0
    for found in _TOKEN.finditer(document + "\n"):
        depth += _DEPTHS.get(found[0], 0)
        line += found[0].count("\n")
        if found[0] == "\n" and not depth:
            statement = document[begin : found.start()]
            if statement.strip():
                yield first, statement
            first, begin = line, found.end()


def _paths(table: Mapping[str, Any], above: KeyPath = ()) -> Iterator[KeyPath]:
    for key, value in table.items():
        path = (*above, key)
        yield path
        inner = value[0] if isinstance(value, list) and len(value) == 1 else value
        if isinstance(inner, dict):
            yield from _paths(inner, path)
