"""The machine that a run is on."""

from typing import Protocol

from kho_console.engine.runbook.error import RunError
from kho_console.source.protocol import Source, SourceError


class Machine(Source, Protocol):
    """A source that is one boot of one machine, and may become another."""

    @property
    def kernel_start(self) -> str:
        """Which boot this is."""
        ...


def boot_of(source: Machine) -> str:
    """Which boot it is.

    Raises:
        RunError: It cannot be read.
    """
    try:
        return source.kernel_start
    except SourceError as error:
        raise RunError(f"which boot this is cannot be read: {error.unknown.reason}") from error
