"""What is said when the console itself breaks: one line, never a traceback over the screen."""

import logging
import traceback

from kho_console.cli import exit_code, output
from kho_console.config.settings import Settings

_LONGEST = 200


def broken(error: BaseException, settings: Settings) -> int:
    """Say what broke and where the details are; the exit code."""
    words = f"{type(error).__name__}: {error}".splitlines()[0][:_LONGEST]
    details = "--log FILE keeps the details, --debug prints them"
    if settings.log is not None:
        logging.getLogger(__name__).error("the console broke", exc_info=error)
        details = f"details are in {settings.log}"
    if settings.debug:
        for line in "".join(traceback.format_exception(error)).splitlines():
            output.say(line)
    output.say(f"an error of the console itself: {words}; {details}")
    return exit_code.BROKEN
