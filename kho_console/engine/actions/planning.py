"""What would be done, with everything that can be known before."""

from collections.abc import Callable
from dataclasses import replace

from kho_console.engine.actions.probe import with_before
from kho_console.engine.observe import observe
from kho_console.model.action import Action, Plan
from kho_console.model.change import Change, described
from kho_console.model.check import Check, Result
from kho_console.model.snapshot import Snapshot
from kho_console.source.protocol import Source
from kho_console.source.writable import Guarded

Planner = Callable[[Snapshot], Plan]
"""One of the functions of this package, with all it wants but the snapshot."""


def plan(source: Source, planner: Planner, snapshot: Snapshot | None = None) -> Plan:
    """The action on the machine as it is now, or why there is none.

    Args:
        source: The machine.
        planner: What is wanted.
        snapshot: A look at the machine that is just taken; None to take one.
    """
    found = planner(observe(source) if snapshot is None else snapshot)
    if not isinstance(found, Action):
        return found
    rights = tuple(_right(source, item) for item in found.changes)
    checks = tuple(item for item in rights if item is not None)
    return with_before(source, replace(found, preconditions=(*found.preconditions, *checks)))


def _right(source: Source, change: Change) -> Check | None:
    """Whether this process may, where the machine is guarded."""
    if not isinstance(source, Guarded):
        return None
    refusal = source.refusal(change)
    what = str(described(change).get("path") or described(change)["call"])
    if refusal is None:
        return Check("right", Result.PASS, "this process has the right to", what)
    return Check("right", Result.FAIL, refusal.reason, what, "run as root of this machine")
