"""Goes on with a run as far as nobody is needed, the same way for both faces."""

from collections.abc import Callable, Collection

from kho_console.engine.runbook.run import Run
from kho_console.engine.runbook.telling import told
from kho_console.model.check import Check, Result
from kho_console.model.runbook import Need, Position
from kho_console.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Halt:
    """Where somebody is needed.

    Attributes:
        position: What the run needs.
        before: What must be true before its step and is not.
        failed: Whether it was looked at just now, and something that must be true is not.
    """

    position: Position
    before: tuple[Check, ...] = ()
    failed: bool = False


def go_on(run: Run, skips: Collection[str] = (), tell: Callable[[], None] = lambda: None) -> Halt:
    """Settle what was interrupted, check, record, verify.

    Args:
        run: The run.
        skips: Optional steps that are left out.
        tell: Called after each look.

    Raises:
        RunError: The run cannot be read.
        OSError: It cannot be written.
    """
    while True:
        at = run.position()
        tell()
        step = at.step
        if step is None or at.need in (Need.DECIDE, Need.REBOOT):
            return Halt(at)
        if step.optional and step.id in skips:
            run.skip(step)
            continue
        wrong = tuple(item for item in run.ready(step) if item.result is not Result.PASS)
        if wrong:
            run.fail(step, told(wrong), wrong)
            return Halt(run.position(), wrong, failed=True)
        if at.need is not Need.CHECK:
            return Halt(at)
        if not run.check(step):
            return Halt(run.position(), failed=True)
