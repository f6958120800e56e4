"""The file in which owners declare what must survive: TOML, checked key by key.

[[keep]]
name = "vm-web"
session = "vm-web"          # or blob = "NAME", or reserve_mem = "NAME",
tokens = [0x1001, 0x1002]   # or address = 0x6741_2000 with size = 2097152
sha256 = "64 hexadecimal digits, of anything but a session"
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kho_console.abi.memory import ADDRESS_LIMIT
from kho_console.model.verification import Kind, Noted
from kho_console.source.protocol import SourceError
from kho_console.source.regular import read_regular
from kho_console.toml_lines import key_lines, loads

_LARGEST = 1 << 20
_DIGEST = re.compile("[0-9a-f]{64}")
_NAMED = {"blob": Kind.BLOB, "session": Kind.SESSION, "reserve_mem": Kind.RESERVE_MEM}
_KEYS = ("name", "address", "size", *_NAMED, "tokens", "sha256")
_MOST_TOKENS = 1 << 20


class OwnerFileError(ValueError):
    """Something in the file is wrong; the words name its line and key."""


def read(file: Path) -> tuple[Noted, ...]:
    """What a file declares.

    Raises:
        OwnerFileError: It cannot be read, or something in it is wrong.
    """
    try:
        text = read_regular(str(file), str(file), _LARGEST).decode()
        document = loads(text)
    except SourceError as error:
        raise OwnerFileError(error.unknown.reason) from error
    except ValueError as error:
        raise OwnerFileError(f"{file}: {error}") from error
    return _Reader(file, document, key_lines(text)).read()


class _Reader:
    """One document being read."""

    def __init__(
        self, file: Path, document: Mapping[str, Any], lines: Mapping[tuple[str | int, ...], int]
    ) -> None:
        self._file = file
        self._document = document
        self._lines = lines

    def read(self) -> tuple[Noted, ...]:
        for key in self._document:
            if key != "keep":
                raise self._fault((key,), f"there is no {key!r}; entries are [[keep]]")
        entries = self._document.get("keep", [])
        if not isinstance(entries, list) or not all(isinstance(item, dict) for item in entries):
            raise self._fault(("keep",), "entries are [[keep]]")
        found = tuple(self._entry(at, entry) for at, entry in enumerate(entries))
        seen: set[tuple[Kind, bytes]] = set()
        for at, item in enumerate(found):
            what = (item.kind, item.name)
            if what in seen:
                raise self._fault(("keep", at), "it is declared twice")
            seen.add(what)
        return found

    def _entry(self, at: int, entry: Mapping[str, Any]) -> Noted:
        place = ("keep", at)
        for key in entry:
            if key not in _KEYS:
                raise self._fault((*place, key), f"there is no {key!r}; {', '.join(_KEYS)}")
        name = entry.get("name")
        if not isinstance(name, str) or not name:
            raise self._fault((*place, "name"), "'name' is a text that is not empty")
        what = [key for key in _NAMED if key in entry]
        memory = "address" in entry or "size" in entry
        if len(what) + memory != 1:
            raise self._fault(place, f"{name!r} is one of {', '.join(_NAMED)}, or address and size")
        sha256 = self._digest(place, entry)
        if memory:
            return self._region(place, name, entry, sha256)
        return self._named(place, what[0], entry, sha256)

    def _region(
        self, place: tuple[str | int, ...], name: str, entry: Mapping[str, Any], sha256: str | None
    ) -> Noted:
        numbers = [entry.get("address"), entry.get("size")]
        for key, number in zip(("address", "size"), numbers, strict=True):
            if type(number) is not int or not 0 <= number < ADDRESS_LIMIT:
                raise self._fault((*place, key), f"{key!r} is a number below 2^56")
        if not numbers[1] or "tokens" in entry:
            raise self._fault(place, "a region has bytes, and no tokens")
        return Noted(Kind.REGION, name.encode(), numbers[0], numbers[1], sha256=sha256)

    def _named(
        self, place: tuple[str | int, ...], key: str, entry: Mapping[str, Any], sha256: str | None
    ) -> Noted:
        named = entry[key]
        if not isinstance(named, str) or not named:
            raise self._fault((*place, key), f"{key!r} is a text that is not empty")
        tokens = entry.get("tokens", [])
        numbers = (
            isinstance(tokens, list)
            and len(tokens) <= _MOST_TOKENS
            and all(type(item) is int and 0 <= item < 1 << 64 for item in tokens)
        )
        if not numbers or len(set(tokens)) != len(tokens):
            raise self._fault((*place, "tokens"), "'tokens' are numbers below 2^64, each once")
        if key == "session" and sha256 is not None:
            raise self._fault((*place, "sha256"), "a session has no content of its own")
        if key != "session" and "tokens" in entry:
            raise self._fault((*place, "tokens"), "only a session has tokens")
        return Noted(_NAMED[key], named.encode(), tokens=tuple(tokens), sha256=sha256)

    def _digest(self, place: tuple[str | int, ...], entry: Mapping[str, Any]) -> str | None:
        found = entry.get("sha256")
        if found is None:
            return None
        if not isinstance(found, str) or not _DIGEST.fullmatch(found.lower()):
            raise self._fault((*place, "sha256"), "'sha256' has 64 hexadecimal digits")
        return found.lower()

    def _fault(self, path: tuple[str | int, ...], words: str) -> OwnerFileError:
        line = self._lines.get(path) or self._lines.get(path[:2]) or self._lines.get(path[:1]) or 1
        return OwnerFileError(f"{self._file}:{line}: {words}")
