"""The verb `capture`: one moment of a machine as a fixture folder."""

from argparse import Namespace
from pathlib import Path

from kho_console import text
from kho_console.cli import exit_code, output
from kho_console.documents import over_time as documents
from kho_console.engine.opening import Source


def capture(source: Source, wanted: Namespace) -> int:
    """Write the folder, and say what is in it."""
    from kho_console.engine.capture import capture as write

    place = Path(wanted.folder)
    try:
        found = write(source, place, scrambled=wanted.scramble)
    except OSError as error:
        output.say(f"{error.filename or place}: {error.strerror or error}")
        return exit_code.NOT_AVAILABLE
    if wanted.json:
        scrambled = wanted.scramble
        output.document(
            documents.captured(str(place), found.files, found.pages, scrambled=scrambled)
        )
    else:
        files, pages = text.count(found.files, "file"), text.count(found.pages, "page")
        output.line(f"{place}: {files}, {pages} of memory")
    return exit_code.DONE
