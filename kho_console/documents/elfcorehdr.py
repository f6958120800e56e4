"""The ELF core header of a crash image as a document, and back."""

from collections.abc import Iterable, Mapping
from typing import Any

from kho_console.documents.machine import finding_facts
from kho_console.documents.shape import Document, document, memory_range
from kho_console.model.crash import CoreHeader, CoreLoad, LoadKind
from kho_console.model.finding import Finding
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Cause, Maybe, Unknown

_IN_PLACE = Unknown(Cause.ABSENT, "its bytes lie where it describes them")


def elfcorehdr(
    found: CoreHeader, size: int, layout: Maybe[str], findings: Iterable[Finding]
) -> Document:
    """Notes and loads in the order of the header."""
    return document(
        bytes=size,
        layout=layout,
        machine=found.machine,
        little_endian=found.little_endian,
        notes=[memory_range(item) for item in found.notes],
        loads=[_load(item) for item in found.loads],
        findings=[finding_facts(item) for item in findings],
    )


def core_header(found: Mapping[str, Any]) -> tuple[CoreHeader, int | None]:
    """The header of a document, and the bytes of its file.

    Raises:
        ValueError: It is no such document.
    """
    little_endian = found.get("little_endian", True)
    if not isinstance(little_endian, bool):
        raise ValueError("little_endian must be true or false")
    header = CoreHeader(
        _number(found, "machine", 16),
        little_endian,
        tuple(_range(item) for item in _list(found, "notes")),
        tuple(map(_read, _list(found, "loads"))),
    )
    return header, None if found.get("bytes") is None else _number(found, "bytes", 32)


def _load(found: CoreLoad) -> Document:
    return {
        **memory_range(found.range),
        "virtual": found.virtual,
        "kind": found.kind.value,
        "copy": _IN_PLACE if found.copy is None else found.copy,
    }


def _read(item: Any) -> CoreLoad:
    place = _range(item)
    copy = None if item.get("copy") is None else _number(item, "copy", 64)
    kind = LoadKind(item.get("kind", LoadKind.MEMORY))
    return CoreLoad(place, _number(item, "virtual", 64), kind, copy)


def _range(item: Any) -> MemoryRange:
    return MemoryRange(_number(item, "address", 64), _number(item, "size", 64))


def _list(item: Mapping[str, Any], key: str) -> list[Any]:
    value = item.get(key)
    if not isinstance(value, list):
        raise ValueError(f"{key} must be a list")
    return value


def _number(item: Any, key: str, bits: int) -> int:
    value = item.get(key) if isinstance(item, Mapping) else None
    if type(value) is not int or not 0 <= value < 1 << bits:
        raise ValueError(f"{key} is {value!r:.50}, no number of {bits} bits")
    return value
