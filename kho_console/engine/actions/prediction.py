"""What an action would come to: it is done on a twin first."""

from kho_console.engine.actions.perform import Writer, perform
from kho_console.engine.actions.planning import Planner
from kho_console.engine.observe import observe
from kho_console.engine.opening import CannotOpenError, Source, rehearse, writable
from kho_console.model.action import Action
from kho_console.model.outcome import Ending
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Maybe, Unknown

_MOVED = (Ending.DONE, Ending.UNPROVEN, Ending.PENDING)


def predict(source: Source, planner: Planner, found: Action) -> Maybe[tuple[Snapshot, Snapshot]]:
    """The machine before and after; unknown where it would not be done, or cannot be simulated."""
    if found.obstacles:
        return Unknown(Cause.UNSUPPORTED, "nothing: it would not be done")
    try:
        machine = writable(rehearse(writable(source) or source))
    except (CannotOpenError, OSError) as error:
        return Unknown(Cause.UNSUPPORTED, str(error))
    assert machine is not None
    before = observe(machine)
    outcome = perform(machine, planner, found, Writer())
    if outcome.ending not in _MOVED:
        return Unknown(Cause.UNSUPPORTED, f"on a twin: {outcome.text}")
    return before, observe(machine)
