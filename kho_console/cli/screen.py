"""Starts the terminal UI, where there is a terminal and something to see."""

import os
import sys

from kho_console import text
from kho_console.cli import exit_code, output, terminal
from kho_console.cli.broken import broken
from kho_console.config.settings import Settings
from kho_console.engine.opening import LIVE, Source
from kho_console.model.unknown import Cause


def screen(source: Source, settings: Settings) -> int:
    """Run the TUI on a source. On a machine without KHO say so, and what there is instead."""
    # Textual draws on stderr, so all three must be the terminal.
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        output.say("no terminal here; `kho-console status` prints the same as text or as --json")
        return exit_code.NOT_AVAILABLE
    # The rest is imported where it is needed: the first frame waits for nothing else.
    if source.kind == LIVE:
        from kho_console.engine.observe import unavailable

        missing = unavailable(source)
        if missing is not None and missing.cause is Cause.ABSENT:
            output.say(f"no Kexec HandOver on this machine: {text.reason(missing)}")
            output.say("`kho-console doctor` tells why; `kho-console demo` shows a recording")
            return exit_code.NOT_AVAILABLE
    if terminal.lines_only(os.environ):
        from kho_console.cli.plain import plain

        return plain(source, settings)
    from kho_console.tui.app import run

    try:
        return run(source, terminal.suited(settings, os.environ))
    except Exception as error:
        return broken(error, settings)
