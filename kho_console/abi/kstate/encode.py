"""Values as entries, by their descriptions: what a kernel of the series saves."""

import struct
from collections.abc import Mapping, Sequence

from kho_console.abi.kstate.decode import PAGE_RECORD
from kho_console.abi.kstate.description import (
    KS,
    POINTER_SIZE,
    Custom,
    Description,
    Field,
    Registry,
)
from kho_console.abi.kstate.stream import SECTION, SUBSECTION, pack
from kho_console.model.kstate import KstateEntry, StateValue

_LARGEST = (1 << 31) - 1


def entry(
    registry: Registry,
    description: Description,
    value: Mapping[str, StateValue],
    instance_id: int,
    *,
    subsection: bool = False,
) -> tuple[KstateEntry, bytes]:
    """An entry and the bytes behind it; it is not in a stream yet, so its offset is 0.

    Raises:
        ValueError: A field is missing, or does not fit its type.
    """
    kind = SUBSECTION if subsection else SECTION
    section = kind if registry.version.has_sections else None
    data = _Writer(registry, section).fields(description, value)
    return _header(registry, section, description, instance_id, data), data


def writes(
    registry: Registry, description: Description, value: Mapping[str, StateValue]
) -> list[int]:
    """Bytes of each piece that a kernel adds to its stream for an entry, its header first.

    Raises:
        ValueError: See `entry`.
    """
    writer = _Writer(registry, SECTION if registry.version.has_sections else None)
    writer.fields(description, value)
    return [registry.version.header, *writer.writes]


def _header(
    registry: Registry,
    section: int | None,
    description: Description,
    instance_id: int,
    data: bytes,
) -> KstateEntry:
    if len(data) > _LARGEST:
        raise ValueError(f"{description.name}: {len(data)} bytes are more than an int counts")
    words = (description.id, description.version_id, instance_id, len(data))
    return KstateEntry(0, section, *words, registry.version.header)


class _Writer:
    """Writes the fields of one entry at the top level."""

    def __init__(self, registry: Registry, section: int | None) -> None:
        self.writes: list[int] = []
        self._registry = registry
        self._section = section

    def fields(self, description: Description, value: Mapping[str, StateValue]) -> bytes:
        parts: list[bytes] = []
        before: Sequence[StateValue] = ()
        for field in description.fields:
            if field.flags & KS.END:
                break
            if not self._written(field, description):
                continue
            if field.name not in value:
                raise ValueError(f"{description.name} has no {field.name}")
            parts += self._field(field, value[field.name], before)
            before = (value[field.name],)
        return b"".join(parts)

    def _written(self, field: Field, description: Description) -> bool:
        """Whether a kernel writes anything for a field."""
        gone = KS.DEPRECATED in field.flags or field.version_id > description.version_id
        if gone and self._registry.version.has_sections:
            return False
        if field.flags & (KS.STRUCT | KS.BASE_TYPE | KS.POINTER | KS.ADDRESS):
            return True
        return KS.CUSTOM in field.flags and field.custom is not Custom.NOTHING

    def _field(self, field: Field, value: StateValue, before: Sequence[StateValue]) -> list[bytes]:
        if field.count is None:
            return [self._element(field, value, before)]
        if not isinstance(value, list):
            raise ValueError(f"{field.name} must be a list")
        if isinstance(field.count, int) and len(value) != field.count:
            raise ValueError(f"{field.name} has {len(value)} elements in place of {field.count}")
        return [self._element(field, item, before) for item in value]

    def _element(self, field: Field, value: StateValue, before: Sequence[StateValue]) -> bytes:
        if KS.STRUCT in field.flags:
            return self._nested(field, value, 0)
        data = self._written_at_once(field, value, before)
        self.writes.append(len(data))
        return data

    def _written_at_once(
        self, field: Field, value: StateValue, before: Sequence[StateValue]
    ) -> bytes:
        if KS.CUSTOM in field.flags:
            return self._custom(field, value, before)
        if field.flags & (KS.BASE_TYPE | KS.POINTER) and field.type is not None:
            return _plain(field, value)
        if KS.ADDRESS in field.flags:
            return _number(field, value, POINTER_SIZE, signed=False)
        return b""

    def _nested(self, field: Field, value: StateValue, instance: int) -> bytes:
        description = self._registry.nested(field)
        if not isinstance(value, Mapping):
            raise ValueError(f"{field.name} must be a struct")
        self.writes.append(self._registry.version.header)
        data = self.fields(description, value)
        return pack(_header(self._registry, self._section, description, instance, data)) + data

    def _custom(self, field: Field, value: StateValue, before: Sequence[StateValue]) -> bytes:
        if field.custom in (Custom.STRING, Custom.REST):
            if not isinstance(value, bytes):
                raise ValueError(f"{field.name} must be bytes")
            ending = b"\0" if field.custom is Custom.STRING else b""
            if ending and (b"\0" in value or len(value) > 99):
                raise ValueError(f"{field.name} is no text of up to 99 bytes")
            return value + ending
        if not isinstance(value, list):
            raise ValueError(f"{field.name} must be a list")
        if field.custom is Custom.PAGES:
            if before and before[-1] != len(value):
                raise ValueError(f"{field.name}: {len(value)} pages, but {before[-1]!r} before it")
            return b"".join(_page(field, item) for item in value)
        nested = (b"\1" + self._nested(field, item, at) for at, item in enumerate(value))
        return b"".join((*nested, b"\0"))


def _page(field: Field, value: StateValue) -> bytes:
    if not isinstance(value, Mapping):
        raise ValueError(f"{field.name} must be order and address")
    try:
        return PAGE_RECORD.pack(value.get("order"), value.get("address"))
    except struct.error as error:
        raise ValueError(f"{field.name}: {error}") from error


def _plain(field: Field, value: StateValue) -> bytes:
    assert field.type is not None
    if field.type.signed is not None:
        return _number(field, value, field.type.size, signed=field.type.signed)
    filled = isinstance(value, bytes) and field.type.text and value.ljust(field.type.size, b"\0")
    found = filled or value
    if not isinstance(found, bytes) or len(found) != field.type.size:
        raise ValueError(f"{field.name} must be {field.type.size} bytes")
    return found


def _number(field: Field, value: StateValue, size: int, *, signed: bool) -> bytes:
    if not isinstance(value, int):
        raise ValueError(f"{field.name} must be a number")
    try:
        return value.to_bytes(size, "little", signed=signed)
    except OverflowError as error:
        raise ValueError(f"{field.name}: {value} is no number of {size} bytes") from error
