"""What an action would do, and what would be different in `status` after it."""

from dataclasses import asdict

from kho_console.cli import exit_code, output
from kho_console.cli.acted import show_action
from kho_console.documents import acting as documents
from kho_console.documents.difference import Difference, differences
from kho_console.documents.machine import status
from kho_console.engine.actions.planning import Planner
from kho_console.engine.actions.prediction import predict
from kho_console.engine.opening import Source
from kho_console.engine.verdict import judge
from kho_console.model.action import Action
from kho_console.model.unknown import Cause, Maybe, Unknown


def predicted(source: Source, planner: Planner, found: Action) -> Maybe[tuple[Difference, ...]]:
    """The differences; unknown where it would not be done, or there is no twin of this kernel."""
    told = predict(source, planner, found)
    if isinstance(told, Unknown):
        return told
    before, after = (status(item, (), asdict(judge(item))) for item in told)
    return differences(before, after)


def planned(source: Source, planner: Planner, found: Action, *, as_json: bool) -> int:
    """Show an action and what it would change, and do nothing; bad news where it may not be."""
    differences = predicted(source, planner, found)
    if as_json:
        looked_at = Unknown(Cause.NOT_YET, "only looked at (--dry-run)")
        output.document(documents.action(found, looked_at, differences))
    else:
        show_action(found, differences)
    return exit_code.BAD_NEWS if found.obstacles else exit_code.DONE
