"""What would be different in `status` after an action."""

from dataclasses import asdict

from kho_console.documents.difference import Difference, differences
from kho_console.documents.machine import status
from kho_console.engine.actions.planning import Planner
from kho_console.engine.actions.prediction import predict
from kho_console.engine.opening import Source
from kho_console.engine.verdict import judge
from kho_console.model.action import Action
from kho_console.model.unknown import Maybe, Unknown


def predicted(source: Source, planner: Planner, found: Action) -> Maybe[tuple[Difference, ...]]:
    """The differences; unknown where it would not be done, or there is no twin of this kernel."""
    told = predict(source, planner, found)
    if isinstance(told, Unknown):
        return told
    before, after = (status(item, (), asdict(judge(item))) for item in told)
    return differences(before, after)
