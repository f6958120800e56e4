"""A stream of kstate as a document, and back."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from kho_console import text
from kho_console.documents.machine import finding_facts
from kho_console.documents.shape import (
    Document,
    Streamed,
    document,
    from_hex,
    mapped,
    plain,
    series,
)
from kho_console.model.finding import Finding
from kho_console.model.kstate import DecodedEntry, KstateEntry, KstateVersion, StateValue
from kho_console.model.unknown import Maybe, Unknown

_INT = 1 << 31
_MOST_ZEROS = 256 << 20


def kstate(
    version: KstateVersion,
    entries: Iterable[DecodedEntry],
    ending: Callable[[], tuple[bool, int, tuple[Maybe[bytes], int], list[Finding]]],
) -> Streamed:
    """A stream, entry by entry.

    Args:
        version: Its series.
        entries: What was decoded.
        ending: Whether there was an end mark, the offset behind it, the bytes that follow with
            the number of zeros behind those, and the findings; asked for once all entries are
            taken.
    """

    def tail() -> Document:
        terminated, end, (behind, zeros), findings = ending()
        return plain(
            {
                "terminated": terminated,
                "end": end,
                "behind": mapped(behind, bytes.hex),
                "zeros_behind": zeros,
                "findings": [finding_facts(item) for item in findings],
            }
        )

    return Streamed(document(version=version), "entries", map(_entry, entries), tail)


def kstate_entries(
    found: Mapping[str, Any],
) -> tuple[
    KstateVersion, Iterator[tuple[KstateEntry, bytes | Mapping[str, StateValue]]], bytes, bool
]:
    """The series, the entries, what follows them, and whether v3's magic number is before them.

    Of an entry, bytes go before fields.

    Raises:
        ValueError: It is no such document; entries are looked at when they are taken.
    """
    version = series(KstateVersion, found.get("version"))
    entries = found.get("entries")
    if not isinstance(entries, list):
        raise ValueError("entries must be a list")
    mark = b"" if found.get("terminated") is False else b"\xff" * 4
    behind, zeros = found.get("behind", ""), found.get("zeros_behind", 0)
    if not isinstance(behind, str):
        raise ValueError("behind must be text: what follows the entries is not in the document")
    if type(zeros) is not int or not 0 <= zeros <= _MOST_ZEROS:
        raise ValueError(f"zeros_behind must be a number up to {_MOST_ZEROS}")
    ending = mark + from_hex(behind, "behind") + bytes(zeros)
    # Where the number is missing nothing was read.
    return version, (_read(version, item) for item in entries), ending, found.get("end") != 0


def kstate_disagreement(found: Mapping[str, Any], written: Iterable[DecodedEntry]) -> str | None:
    """Where the fields of a document are not what was written of it, None where they are.

    Args:
        found: The document.
        written: The entries of the stream that was made of it.
    """
    for item, entry in zip(found["entries"], written, strict=False):
        fields = item.get("fields")
        if not isinstance(fields, Mapping) or isinstance(entry.fields, Unknown):
            continue
        there = _value(entry.fields)
        unknown = next((name for name in fields if name not in there), None)
        if unknown is not None:
            return f"entry at {_offset(item)}: its description has no field {unknown}"
        if not isinstance(item.get("data"), str):
            continue
        for name, value in there.items():
            if fields.get(name) != value:
                said = f"{name} is {fields.get(name)!r:.50} in fields, and {value!r:.50} in data"
                return (
                    f"entry at {_offset(item)}: {said}; without data and size, fields are written"
                )
    return None


def _entry(found: DecodedEntry) -> Document:
    # There may be millions: what is plain already is not looked at again.
    entry = found.entry
    section = {} if entry.section is None else {"section_type": entry.section}
    return {
        "offset": entry.offset,
        **section,
        "state_id": entry.state_id,
        "version_id": entry.version_id,
        "instance_id": entry.instance_id,
        "size": entry.size,
        **_known("name", found.name, text.escaped),
        **_known("fields", found.fields, _value),
        **_known("data", found.content, bytes.hex),
    }


def _known(key: str, value: Maybe[Any], shape: Callable[[Any], Any]) -> Document:
    return plain({key: value}) if isinstance(value, Unknown) else {key: shape(value)}


def _value(value: StateValue) -> Any:
    if isinstance(value, int):
        return value
    if isinstance(value, bytes):
        return text.escaped(value)
    if isinstance(value, list):
        return [_value(item) for item in value]
    return {text.escaped(name): _value(item) for name, item in value.items()}


def _read(
    version: KstateVersion, item: Any
) -> tuple[KstateEntry, bytes | Mapping[str, StateValue]]:
    if not isinstance(item, Mapping):
        raise ValueError("an entry must be an object")
    data, fields = item.get("data"), item.get("fields")
    content: bytes | Mapping[str, StateValue]
    if isinstance(data, str):
        content = from_hex(data, f"entry at {_offset(item)}: data")
    elif isinstance(fields, Mapping):
        content = {name: _unescaped(value) for name, value in fields.items()}
    else:
        raise ValueError(f"entry at {_offset(item)}: neither data nor fields")
    entry = KstateEntry(
        offset=_offset(item),
        section=_int(item, "section_type", 2) if version.has_sections else None,
        state_id=_int(item, "state_id", 0),
        version_id=_int(item, "version_id", 0),
        instance_id=_int(item, "instance_id", 0),
        size=_int(item, "size", len(content) if isinstance(content, bytes) else 0),
        data=version.header,
    )
    if isinstance(content, bytes) and entry.size != len(content):
        said = f"size is {entry.size}, and data has {len(content)} bytes"
        raise ValueError(f"entry at {entry.offset}: {said}")
    return entry, content


def _unescaped(value: Any) -> StateValue:
    if isinstance(value, str):
        return text.unescaped(value)
    if isinstance(value, bool) or not isinstance(value, int | list | Mapping):
        raise ValueError(f"{value!r:.50} is no value of a field")
    if isinstance(value, Mapping):
        return {name: _unescaped(item) for name, item in value.items()}
    return [_unescaped(item) for item in value] if isinstance(value, list) else value


def _offset(item: Mapping[str, Any]) -> int:
    offset = item.get("offset", 0)
    return offset if isinstance(offset, int) and offset >= 0 else 0


def _int(item: Mapping[str, Any], key: str, default: int) -> int:
    value = item.get(key, default)
    if type(value) is not int or not -_INT <= value < _INT:
        raise ValueError(f"{key} is {value!r:.50}, no number of 32 bits")
    return value
