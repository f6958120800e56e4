"""A twin that is kept in a file, so that one command goes on where the last one ended."""

import os
import secrets
from pathlib import Path

from kho_console.engine import rehearsal
from kho_console.model.change import Change
from kho_console.model.unknown import Cause
from kho_console.source.protocol import NotAskedError, Source, SourceError
from kho_console.source.regular import read_regular
from kho_console.twin import Fault, Twin, TwinSource, keep, twin_of

_LARGEST = 16 << 20
"""Bytes of a file with a twin."""


class KeptTwin(TwinSource):
    """A twin whose file is written anew after each change."""

    def __init__(self, twin: Twin, place: Path, began: str) -> None:
        """Keep `twin`.

        Args:
            twin: The twin.
            place: Its file.
            began: The word for the source that it began with.
        """
        super().__init__(twin)
        self._place = place
        self._began = began
        self._written = _content(place)

    def change(self, change: Change) -> None:
        """See `WritableSource.change`.

        Raises:
            NotAskedError: Somebody else has changed the file, or it cannot be written. The twin is
                what its file says, so nothing has happened to it then.
        """
        try:
            found = _content(self._place)
        except SourceError as error:
            raise NotAskedError(error.unknown.reason) from error
        if found is None or found != self._written:
            did = "removed" if found is None else "changed"
            raise NotAskedError(f"{self._place} was {did} by somebody else since it was read")
        before = len(self.twin.history)
        try:
            super().change(change)
        finally:
            try:
                self.save()
            except OSError as error:
                self._go_back(before)
                why = f"{self._place} cannot be written: {error.strerror or error}"
                raise NotAskedError(f"{why}; the twin is as it was") from error

    def save(self, *, first: bool = False) -> None:
        """Write the file; the old one stays whole until the new one is.

        Args:
            first: Whether there must be no file yet.

        Raises:
            FileExistsError: There is one.
            OSError: It cannot be written.
        """
        data = keep.write(self.twin, self._began)
        draft = self._place.with_name(f".{self._place.name}.{secrets.token_hex(8)}")
        try:
            with draft.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if first:
                _put_first(draft, self._place)
            else:
                draft.replace(self._place)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        self._written = data

    def _go_back(self, deeds: int) -> None:
        """Be the twin again to which no more than so many of its deeds were done."""
        twin = self.twin
        mark = keep.fingerprint(twin.base)
        then = keep.Kept(self._began, mark, tuple(twin.history[:deeds]))
        self.twin = keep.restore(then, twin.base, rehearsal.tell)


def kept(place: Path) -> keep.Kept | None:
    """What the file holds; None where there is none yet.

    Raises:
        OSError: It cannot be read.
        KeptError: It holds no twin.
    """
    data = _content(place)
    return None if data is None else keep.read(data)


def restored(found: keep.Kept, source: Source, place: Path, faults: tuple[Fault, ...]) -> KeptTwin:
    """The twin of a file.

    Raises:
        KeptError: The source is another one than it began with.
        CannotSimulate: How its kernel behaves is not known.
    """
    return _armed(keep.restore(found, source, rehearsal.tell), place, found.source, faults)


def begun(source: Source, began: str, place: Path, faults: tuple[Fault, ...]) -> KeptTwin:
    """A new twin, and its file.

    Raises:
        CannotSimulate: How its kernel behaves is not known.
        FileExistsError: Somebody else has begun one there.
        OSError: The file cannot be written.
    """
    twin = _armed(twin_of(source, tell=rehearsal.tell), place, began, faults)
    twin.save(first=True)
    return twin


def _armed(twin: Twin, place: Path, began: str, faults: tuple[Fault, ...]) -> KeptTwin:
    for item in faults:
        twin.arm(item)
    return KeptTwin(twin, place, began)


def _put_first(draft: Path, place: Path) -> None:
    """Give the draft its place, unless somebody else was first."""
    try:
        place.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links: for a moment the file is empty there.
        place.touch(exist_ok=False)
        draft.replace(place)
    else:
        draft.unlink()


def _content(place: Path) -> bytes | None:
    path = str(place)
    try:
        return read_regular(path, path, _LARGEST)
    except SourceError as error:
        if error.unknown.cause is Cause.ABSENT:
            return None
        raise
