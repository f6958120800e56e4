"""Entries as values, by their descriptions.

The number of elements of a field is not in the stream: the restoring kernel counts again. Where
nobody says what it would count, it follows from the size of the entry.
"""

import struct
from collections.abc import Mapping
from dataclasses import replace

from kho_console.abi.error import FormatError
from kho_console.abi.kstate.description import (
    KS,
    POINTER_SIZE,
    Custom,
    Description,
    Field,
    Registry,
)
from kho_console.abi.text import c_string
from kho_console.model.kstate import FieldLine, KstateEntry, StateValue
from kho_console.model.tree import Fault

_LONGEST_STRING = 100
_STRUCT, _CUSTOM, _ADDRESS = int(KS.STRUCT), int(KS.CUSTOM), int(KS.ADDRESS)
_PLAIN = int(KS.BASE_TYPE | KS.POINTER)
_DEPRECATED = int(KS.DEPRECATED)
PAGE_RECORD = struct.Struct("<BQ")
"""A preserved page: order and physical address."""


class Decoder:
    """Reads the fields of one entry at the top level.

    Attributes:
        faults: What does not fit.
        warnings: What the kernel warns of and goes on.
        once: The first of each kind of them, which is what it prints.
        at: Offset of the next byte to read, in the stream.
        lines: The fields at their places, where that was asked for.
    """

    def __init__(
        self,
        registry: Registry,
        data: bytes,
        offset: int,
        counts: Mapping[str, int] | None = None,
        *,
        bounded: bool = True,
        placed: bool = False,
    ) -> None:
        """Read from `data`, which begins at `offset` of the stream.

        Args:
            registry: The descriptions.
            data: The bytes of the entry; where not `bounded` all that follows, too.
            offset: Where they are.
            counts: Quantities of the machine by name; those that are missing are worked out.
            bounded: Whether sizes in headers are minded. The kernel does not: what is missing in
                an entry it takes from the next one.
            placed: Whether it is noted where each field is.
        """
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self.once: dict[str, Fault] = {}
        self.at = offset
        self._registry = registry
        self._data = data
        self._offset = offset
        self._counts = counts or {}
        self._bounded = bounded
        self.lines: list[FieldLine] = []
        self._placed = placed
        self._depth = 0

    def fields(self, description: Description, version_id: int, size: int) -> dict[str, StateValue]:
        """The fields of an entry of `size` bytes that was written at `version_id`.

        Raises:
            FormatError: They do not end where the bytes do, or are none.
        """
        end = self.at + size if self._bounded else self._offset + len(self._data)
        if version_id != description.version_id:
            said = f"{description.name}: version {version_id}, described is "
            self._warn("version", self.at, f"{said}{description.version_id}")
        found: dict[str, StateValue] = {}
        present = self._registry.present(description, version_id)
        for number, field in enumerate(present):
            if field.count is None:
                value = self._at_its_place(field, field.name, end, found)
            else:
                value = self._many(field, present[number + 1 :], end, found)
            if value is not None and not int(field.flags) & _DEPRECATED:
                found[field.name] = value
        if self._bounded and self.at != end:
            self.faults.append(
                Fault(self.at, f"{description.name}: {end - self.at} bytes are left")
            )
            self.at = end
        return found

    def _many(
        self,
        field: Field,
        rest: tuple[Field, ...],
        end: int,
        before: Mapping[str, StateValue],
    ) -> StateValue | None:
        if field.custom is Custom.NOTHING or field.flags == KS.ARRAY_OF_POINTER:
            return None
        known = self._counts.get(field.count) if isinstance(field.count, str) else field.count
        tail = _size_of(rest)
        if known is None and KS.STRUCT not in field.flags:
            known = self._room(field, end, tail)
        values: list[StateValue] = []
        while len(values) < known if known is not None else self._nested_follows(field, end, tail):
            value = self._at_its_place(field, f"{field.name}[{len(values)}]", end, before)
            if value is None:
                return None
            values.append(value)
        return values

    def _room(self, field: Field, end: int, tail: int | None) -> int:
        size = _size_of((replace(field, count=None),))
        if not size or tail is None:
            raise FormatError(self.at, f"{field.name}: how many there are cannot be told")
        return max(end - tail - self.at, 0) // size

    def _nested_follows(self, field: Field, end: int, tail: int | None) -> bool:
        head = self._registry.version.header
        if self.at + head > end - (tail or 0):
            return False
        words = self._words(head)
        return words[-4] == field.ksd

    def _at_its_place(
        self, field: Field, label: str, end: int, before: Mapping[str, StateValue]
    ) -> StateValue | None:
        if not self._placed:
            return self._element(field, end, before)
        number, start = len(self.lines), self.at
        self.lines.append(FieldLine(self._depth, label, start, None))
        self._depth += 1
        value = self._element(field, end, before)
        self._depth -= 1
        if value is None:
            del self.lines[number:]
        elif not isinstance(value, Mapping):
            self.lines[number] = FieldLine(self._depth, label, start, value)
        return value

    def _element(
        self, field: Field, end: int, before: Mapping[str, StateValue]
    ) -> StateValue | None:
        # Flags as numbers: to ask an IntFlag takes longer than all else here.
        flags = int(field.flags)
        if flags & _STRUCT:
            return self._nested(field, end, 0)
        if flags & _CUSTOM:
            return self._custom(field, end, before)
        if flags & _PLAIN and field.type is not None:
            return self._plain(field, end)
        if flags & _ADDRESS:
            return int.from_bytes(self._take(POINTER_SIZE, end, field.name), "little")
        return None

    def _plain(self, field: Field, end: int) -> StateValue:
        assert field.type is not None
        data = self._take(field.type.size, end, field.name)
        if field.type.text:
            words = c_string(data)
            return data if any(data[len(words) :]) else words
        if field.type.signed is None:
            return data
        return int.from_bytes(data, "little", signed=field.type.signed)

    def _nested(self, field: Field, end: int, instance: int) -> dict[str, StateValue]:
        description = self._registry.nested(field)
        head = self._registry.version.header
        start = self.at
        if start + head > end:
            raise FormatError(start, f"{field.name}: no room for a nested entry")
        state_id, version_id, instance_id, size = self._words(head)[-4:]
        self.at += head
        if state_id != description.id:
            wrong = f"{field.name}: nested state id {state_id}, described is {description.id}"
            self.faults.append(Fault(start, wrong))
        if instance_id != instance:
            wrong = f"{field.name}: nested instance {instance_id} in place of {instance}"
            self._warn("instance", start, wrong)
        if self._bounded and not 0 <= size <= end - self.at:
            raise FormatError(start, f"{field.name}: a nested size of {size} bytes")
        return self.fields(description, version_id, size)

    def _custom(
        self, field: Field, end: int, before: Mapping[str, StateValue]
    ) -> StateValue | None:
        match field.custom:
            case Custom.NOTHING:
                return None
            case Custom.STRING:
                return self._string(field, end)
            case Custom.PAGES:
                return self._pages(field, end, before)
            case Custom.MARKED:
                return self._marked(field, end)
            case _:
                return self._take(end - self.at, end, field.name)

    def _string(self, field: Field, end: int) -> bytes:
        start = self.at - self._offset
        room = self._data[start : min(start + _LONGEST_STRING, end - self._offset)]
        length = room.find(b"\0")
        if length < 0:
            raise FormatError(self.at, f"{field.name}: no NUL ends it")
        self.at += length + 1
        return room[:length]

    def _pages(self, field: Field, end: int, before: Mapping[str, StateValue]) -> StateValue:
        number = list(before.values())[-1] if before else None
        size = PAGE_RECORD.size
        if not isinstance(number, int) or number * size > end - self.at:
            raise FormatError(self.at, f"{field.name}: {number!r} pages do not fit")
        data = self._take(number * size, end, field.name)
        return [{"order": order, "address": at} for order, at in PAGE_RECORD.iter_unpack(data)]

    def _marked(self, field: Field, end: int) -> StateValue:
        found: list[StateValue] = []
        while True:
            start = self.at
            mark = self._take(1, end, field.name)[0]
            if not mark:
                return found
            if mark > 1:
                self.faults.append(Fault(start, f"{field.name}: a mark of {mark}"))
            found.append(self._nested(field, end, len(found)))

    def _warn(self, kind: str, at: int, reason: str) -> None:
        self.warnings.append(Fault(at, reason))
        self.once.setdefault(kind, self.warnings[-1])

    def _words(self, size: int) -> tuple[int, ...]:
        return struct.unpack_from(f"<{size // 4}i", self._data, self.at - self._offset)

    def _take(self, size: int, end: int, what: str) -> bytes:
        start = self.at - self._offset
        if self.at + size > end:
            raise FormatError(self.at, f"{what}: {size} bytes, {max(end - self.at, 0)} are left")
        self.at += size
        return self._data[start : start + size]


