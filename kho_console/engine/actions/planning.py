"""What would be done, with everything that can be known before."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kho_console.engine.actions import loaded_image
from kho_console.engine.actions.probe import with_before
from kho_console.engine.observe import observe
from kho_console.model.action import Action, Plan
from kho_console.model.change import Change, Execute, described
from kho_console.model.check import Check, Result
from kho_console.model.snapshot import Snapshot
from kho_console.source.protocol import Source
from kho_console.source.writable import Guarded

Planner = Callable[[Snapshot], Plan]
"""One of the functions of this package, with all it wants but the snapshot."""


def plan(
    source: Source,
    planner: Planner,
    snapshot: Snapshot | None = None,
    journal: Path | None = None,
) -> Plan:
    """The action on the machine as it is now, or why there is none.

    Args:
        source: The machine.
        planner: What is wanted.
        snapshot: A look at the machine that is just taken; None to take one.
        journal: Where what was done before is written down; None where it is not.
    """
    snapshot = observe(source) if snapshot is None else snapshot
    found = planner(snapshot)
    if not isinstance(found, Action):
        return found
    rights = tuple(_right(source, item) for item in found.changes)
    checks = [item for item in rights if item is not None]
    starts = any(isinstance(item, Execute) for item in found.changes)
    if starts and journal is not None and snapshot.kexec.loaded is True:
        checks.append(loaded_image.check(journal, snapshot.machine.boot_id))
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
