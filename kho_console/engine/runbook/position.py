"""Where a run stands, from what was written of it alone."""

from kho_console.engine.runbook.evidence import ARRIVAL
from kho_console.engine.runbook.state import State
from kho_console.model.check import Check, Result
from kho_console.model.runbook import Kind, Need, Standing, Step, StepState


def need(step: Step, now: StepState) -> Need:
    """What a step needs that nothing is left open of."""
    if step.kind is Kind.QUESTION:
        return Need.ANSWER
    if step.kind is not Kind.ACTION or now.standing is Standing.DOING or now.effect:
        return Need.CHECK
    return Need.ACT


def forbids(step: Step, item: Check) -> bool:
    """Whether a check keeps a run from going on; where much is looked at, not all can be known."""
    if step.kind in (Kind.PREFLIGHT, Kind.VERIFY) and item.id != ARRIVAL:
        return item.result is Result.FAIL
    if item.id == ARRIVAL:
        return item.result not in (Result.PASS, Result.WARNING)
    return item.result is not Result.PASS


def since_kexec(found: State) -> tuple[Step, ...]:
    """The steps behind the latest kexec that is done."""
    steps = found.book.steps
    done = [at for at, step in enumerate(steps) if step.executes and found.steps[step.id].effect]
    return steps[done[-1] + 1 :] if done else steps


def on_its_way(found: State) -> bool:
    """Whether the run stands at a kexec that was asked for."""
    step = found.current
    return step is not None and step.executes and found.steps[step.id].intent is not None
