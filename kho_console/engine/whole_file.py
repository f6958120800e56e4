"""Files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def written(place: Path) -> Iterator[IO[bytes]]:
    """A file for nobody else to read, which stands at `place` once it is written and on disk.

    What was there stays until then, and for good where something goes wrong.

    Raises:
        OSError: It cannot be written.
    """
    # A draft that a killed process left behind is in nobody's way: each has a name of its own.
    descriptor, name = tempfile.mkstemp(prefix=".kho-console-", dir=place.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        draft.replace(place)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync(place.parent)


def sync(folder: Path) -> None:
    """Wait until the names in a folder are on disk.

    Raises:
        OSError: They may not be.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
