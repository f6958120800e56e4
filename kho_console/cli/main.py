"""The command line: `kho-console [--source live|PATH] [VERB]`."""

import sys
from argparse import Namespace
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from kho_console import text
from kho_console.cli import exit_code, options, output
from kho_console.cli.parser import ACTING, parse
from kho_console.config.origin import ConfigError
from kho_console.config.settings import Settings
from kho_console.engine.opening import (
    DEMO,
    LIVE,
    RECORDING,
    CannotOpenError,
    Source,
    open_source,
    open_twin,
    rehearse,
)

_VERBS = {
    "status": "status",
    "scratch": "show",
    "blobs": "show",
    "preserved": "preserved",
    "sessions": "show",
    "crash": "crash",
    "watch": "watch",
    "tree": "tree",
    "doctor": "doctor",
    "check": "check",
    "journal": "journal",
    "record": "record",
    "capture": "capture",
    "bundle": "bundle",
    "diff": "diff",
    "verify": "verify",
    "runbook": "runbook",
    **dict.fromkeys(ACTING, "act"),
}
"""For each verb the module with the function of its name; only the one that is asked for loads."""

_OWN = ("config", "completion", "man", "decode", "encode", "compare-mechanisms")
"""Verbs that open no source: about the console itself, a file, or what is simulated."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    wanted = parse(arguments)
    wanted.settings = Settings()
    if sys.stdout is None:  # A verb that acts would find out when it has acted.
        output.say("standard output is closed")
        return exit_code.NOT_AVAILABLE
    try:
        code = _run(wanted)
        with output.as_far_as_read():
            output.flush()
    except KeyboardInterrupt:
        return exit_code.INTERRUPTED
    except BrokenPipeError:  # Whoever read our output has gone.
        output.abandon()
        return exit_code.DONE
    except output.OutputError as error:
        output.abandon()
        output.say(str(error))
        return exit_code.NOT_AVAILABLE
    except Exception as error:
        from kho_console.cli.broken import broken

        return broken(error, wanted.settings)
    return code


def _run(wanted: Namespace) -> int:
    if wanted.verb in _OWN:
        return _own(wanted)
    if wanted.verb == "bundle" and wanted.what == "verify":
        from kho_console.cli import bundle

        return bundle.verify(wanted)
    try:
        found = options.loaded(wanted)
    except ConfigError as error:
        return options.unusable(error)
    settings = wanted.settings = found.settings
    wanted.origins = found.origins
    if wanted.verb == "crash" and wanted.what == "simulate":
        from kho_console.cli.crash_simulate import crash_simulate

        return crash_simulate(wanted)
    word = _word(wanted)
    try:
        source = _opened(word, wanted)
    except ValueError as error:
        output.say(f"--fault: {error}")
        return exit_code.USAGE
    except CannotOpenError as error:
        output.say(str(error))
        for at, name in enumerate(error.recordings):
            output.say(f"  {'the nearest is ' if at == 0 else ''}{name}")
        return exit_code.NOT_AVAILABLE
    if source.kind == RECORDING:
        from kho_console.engine.recording_damage import at_a_glance

        if damage := at_a_glance(source):
            output.say(f"{text.escaped(source.name)}: {damage}")
    if wanted.verb in _VERBS and settings.log is None:
        return _verb(wanted)(source, wanted)
    return _logged(source, wanted)


def _word(wanted: Namespace) -> str:
    """The word for the source."""
    if wanted.verb in ("replay", "diff"):
        file: str = wanted.file
        return file
    return wanted.source or (DEMO if wanted.verb == "demo" else LIVE)


def _opened(word: str, wanted: Namespace) -> Source:
    """The source, or its twin."""
    if wanted.twin is not None:
        return open_twin(Path(wanted.twin), wanted.source, wanted.fault)
    source = open_source(word) if wanted.at is None else open_source(word, wanted.at)
    if wanted.rehearse:
        return rehearse(source, wanted.fault)
    return _demonstrated(source) if wanted.verb == "demo" else source


def _demonstrated(source: Source) -> Source:
    """A twin of a recording, where there can be one."""
    try:
        return rehearse(source)
    except CannotOpenError:
        return source


def _verb(wanted: Namespace) -> Callable[[Source, Namespace], int]:
    module = import_module(f"kho_console.cli.{_VERBS[wanted.verb]}")
    verb: Callable[[Source, Namespace], int] = getattr(module, wanted.verb)
    return verb


def _own(wanted: Namespace) -> int:
    name = wanted.verb.replace("-", "_")
    module = import_module(f"kho_console.cli.{name}")
    verb: Callable[[Namespace], int] = getattr(module, name)
    return verb(wanted)


def _logged(source: Source, wanted: Namespace) -> int:
    """Run a verb or open the console while the log is kept."""
    from kho_console.cli import keymap
    from kho_console.cli.logged import logged

    settings: Settings = wanted.settings
    if wanted.verb in _VERBS:
        return logged(source, settings, lambda noted: _verb(wanted)(noted, wanted))
    wrong = keymap.faults(settings.keys, settings.keymap, wanted.origins)
    if wrong:
        return options.unusable(ConfigError(*wrong))
    if settings.plain:
        from kho_console.cli.plain import plain

        return logged(source, settings, lambda noted: plain(noted, settings))
    from kho_console.cli.screen import screen

    return logged(source, settings, lambda noted: screen(noted, wanted))
