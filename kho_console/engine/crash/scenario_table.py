"""Tables of a scenario file whose keys are taken one by one, each known by its line."""

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")
_SECTION = re.compile(r"\s*\[\[?\s*([\w-]+)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"\s*\"?([\w-]+)\"?\s*=")


class ScenarioError(Exception):
    """What is wrong with a scenario, with the line where that is known."""

    def __init__(self, line: int | None, words: str) -> None:
        """Say it in words, and where."""
        super().__init__(words if line is None else f"line {line}: {words}")
        self.line = line


class Table:
    """A table of the file; a key that nobody knows is a mistake, told before all others."""

    def __init__(
        self,
        found: Mapping[str, Any],
        section: str,
        lines: Mapping[tuple[str, str], int],
        keys: Sequence[str],
    ) -> None:
        """Read a table.

        Args:
            found: What stands in it.
            section: Its name in `lines`.
            lines: See `lines_of`.
            keys: What it may have.

        Raises:
            ScenarioError: It has another key.
        """
        self._section = section
        self._lines = lines
        self._found = found
        for key in found:
            if key not in keys:
                near = get_close_matches(key, keys, 1)
                meant = f", perhaps {near[0]}" if near else ""
                self.wrong(key, f"nobody knows this key here{meant}; there is {', '.join(keys)}")

    def line(self, key: str = "") -> int | None:
        """The line of a key, else that of the table."""
        return self._lines.get((self._section, key)) or self._lines.get((self._section, ""))

    def wrong(self, key: str, words: str) -> NoReturn:
        """Say what is wrong with a key."""
        raise ScenarioError(self.line(key), f"{key}: {words}")

    def take(self, key: str, shape: Callable[[Any], T], default: T | None = None) -> T:
        """The value of a key; without a default it has to be there."""
        if key not in self._found:
            if default is None:
                raise ScenarioError(self.line(), f"{key} is missing")
            return default
        try:
            return shape(self._found[key])
        except ValueError as error:
            self.wrong(key, str(error))

    def has(self, key: str) -> bool:
        """Whether a key is there."""
        return key in self._found


def lines_of(text: str) -> dict[tuple[str, str], int]:
    """For each section, a step by its number, and each key in it the line that it is on."""
    found: dict[tuple[str, str], int] = {}
    section, steps = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        head = _SECTION.fullmatch(line)
        if head:
            section = head[1]
            if line.lstrip().startswith("[["):
                section, steps = f"{section}#{steps}", steps + 1
            found[section, ""] = number
        elif key := _KEY.match(line):
            found.setdefault((section, key[1]), number)
    return found