def strictly(
    registry: Registry, entry: KstateEntry, data: bytes, counts: Mapping[str, int] | None = None
) -> dict[str, StateValue]:
    """The fields of an entry, where nothing of it is in doubt.

    Raises:
        FormatError: It has no description, is of a version that this one does not read, or does
            not fit. Kernels go on after most of it.
    """
    description = registry.get(entry.state_id)
    if description is None:
        raise FormatError(entry.offset, f"no description of state id {entry.state_id}")
    newest = description.version_id
    oldest = description.min_version_id if registry.version.has_sections else newest
    if not oldest <= entry.version_id <= newest:
        said = f"version {entry.version_id}, described are {oldest} to {newest}"
        raise FormatError(entry.offset, f"{description.name}: {said}")
    decoder = Decoder(registry, data, entry.data, counts)
    found = decoder.fields(description, entry.version_id, len(data))
    nested = [item for item in decoder.warnings if item.offset != entry.data]
    for fault in (*decoder.faults, *nested):
        raise FormatError(fault.offset, fault.reason)
    return found


def _size_of(fields: tuple[Field, ...]) -> int | None:
    """Bytes of fields of which there is one each and that have a fixed size, None for others."""
    total = 0
    for field in fields:
        if field.custom is Custom.NOTHING or field.flags == KS.ARRAY_OF_POINTER:
            continue
        if field.flags & (KS.STRUCT | KS.CUSTOM) or isinstance(field.count, str):
            return None
        size = field.type.size if field.type is not None else POINTER_SIZE
        total += size * (1 if field.count is None else field.count)
    return total
