"""The command line: `kho-console [--source live|PATH] [VERB]`."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable

from kho_console.cli import doctor, exit_code, output, preserved, show, status, tree
from kho_console.cli.parser import parse
from kho_console.cli.screen import screen
from kho_console.engine.opening import DEMO, LIVE, CannotOpenError, Source, open_source

_VERBS: dict[str, Callable[[Source, Namespace], int]] = {
    "status": status.status,
    "scratch": show.scratch,
    "blobs": show.blobs,
    "preserved": preserved.preserved,
    "sessions": show.sessions,
    "crash": show.crash,
    "tree": tree.tree,
    "doctor": doctor.doctor,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    wanted = parse(arguments)
    try:
        code = _run(wanted)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return exit_code.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_code.DONE
    return code


def _run(wanted: Namespace) -> int:
    word = wanted.source or (DEMO if wanted.verb == "demo" else LIVE)
    try:
        source = open_source(word)
    except CannotOpenError as error:
        output.say(str(error))
        return exit_code.NOT_AVAILABLE
    if wanted.verb in _VERBS:
        return _VERBS[wanted.verb](source, wanted)
    return screen(source)
