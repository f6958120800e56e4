"""Asks a machine for more than a look at it does."""

import errno
from collections import deque
from collections.abc import Iterator

from kho_console.engine import residue
from kho_console.engine.noted import behind
from kho_console.engine.tracing import TracingSource
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.protocol import Source, SourceError, SourceKind
from kho_console.source.recording import RecordedSource, answers
from kho_console.source.recording.timeline import Known

MOST_PATHS = 1 << 17
"""A host with 50,000 memory blocks has two paths for each."""

MOST_BYTES = 256 << 20
"""Of all values together; one content of a small file may be the value of many keys."""

_LARGEST_FILE = 16 << 20
_TOO_MUCH = Unknown(Cause.UNREADABLE, f"everything has more than {MOST_BYTES} bytes")


def read_residue(source: Source, snapshot: Snapshot) -> None:
    """Read what is left of the incoming map, which screens show on demand."""
    found = residue.read(source, snapshot)
    if not isinstance(found, Unknown):
        residue.ownership(source, snapshot, found)


def everything(traced: TracingSource) -> None:
    """Have all noted that a machine in a file answers; of a running one nothing more."""
    source = traced.source
    inner = behind(source)
    if isinstance(inner, RecordedSource):
        traced.take_over(dict(_values(inner.known)))
    elif traced.kind is SourceKind.FIXTURE:
        walk(traced)


def _values(known: Known) -> Iterator[tuple[bytes, bytes]]:
    """The value of each key as far as there is room; behind that, why there is none."""
    left = MOST_BYTES
    for key in known.keys():  # noqa: SIM118
        value = known.get(key) if left > 0 else answers.unknown(_TOO_MUCH, errno.EFBIG)
        if value is not None:
            left -= len(value)
            yield key, value


def walk(source: Source) -> None:
    """Read all files and links below all directories; links are not followed."""
    pending, left = deque(("/",)), MOST_BYTES
    for _ in range(MOST_PATHS):
        if not pending:
            return
        path = pending.popleft()
        names, size = look_at(source, path, min(left, _LARGEST_FILE))
        left -= size
        for name in names:
            pending.append(f"{path.rstrip('/')}/{name}")


def look_at(source: Source, path: str, limit: int = _LARGEST_FILE) -> tuple[tuple[str, ...], int]:
    """Ask for the link, the directory or the file at a path.

    Returns:
        The names in a directory, and how many bytes a file has.
    """
    try:
        source.link(path)
    except SourceError:
        pass
    else:
        return (), 0
    try:
        return source.list(path), 0
    except SourceError:
        pass
    try:
        return (), len(source.read(path, limit))
    except SourceError:
        return (), 0
