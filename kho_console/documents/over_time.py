"""What was recorded or captured, as documents."""

from collections.abc import Iterable, Mapping
from typing import Any

from kho_console import text
from kho_console.documents.shape import Document, document


def recorded(file: str, moments: int, size: int) -> Document:
    """A recording: its file, how many moments and bytes it has."""
    return document(file=file, moments=moments, size=size)


def bundled(file: str, manifest: Mapping[str, Any], faults: Iterable[str]) -> Document:
    """A bundle of evidence: its manifest, and what is wrong with it."""
    files = manifest["files"].items()
    return document(
        file=text.escaped(file),
        captured=text.escaped(manifest["captured"]),
        host=text.escaped(manifest["host"]),
        release=text.escaped(manifest["release"]),
        redacted=manifest["redacted"],
        opens=text.escaped(manifest["opens"]),
        files=[
            {"path": text.escaped(path), "size": size, "sha256": sha256}
            for path, (size, sha256) in files
        ],
        faults=[text.escaped(words) for words in faults],
    )


def captured(folder: str, files: int, pages: int, *, scrambled: bool) -> Document:
    """A capture: its folder, how many files and pages of memory it has."""
    return document(folder=folder, files=files, pages=pages, scrambled=scrambled)
