"""A note made before a kexec, and what became of it."""

from collections import Counter
from collections.abc import Iterable

from kho_console import text
from kho_console.documents.shape import Document, document
from kho_console.model.unknown import Cause, Unknown
from kho_console.model.verification import Fate, Note, Noted, Traced, Verification

_NONE = Unknown(Cause.ABSENT, "there is none")


def handover_note(file: str, note: Note, warnings: Iterable[str]) -> Document:
    """A note that was written to a file."""
    return document(
        file=text.escaped(file),
        host=text.escaped(note.host),
        release=text.escaped(note.release),
        items=[_item(item) | {"sha256": _digest(item)} for item in note.items],
        warnings=[text.escaped(words) for words in warnings],
    )


def verification(found: Verification) -> Document:
    """What became of each item of a note."""
    note = found.note
    counted = Counter(item.fate for item in found.traced)
    return document(
        note={
            "made": text.escaped(note.made),
            "host": text.escaped(note.host),
            "release": text.escaped(note.release),
            "boot": Unknown(Cause.ABSENT, "not known") if note.boot is None else note.boot,
        },
        kernel={
            "host": text.escaped(found.host),
            "release": text.escaped(found.release),
            "boot": found.boot,
        },
        standing=found.standing,
        remarks=[text.escaped(words) for words in found.remarks],
        counts={fate.value: counted[fate] for fate in Fate},
        items=[_traced(item) for item in found.traced],
    )


def _traced(found: Traced) -> Document:
    return _item(found.item) | {"fate": found.fate, "why": text.escaped(found.why)}


def _item(item: Noted) -> Document:
    numbers = {key: getattr(item, key) for key in ("address", "size", "count")}
    return {
        "kind": item.kind,
        "name": text.escaped(item.name),
        **{key: _NONE if value is None else value for key, value in numbers.items()},
        "declared": item.declared,
    }


def _digest(item: Noted) -> str | Unknown:
    return item.sha256 or Unknown(Cause.ABSENT, text.escaped(item.why) or "it has no content")
