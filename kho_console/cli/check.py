"""The verb `check`: may this machine hand over to an image, and what would be lost."""

import sys
from argparse import Namespace

from kho_console import text, text_acting
from kho_console.cli import checks, exit_code, image_options, output
from kho_console.documents import acting as documents
from kho_console.engine import preflight
from kho_console.engine.observe import observe
from kho_console.engine.opening import Source
from kho_console.engine.preflight import Preflight, Watch
from kho_console.model.check import Result
from kho_console.model.unknown import Unknown

_MEBIBYTE = 1 << 20
_SLOW = 64 * _MEBIBYTE
"""Files below this are read before anybody wonders."""


def check(source: Source, wanted: Namespace) -> int:
    """Print what was found; bad news if one check failed."""
    # Most of the time goes by for the files, which nothing of the machine is needed for.
    reading = preflight.begin(wanted.kernel, wanted.initrd, _watch())
    snapshot = observe(source)
    request = image_options.image(wanted, snapshot, crash=wanted.crash)
    if isinstance(request, Unknown):
        output.say(f"the running command line: {text.why(request)}; give --command-line TEXT")
        return exit_code.NOT_AVAILABLE
    try:
        if reading is None:
            found = preflight.check(snapshot, request)
        else:
            found = preflight.answers(snapshot, request, *reading.result())
    except OSError as error:
        output.say(text.escaped(error.strerror or str(error)))
        return exit_code.NOT_AVAILABLE
    if wanted.json:
        output.document(documents.preflight(found))
    else:
        _show(found)
    return exit_code.BAD_NEWS if found.verdict is Result.FAIL else exit_code.DONE


def _show(found: Preflight) -> None:
    image = found.image
    output.line(f"PREFLIGHT  {text_acting.preflight(found)}")
    output.line(f"image      {text_acting.kernel_image(image)}")
    output.line()
    for line in checks.lines(found.checks):
        output.line(line)


def _watch() -> Watch:
    """Progress on a terminal, for large files."""
    return Watch(_tell) if sys.stderr.isatty() else Watch()


def _tell(path: str, done: int, size: int) -> None:
    if size < _SLOW:
        return
    shown = f"reading {text.cut(text.escaped(path), 60)}  {text.size(done)} of {text.size(size)}"
    sys.stderr.write(f"\r{shown:<100}\r" if done < size else f"\r{'':<100}\r")
    sys.stderr.flush()
