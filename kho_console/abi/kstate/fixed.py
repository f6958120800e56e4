"""Descriptions whose entries are all of one size: their fields are taken in one go.

Most are; what has strings, lists of pages or counts of the machine in it is left to the decoder,
and so is an entry that is not as its description says.
"""

import struct
from collections.abc import Sequence
from typing import Union

from kho_console.abi.kstate.description import (
    KS,
    BaseType,
    Custom,
    Description,
    Field,
    Registry,
)
from kho_console.model.kstate import StateValue
from kho_console.model.value import dataclass

_MOST = 4096
"""Values of an entry, at most."""

_LETTERS = {1: "b", 2: "h", 4: "i", 8: "q"}


@dataclass(frozen=True, slots=True)
class _Level:
    """The fields of one struct: a value, several, or a struct below."""

    names: tuple[str, ...]
    places: tuple[Union[int, slice, "_Level"], ...]


class _NotFixed(Exception):
    """A description leaves open how many bytes there are."""


class _Layout:
    """Values in the order of the stream, as `struct` calls them."""

    def __init__(self, registry: Registry) -> None:
        self.letters: list[str] = []
        self.texts: list[int] = []
        self.headers: list[tuple[int, tuple[int, ...]]] = []
        self._registry = registry

    def level(self, description: Description) -> _Level:
        found: dict[str, int | slice | _Level] = {}
        for field in self._registry.present(description, description.version_id):
            if KS.DEPRECATED in field.flags or field.name in found:
                raise _NotFixed
            if KS.CUSTOM not in field.flags or field.custom is not Custom.NOTHING:
                found[field.name] = self._place(field)
        return _Level(tuple(found), tuple(found.values()))

    def _place(self, field: Field) -> int | slice | _Level:
        if KS.STRUCT in field.flags:
            return self._nested(field)
        if KS.CUSTOM in field.flags:
            raise _NotFixed
        plain = field.flags & (KS.BASE_TYPE | KS.POINTER)
        kind = field.type if plain and field.type is not None else None
        if kind is None and KS.ADDRESS not in field.flags:
            raise _NotFixed
        if field.count is None:
            return self._value(kind)
        if not isinstance(field.count, int):
            raise _NotFixed
        first = len(self.letters)
        for _ in range(field.count):
            self._value(kind)
        return slice(first, len(self.letters))

    def _value(self, kind: BaseType | None) -> int:
        at = len(self.letters)
        if at >= _MOST:
            raise _NotFixed
        if kind is None:
            self.letters.append("Q")
        elif kind.signed is None:
            self.letters.append(f"{kind.size}s")
            self.texts += [at] if kind.text else []
        else:
            letter = _LETTERS[kind.size]
            self.letters.append(letter if kind.signed else letter.upper())
        return at

    def _nested(self, field: Field) -> _Level:
        if field.count is not None:
            raise _NotFixed
        description, at = self._registry.nested(field), len(self.letters)
        sections = self._registry.version.has_sections
        self.letters += ["4xi" if sections else "i", "i", "i", "i"]
        level = self.level(description)
        size = struct.calcsize("<" + "".join(self.letters[at + 4 :]))
        self.headers.append((at, (description.id, description.version_id, 0, size)))
        return level


class Fixed:
    """How to read an entry that was written at the version of its description.

    Attributes:
        size: Bytes of such an entry.
    """

    def __init__(self, registry: Registry, description: Description) -> None:
        """Lay the fields out; see `compiled`."""
        layout = _Layout(registry)
        self._level = layout.level(description)
        self._struct = struct.Struct("<" + "".join(layout.letters))
        self._texts, self._headers = layout.texts, layout.headers
        self._flat = self._level.places == tuple(range(len(layout.letters)))
        self.size = self._struct.size

    def fields(self, data: bytes) -> dict[str, StateValue] | None:
        """The fields of an entry of that size; None where a nested one is of another kind."""
        values: Sequence[StateValue] = self._struct.unpack(data)
        for at, words in self._headers:
            if values[at : at + 4] != words:
                return None
        if self._texts:
            values = list(values)
            for at in self._texts:
                values[at] = _text(values[at])
        if self._flat:
            return dict(zip(self._level.names, values, strict=True))
        return _built(self._level, values)


def compiled(registry: Registry, description: Description) -> Fixed | None:
    """How to read its entries in one go, None where that cannot be said of all of them."""
    try:
        return Fixed(registry, description)
    except _NotFixed:
        return None


def _text(value: StateValue) -> StateValue:
    """The bytes before the first NUL, or all where there is anything behind it."""
    assert isinstance(value, bytes)
    words = value.rstrip(b"\0")
    return value if b"\0" in words else words


def _built(level: _Level, values: Sequence[StateValue]) -> dict[str, StateValue]:
    found: dict[str, StateValue] = {}
    for name, place in zip(level.names, level.places, strict=True):
        if isinstance(place, _Level):
            found[name] = _built(place, values)
        elif isinstance(place, slice):
            found[name] = list(values[place])
        else:
            found[name] = values[place]
    return found
