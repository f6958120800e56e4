"""Keeps the log while something runs."""

import logging
import sys
import time
from collections.abc import Callable

from kho_console import __version__
from kho_console.cli import exit_code, output
from kho_console.config import log
from kho_console.config.settings import Settings
from kho_console.engine.noted import NotedSource
from kho_console.engine.opening import Source

_log = logging.getLogger(__name__)


def logged(source: Source, settings: Settings, run: Callable[[Source], int]) -> int:
    """Run it on a source that notes what it could not read; the exit code."""
    try:
        log.start(settings)
    except OSError as error:
        output.say(f"log {settings.log}: {error.strerror or error}")
        return exit_code.NOT_AVAILABLE
    words = " ".join(sys.argv[1:])
    _log.info("kho-console %s %s on %s %s", __version__, words, source.kind, source.name)
    began = time.monotonic()
    code = run(NotedSource(source))
    _log.info("ended with %d after %.3f s", code, time.monotonic() - began)
    return code
