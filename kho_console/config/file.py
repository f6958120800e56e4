"""One file of settings: TOML, checked key by key."""

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from kho_console.config.origin import Fault, Layer, Origin
from kho_console.config.table import KEYS, KEYS_EXPECTED, SETTINGS, Value, keys_of_value
from kho_console.model.value import dataclass
from kho_console.toml_lines import key_lines, loads

LARGEST = 1 << 16
"""Bytes that a file of settings may have."""

_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")


@dataclass(frozen=True, slots=True)
class Content:
    """What a file says, and what is wrong with it.

    Attributes:
        values: The settings by their names.
        keys: For the id of a command its keys.
        origins: For the name of a setting, or `keys.ID`, where it stands.
        faults: What is wrong; the rest is there all the same.
    """

    values: dict[str, Value]
    keys: dict[str, tuple[str, ...]]
    origins: dict[str, Origin]
    faults: tuple[Fault, ...]


def read(path: Path) -> Content | None:
    """What a file says; None where there is none."""
    try:
        text = _content(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        return _broken(path, None, getattr(error, "strerror", None) or str(error))
    try:
        document = loads(text)
    except ValueError as error:
        return _syntax(path, text, str(error))
    return _Check(path, text).all(document)


def _content(path: Path) -> str:
    """The text of a regular file; a pipe in its place does not keep us waiting."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("this is no file")
        raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise ValueError(f"it is longer than {LARGEST} bytes")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line} is no UTF-8") from error


def _broken(path: Path, line: int | None, words: str) -> Content:
    return Content({}, {}, {}, (Fault(Origin(Layer.FILE, str(path), line), words),))


def _syntax(path: Path, text: str, words: str) -> Content:
    place = _PLACE.search(words)
    if place is None:
        last = text.rstrip("\n").count("\n") + 1
        return _broken(path, last, f"no TOML: {words.removesuffix(' (at end of document)')}")
    said = words[: place.start()]
    return _broken(path, int(place[1]), f"no TOML: {said}, column {place[2]}")


class _Check:
    """Reads a document key by key, and keeps what is wrong with it."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = key_lines(text)
        self._values: dict[str, Value] = {}
        self._keys: dict[str, tuple[str, ...]] = {}
        self._origins: dict[str, Origin] = {}
        self._faults: list[Fault] = []

    def all(self, document: dict[str, object]) -> Content:
        known = {setting.name: setting for setting in SETTINGS}
        for name, found in document.items():
            if name == KEYS:
                self._commands(found)
            elif name not in known:
                self._fault((name,), unknown("key", name, (*known, KEYS)))
            else:
                self._origins[name] = self._origin((name,))
                try:
                    self._values[name] = known[name].of_value(found)
                except ValueError:
                    self._fault((name,), _wrong(name, found, known[name].expected))
        return Content(self._values, self._keys, self._origins, tuple(self._faults))

    def _commands(self, found: object) -> None:
        if not isinstance(found, dict):
            self._fault((KEYS,), _wrong(KEYS, found, "a table of commands and their keys"))
            return
        for command, value in found.items():
            path = (KEYS, command)
            self._origins[f"{KEYS}.{command}"] = self._origin(path)
            try:
                self._keys[command] = keys_of_value(value)
            except ValueError:
                self._fault(path, _wrong(f"{KEYS}.{command}", value, KEYS_EXPECTED))

    def _origin(self, path: tuple[str, ...]) -> Origin:
        return Origin(Layer.FILE, str(self._path), self._lines.get(path))

    def _fault(self, path: tuple[str, ...], words: str) -> None:
        self._faults.append(Fault(self._origin(path), words))


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """That there is no such name, and the nearest one that there is."""
    from difflib import get_close_matches

    nearest = get_close_matches(name, list(known), n=1, cutoff=0.0)
    return f"unknown {kind} {shown(name)}" + "".join(f"; the nearest is {at}" for at in nearest)


def shown(found: object) -> str:
    """A value of a file in a message: short, and of printable ASCII."""
    words = ascii(found)
    return words if len(words) <= 60 else words[:58] + ".."


def _wrong(name: str, found: object, expected: str) -> str:
    name = name if name.isascii() and name.isprintable() else shown(name)
    return f"{name} is {_toml(found)}; expected {expected}"


def _toml(found: object) -> str:
    """A value as a person wrote it, where that is short to say."""
    if isinstance(found, bool):
        return "true" if found else "false"
    return "a table" if isinstance(found, dict) else shown(found)
