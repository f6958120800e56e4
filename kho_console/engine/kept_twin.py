"""A twin that is kept in a file, so that one command goes on where the last one ended."""

import errno
import os
from pathlib import Path

from kho_console.engine import rehearsal
from kho_console.model.change import Change
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.protocol import Source, SourceError
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
        """See `WritableSource.change`; refused where somebody else has changed the file."""
        if _content(self._place) != self._written:
            why = f"{self._place} was changed by somebody else since it was read"
            raise SourceError(str(self._place), Unknown(Cause.UNREADABLE, why), errno.EBUSY)
        try:
            super().change(change)
        finally:
            try:
                self.save()
            except OSError as error:
                place = str(self._place)
                raise SourceError.from_errno(place, error.errno or errno.EIO) from error

    def save(self) -> None:
        """Write the file; the old one stays whole until the new one is.

        Raises:
            OSError: It cannot be written.
        """
        data = keep.write(self.twin, self._began)
        draft = self._place.with_name(f".{self._place.name}.{os.getpid()}")
        try:
            with draft.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._place)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        self._written = data


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
        OSError: The file cannot be written.
    """
    twin = _armed(twin_of(source, tell=rehearsal.tell), place, began, faults)
    twin.save()
    return twin


def _armed(twin: Twin, place: Path, began: str, faults: tuple[Fault, ...]) -> KeptTwin:
    for item in faults:
        twin.arm(item)
    return KeptTwin(twin, place, began)


def _content(place: Path) -> bytes | None:
    path = str(place)
    try:
        return read_regular(path, path, _LARGEST)
    except SourceError as error:
        if error.unknown.cause is Cause.ABSENT:
            return None
        raise
