"""Scenarios of crash hotplug by name: those that are shipped, and files."""

from pathlib import Path

from kho_console import resources
from kho_console.engine.crash.scenario import Scenario
from kho_console.engine.crash.scenario_file import LARGEST, parse
from kho_console.source.protocol import SourceError
from kho_console.source.regular import read_regular

_SUFFIX = ".toml"


class CannotReadError(Exception):
    """A file that cannot be read, and why."""


def shipped() -> tuple[str, ...]:
    """Names of the shipped scenarios."""
    folder = resources.scenarios_folder()
    return tuple(sorted(item.stem for item in folder.iterdir() if item.suffix == _SUFFIX))


def scenario(word: str) -> Scenario:
    """The scenario of a name, or of a file.

    Raises:
        ScenarioError: It is none.
        CannotReadError: The file cannot be read.
    """
    return parse(content(word), Path(word).stem)


def content(word: str) -> bytes:
    """The file of a scenario, as it is.

    Raises:
        CannotReadError: The file cannot be read.
    """
    ours = resources.scenarios_folder() / f"{word}{_SUFFIX}"
    path = ours if word in shipped() else Path(word)
    try:
        return read_regular(str(path), word, LARGEST)
    except SourceError as error:
        raise CannotReadError(error.unknown.reason) from error
