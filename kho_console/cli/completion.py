"""The verb `completion`: what a shell needs to complete this command line."""

from argparse import Namespace

from kho_console.cli import exit_code, output, parser
from kho_console.cli.grammar import verb_of
from kho_console.cli.shells import bash, fish, zsh
from kho_console.engine.opening import LIVE, shipped

_SCRIPTS = {"bash": bash.script, "zsh": zsh.script, "fish": fish.script}


def completion(wanted: Namespace) -> int:
    """Print a script, or the sources that it asks for when it runs."""
    if wanted.what == parser.SOURCES:
        for name in (LIVE, *shipped()):
            output.line(name)
    else:
        output.write(script(wanted.what))
    return exit_code.DONE


def script(shell: str) -> str:
    """The script for one of `parser.SHELLS`."""
    return _SCRIPTS[shell](verb_of(parser.parser()))
