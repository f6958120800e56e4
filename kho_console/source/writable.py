"""A source that can be changed: a live machine, or a twin."""

from typing import Protocol, runtime_checkable

from kho_console.model.change import Change
from kho_console.model.unknown import Unknown
from kho_console.source.protocol import Source


class WritableSource(Source, Protocol):
    """A machine that answers changes as its kernel does.

    Only `kho_console.engine.actions` calls `change`.
    """

    @property
    def kernel_start(self) -> str:
        """Which boot this is: `boot_id` of the running kernel; another after a kexec."""
        ...

    def change(self, change: Change) -> None:
        """Do it, and return when the kernel has answered.

        A started image leaves a live machine without an answer; a twin goes on as the new kernel.

        Raises:
            SourceError: The kernel refused; `errno` is its answer.
            NotAskedError: The kernel was not asked, and nothing is changed.
        """
        ...


@runtime_checkable
class Guarded(Protocol):
    """A source that can tell, without doing anything, whether this process has the right to."""

    def refusal(self, change: Change) -> Unknown | None:
        """Why this process may not do it; None where it may."""
        ...
