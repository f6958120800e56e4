"""The options that set what a file of settings sets too."""

import argparse
import os

from kho_console.cli import exit_code, output
from kho_console.config.load import NO_CONFIG, Loaded, load, look, option
from kho_console.config.origin import ConfigError, Fault, Layer
from kho_console.config.table import SETTINGS, Form, Setting

_METAVARS = {Form.SECONDS: "SECONDS", Form.FILE: "FILE"}


def add(parser: argparse.ArgumentParser, *, shown: bool) -> None:
    """Let a parser take the options of all settings; in its help where `shown`."""
    group = parser.add_argument_group("settings") if shown else parser
    for setting in SETTINGS:
        _add(group, setting, setting.about if shown else argparse.SUPPRESS)
    group.add_argument(
        "--no-config",
        action="store_true",
        default=argparse.SUPPRESS,
        help="leave the files of settings alone" if shown else argparse.SUPPRESS,
    )


def behind_a_verb() -> list[argparse.ArgumentParser]:
    """The same options for `parents` of verbs: made once, as that takes its time."""
    parser = argparse.ArgumentParser(add_help=False)
    add(parser, shown=False)
    return [parser]


def loaded(wanted: argparse.Namespace) -> Loaded:
    """The settings, with what the command line says of them.

    Raises:
        ConfigError: Something in them is wrong.
    """
    return load(_given(wanted), os.environ, _files(wanted))


def looked(wanted: argparse.Namespace) -> tuple[Loaded, tuple[Fault, ...]]:
    """The same without what is wrong in them, and all that is wrong."""
    return look(_given(wanted), os.environ, _files(wanted))


def unusable(error: ConfigError) -> int:
    """Say what is wrong with the settings; the exit code."""
    for fault in error.faults:
        output.say(str(fault))
    if any(fault.origin.layer is Layer.FILE for fault in error.faults):
        output.say("--no-config goes on without the files of settings")
    return exit_code.USAGE


def _given(wanted: argparse.Namespace) -> dict[str, str | bool]:
    found = vars(wanted)
    return {item.name: found[item.name] for item in SETTINGS if item.name in found}


def _files(wanted: argparse.Namespace) -> tuple[()] | None:
    """None where those in use are to be read."""
    return () if "no_config" in wanted or os.environ.get(NO_CONFIG) else None


def _add(parser: argparse._ActionsContainer, setting: Setting, about: str) -> None:
    name, nothing = option(setting, True), argparse.SUPPRESS
    if setting.form is Form.SWITCH:
        action = argparse.BooleanOptionalAction
        parser.add_argument(name, action=action, default=nothing, help=about)
    else:
        parser.add_argument(
            name,
            choices=setting.choices or None,
            metavar=_METAVARS.get(setting.form),
            default=nothing,
            help=about,
        )
