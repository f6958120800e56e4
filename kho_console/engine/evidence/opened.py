"""A bundle as a source: taken apart into a folder that goes when nobody needs it."""

import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path

from kho_console.engine.evidence import bundle
from kho_console.engine.evidence.manifest import BundleError
from kho_console.source.fixture import FixtureError, FixtureSource
from kho_console.source.protocol import Source
from kho_console.source.recording import Recording, RecordingError


def opened(place: Path, moment: Callable[[Recording], Source]) -> Source:
    """What is in a bundle.

    Args:
        place: The file.
        moment: Chooses the moment, where it holds a recording.

    Raises:
        BundleError: It is no whole bundle, or what it holds cannot be opened.
        OSError: There is no room for it.
    """
    folder = Path(tempfile.mkdtemp(prefix="kho-console-"))
    inside = folder / place.name  # Its name is what a source is called by.
    try:
        inside.mkdir(mode=0o700)
        told = bundle.unpack(place, inside)
        found = _source(inside / told.opens, moment)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(found, shutil.rmtree, folder, ignore_errors=True)
    return found


def _source(place: Path, moment: Callable[[Recording], Source]) -> Source:
    try:
        return moment(Recording(place)) if place.is_file() else FixtureSource(place)
    except (FixtureError, RecordingError) as error:
        raise BundleError(f"what it holds cannot be opened: {error}") from error
