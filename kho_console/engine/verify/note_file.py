"""A note as one JSON file: checksummed, written whole or not at all, for its owner to read."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from kho_console.engine import whole_file
from kho_console.model.verification import Kind, Note, Noted
from kho_console.source.protocol import SourceError
from kho_console.source.regular import read_regular

_SCHEMA = 1
_WORD = "kho-console handover note"
_LARGEST = 256 << 20


class NoteError(ValueError):
    """A file that holds no whole note, in words."""


def write(note: Note, place: Path) -> None:
    """Write a note; a note that is there stays whole until the new one is.

    Raises:
        NoteError: Something else is there.
        OSError: It cannot be written.
    """
    if place.exists() or place.is_symlink():
        read(place)
    data = encoded(note)
    with whole_file.written(place) as file:
        file.write(data)


def encoded(note: Note) -> bytes:
    """A note as it stands in its file."""
    body = _body(note)
    return json.dumps({**body, "sha256": _digest(body)}, indent=1).encode() + b"\n"


def read(place: Path) -> Note:
    """The note of a file.

    Raises:
        NoteError: It cannot be read, holds no note, or is damaged.
    """
    try:
        found = json.loads(read_regular(str(place), str(place), _LARGEST))
    except SourceError as error:
        raise NoteError(error.unknown.reason) from error
    except (ValueError, RecursionError) as error:
        raise NoteError(f"{place} is no note: {error}") from error
    if not isinstance(found, dict) or found.get("kind") != _WORD:
        raise NoteError(f"{place} is no note of record --handover")
    if found.get("schema") != _SCHEMA:
        raise NoteError(f"{place} is of another schema than {_SCHEMA}: {found.get('schema')!r:.20}")
    told = found.pop("sha256", None)
    if told != _digest(found):
        raise NoteError(f"{place} is damaged: its checksum is not that of its content")
    try:
        return _note(found)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise NoteError(f"{place} is no note of this schema: {error}") from error


def _body(note: Note) -> dict[str, Any]:
    plain = {field.name: getattr(note, field.name) for field in fields(note)}
    return {"kind": _WORD, "schema": _SCHEMA, **plain, "items": [_item(at) for at in note.items]}


def _item(item: Noted) -> dict[str, Any]:
    """Bytes of a name are letters of Latin-1, which loses none."""
    plain = {field.name: getattr(item, field.name) for field in fields(item)}
    return {**plain, "name": item.name.decode("latin-1"), "tokens": list(item.tokens)}


def _digest(body: Mapping[str, Any]) -> str:
    plain = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def _note(found: Mapping[str, Any]) -> Note:
    known = {field.name: found[field.name] for field in fields(Note)}
    texts, numbers = ("made", "host", "release", "protocol"), ("kexec_count", "liveupdate_number")
    if not all(isinstance(known[key], str) for key in texts):
        raise TypeError("a text is none")
    if not all(known[key] is None or type(known[key]) is int for key in numbers):
        raise TypeError("a number is none")
    if not isinstance(known["boot"], str | None) or not isinstance(known["items"], list):
        raise TypeError("the boot id or the items are none")
    return Note(**(known | {"items": tuple(map(_noted, known["items"]))}))


def _noted(found: Mapping[str, Any]) -> Noted:
    address, size, count = found["address"], found["size"], found["count"]
    if not all(
        item is None or (type(item) is int and 0 <= item < 1 << 64)
        for item in (address, size, count)
    ):
        raise ValueError("an address or a size is none")
    tokens = tuple(found["tokens"])
    if not all(type(item) is int for item in tokens) or not isinstance(found["why"], str):
        raise TypeError("a token is no number")
    if not isinstance(found["sha256"], str | None) or not isinstance(found["declared"], bool):
        raise TypeError("a checksum is none")
    name = found["name"].encode("latin-1")
    rest = (found["sha256"], found["declared"], found["why"])
    return Noted(Kind(found["kind"]), name, address, size, count, tokens, *rest)
