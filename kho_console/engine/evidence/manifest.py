"""The list of a bundle: its first file, with the size and SHA-256 of every other one."""

import json
import os
import re
from collections.abc import Iterator, Mapping

from kho_console.model.value import dataclass

NAME = "MANIFEST.json"
LARGEST = 64 << 20
"""Bytes of a manifest."""

_KIND = "kho-console evidence bundle"
_FORMAT = 1
_DIGEST = re.compile("[0-9a-f]{64}")
_LONGEST_PART = 255
_MOST_PARTS = 64


class BundleError(ValueError):
    """A file that is no whole bundle, in words."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle holds.

    Attributes:
        captured: When the machine was seen, as ISO 8601; no time of the packing, so that the same
            evidence is the same file.
        host: The host's name, scrambled where it was asked for.
        release: Its kernel.
        redacted: Whether names, command lines and memory that nothing decodes were taken out.
        opens: The folder or the recording in it that can be opened.
        files: Size and SHA-256 of each file by its path.
    """

    captured: str
    host: str
    release: str
    redacted: bool
    opens: str
    files: Mapping[str, tuple[int, str]]


def write(found: Manifest) -> bytes:
    """The manifest as it stands in the bundle."""
    files = {path: {"size": size, "sha256": sha} for path, (size, sha) in found.files.items()}
    body = {
        "kind": _KIND,
        "format": _FORMAT,
        "captured": found.captured,
        "host": found.host,
        "release": found.release,
        "redacted": found.redacted,
        "opens": found.opens,
        "files": dict(sorted(files.items())),
    }
    return json.dumps(body, indent=1).encode() + b"\n"


def read(data: bytes) -> Manifest:
    """The manifest of a bundle.

    Raises:
        BundleError: It is none, or names a path that leads out of the bundle.
    """
    try:
        body = json.loads(data)
        if body["kind"] != _KIND or body["format"] != _FORMAT:
            raise BundleError(f"it is no evidence bundle of format {_FORMAT}")
        files = {path: (item["size"], item["sha256"]) for path, item in body["files"].items()}
        texts = [body[key] for key in ("captured", "host", "release", "opens")]
        redacted = body["redacted"]
    except BundleError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(f"its manifest cannot be read: {error}") from error
    if not all(isinstance(item, str) for item in texts) or type(redacted) is not bool:
        raise BundleError("its manifest has a value of another type")
    for path, (size, sha256) in files.items():
        _check(path, size, sha256)
    for path in files:
        if any(folder in files for folder in folders(path)):
            raise BundleError(f"its manifest names {path!r:.80}, which lies below another file")
    captured, host, release, opens = texts
    if not inside(opens):
        raise BundleError("what it opens is no path in the bundle")
    return Manifest(captured, host, release, redacted, opens, files)


def inside(path: str) -> bool:
    """Whether a path can be made, and stays in the folder that it is taken from."""
    try:
        parts = os.fsencode(path).split(b"/")
    except UnicodeEncodeError:
        return False
    return len(parts) <= _MOST_PARTS and all(
        part not in (b"", b".", b"..") and b"\0" not in part and len(part) <= _LONGEST_PART
        for part in parts
    )


def folders(path: str) -> Iterator[str]:
    """Those that a path lies in, the nearest first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _check(path: str, size: object, sha256: object) -> None:
    if not inside(path) or path == NAME:
        raise BundleError(f"its manifest names {path!r:.80}, which is no path in a bundle")
    if type(size) is not int or size < 0:
        raise BundleError(f"its manifest is damaged: {path!r:.80} has no size")
    if not isinstance(sha256, str) or not _DIGEST.fullmatch(sha256):
        raise BundleError(f"its manifest is damaged: {path!r:.80} has no SHA-256")
