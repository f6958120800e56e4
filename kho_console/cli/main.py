"""The command line: `kho-console [--source live|PATH] [VERB]`."""

from argparse import Namespace
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from kho_console.cli import exit_code, options, output
from kho_console.cli.parser import ACTING, parse
from kho_console.config.origin import ConfigError
from kho_console.config.settings import Settings
from kho_console.engine.opening import (
    DEMO,
    LIVE,
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
    **dict.fromkeys(ACTING, "act"),
}
"""For each verb the module with the function of its name; only the one that is asked for loads."""

_OWN = ("config", "completion", "man")
"""Verbs about the console itself."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    wanted = parse(arguments)
    wanted.settings = Settings()
    try:
        code = _run(wanted)
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
    try:
        found = options.loaded(wanted)
    except ConfigError as error:
        return options.unusable(error)
    settings = wanted.settings = found.settings
    wanted.origins = found.origins
    if wanted.verb == "crash" and wanted.what == "simulate":
        from kho_console.cli.crash_simulate import crash_simulate

        return crash_simulate(wanted)
    word = wanted.source or (DEMO if wanted.verb == "demo" else LIVE)
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
    if wanted.verb in _VERBS and settings.log is None:
        return _verb(wanted)(source, wanted)
    return _logged(source, wanted)


def _opened(word: str, wanted: Namespace) -> Source:
    """The source, or its twin."""
    if wanted.twin is not None:
        return open_twin(Path(wanted.twin), wanted.source, wanted.fault)
    source = open_source(word)
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
    from kho_console.cli import completion, config, man

    return {"config": config.config, "completion": completion.completion, "man": man.man}[
        wanted.verb
    ](wanted)


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
