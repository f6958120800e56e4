"""Streams of kstate in files; the first one to ask loads this module."""

from kho_console import text
from kho_console.engine.formats import FormatError
from kho_console.engine.mechanisms.observe import read_file
from kho_console.model.mechanism import KstateSeen
from kho_console.tui.lookout import Failure


def read(path: str) -> KstateSeen | Failure:
    """A stream, or why there is none in words."""
    try:
        return read_file(path)
    except (FormatError, OSError) as error:
        said = error.reason if isinstance(error, FormatError) else error.strerror or str(error)
        return Failure(f"{text.escaped(path)}: {text.escaped(said)}")
