"""Starts the terminal UI, where there is a terminal and something to see."""

import sys

from kho_console import text
from kho_console.cli import exit_code, output
from kho_console.engine.observe import observe
from kho_console.engine.opening import LIVE, Source
from kho_console.model.unknown import Cause


def screen(source: Source) -> int:
    """Run the TUI on a source. On a machine without KHO say so, and what there is instead."""
    # Textual draws on stderr, so all three must be the terminal.
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        output.say("no terminal here; `kho-console status` prints the same as text or as --json")
        return exit_code.NOT_AVAILABLE
    if source.kind == LIVE:
        missing = observe(source).unavailable
        if missing is not None and missing.cause is Cause.ABSENT:
            output.say(f"no Kexec HandOver on this machine: {text.reason(missing)}")
            output.say("`kho-console doctor` tells why; `kho-console demo` shows a recording")
            return exit_code.NOT_AVAILABLE
    from kho_console.tui.app import run

    return run(source)
