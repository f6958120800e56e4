"""The steps that a machine's own life cycle has, without those that want a file or a name."""

from collections.abc import Mapping
from functools import partial

from kho_console.engine.actions import execute, load, step
from kho_console.engine.actions.planning import Planner
from kho_console.model.change import Execution
from kho_console.model.generation import Finalize
from kho_console.model.snapshot import Snapshot

_PLANNERS: Mapping[str, Planner] = {
    "finalize": step.finalize,
    "abort": step.abort,
    "activate": step.activate,
    "deactivate": step.deactivate,
    "unload": load.unload,
    "unload-crash": partial(load.unload, crash=True),
    "execute": execute.execute,
    "execute-at-once": partial(execute.execute, how=Execution.SYSTEM_CALL),
}
_OF_2024 = {"finalize": "activate", "abort": "deactivate"}
"""The same steps where the file is called `active`."""


def own_name(snapshot: Snapshot, name: str) -> str:
    """What a step is called on this machine."""
    if snapshot.generation.finalize is Finalize.ACTIVE_FILE:
        return _OF_2024.get(name, name)
    return name


def of(snapshot: Snapshot) -> tuple[str, ...]:
    """The steps to show of a machine, also those that its kernel does not have."""
    names = ("finalize", "abort", "unload", "execute", "unload-crash")
    return tuple(own_name(snapshot, name) for name in names)


def planner(name: str) -> Planner:
    """The planner of a step.

    Raises:
        KeyError: There is no such step.
    """
    return _PLANNERS[name]
