"""Damaged bundles: archives, manifests, and the notes of a handover."""

import io
import os
import tarfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from kho_console.abi.tar import Archive
from kho_console.engine.evidence import manifest
from kho_console.engine.evidence.manifest import BundleError, Manifest
from kho_console.engine.verify import note_file
from kho_console.engine.verify.note_file import NoteError
from kho_console.model.verification import Kind, Note, Noted
from tests.fuzz.target import Changes, Target, refused

_LIMIT = 1 << 20


def _archive(names: Iterable[str]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 700
            archive.addfile(info, io.BytesIO(b"x" * 700))
    return made.getvalue()


_ITEMS = (Noted(Kind.BLOB, b"LUO", 4096, 32), Noted(Kind.SESSION, b"\xff", tokens=(1,)))
_PIECES = {
    "archive": _archive(("a", "b/c", "d" * 150)),
    "manifest": manifest.write(
        Manifest("2026-11-21", "host", "7.3.4", False, "a", {"a": (7, "0" * 64)})
    ),
    "note": note_file.encoded(Note("now", "host", "7.3.4", None, "kho-v4", 0, 1, _ITEMS)),
}


def _run(changes: Changes) -> None:
    found = {name: changes.get(name, good) for name, good in _PIECES.items()}
    if (archive := found["archive"]) is not None:
        with refused():
            for _, pieces in Archive(io.BytesIO(archive), _LIMIT).members():
                assert sum(map(len, pieces)) <= _LIMIT
    if (listed := found["manifest"]) is not None:
        with suppress(BundleError):
            assert all(map(manifest.inside, manifest.read(listed).files))
    if (note := found["note"]) is not None:
        _read_note(note)


def _read_note(data: bytes) -> None:
    descriptor = os.memfd_create("note")
    try:
        os.write(descriptor, data)
        with suppress(NoteError):
            note_file.read(Path(f"/proc/self/fd/{descriptor}"))
    finally:
        os.close(descriptor)


TARGET = Target("bundles and notes", _PIECES, _run, 0.05)
