"""The verbs that change a machine: each plans an action, shows it or has it done."""

from argparse import Namespace
from functools import partial

from kho_console import text
from kho_console.cli import exit_code, image_options, output, writing
from kho_console.cli.acted import show_outcome
from kho_console.cli.predicted import planned
from kho_console.documents import acting as documents
from kho_console.engine.actions import execute as executing
from kho_console.engine.actions import hotplug, step
from kho_console.engine.actions import load as loading
from kho_console.engine.actions.perform import perform
from kho_console.engine.actions.planning import Planner, plan
from kho_console.engine.observe import observe
from kho_console.engine.opening import Source, writable
from kho_console.model.action import Action, NotApplicable
from kho_console.model.change import Execution
from kho_console.model.outcome import Ending, Outcome
from kho_console.model.unknown import Cause, Unknown

_CODES = {
    Ending.DONE: exit_code.DONE,
    Ending.PENDING: exit_code.DONE,
    Ending.UNPROVEN: exit_code.BAD_NEWS,
    Ending.REFUSED: exit_code.REFUSED,
    Ending.KERNEL_REFUSED: exit_code.KERNEL_REFUSED,
}

_NOT_PREDICTED = Unknown(Cause.ABSENT, "--dry-run predicts what would be different")


def finalize(source: Source, wanted: Namespace) -> int:
    """Write down what is preserved."""
    return _act(source, wanted, step.finalize)


def abort(source: Source, wanted: Namespace) -> int:
    """Take it back."""
    return _act(source, wanted, step.abort)


def activate(source: Source, wanted: Namespace) -> int:
    """The step of the 2024 series."""
    return _act(source, wanted, step.activate)


def deactivate(source: Source, wanted: Namespace) -> int:
    """Its inverse."""
    return _act(source, wanted, step.deactivate)


def load(source: Source, wanted: Namespace) -> int:
    """Load an image."""
    snapshot = observe(source)
    image = image_options.image(wanted, snapshot, crash=wanted.crash)
    if isinstance(image, Unknown):
        output.say(f"the running command line: {text.why(image)}")
        return exit_code.NOT_AVAILABLE
    return _act(source, wanted, partial(loading.load, image=image))


def unload(source: Source, wanted: Namespace) -> int:
    """Drop the loaded image."""
    return _act(source, wanted, partial(loading.unload, crash=wanted.crash))


def execute(source: Source, wanted: Namespace) -> int:
    """Start the loaded image."""
    how = Execution.SYSTEM_CALL if wanted.system_call else None
    return _act(source, wanted, partial(executing.execute, how=how))


def online(source: Source, wanted: Namespace) -> int:
    """Take a memory block or a CPU online."""
    return _hotplug(source, wanted, online=True)


def offline(source: Source, wanted: Namespace) -> int:
    """Take it offline."""
    return _hotplug(source, wanted, online=False)


def _hotplug(source: Source, wanted: Namespace, *, online: bool) -> int:
    try:
        hotplug.target(wanted.target)
    except ValueError as error:
        output.say(text.escaped(str(error)))
        return exit_code.USAGE
    return _act(source, wanted, partial(hotplug.hotplug, word=wanted.target, online=online))


def _act(source: Source, wanted: Namespace, planner: Planner) -> int:
    machine = writable(source)
    journal = writing.journal_file(source, wanted)
    found = plan(source if machine is None else machine, planner, journal=journal)
    if isinstance(found, NotApplicable):
        return _not_applicable(found, wanted)
    if wanted.dry_run:
        return planned(source, planner, found, as_json=wanted.json)
    if machine is None:
        reason = f"{text.escaped(source.name)} is a recording: it cannot be changed"
        return _not_done(found, reason, exit_code.NOT_AVAILABLE, wanted)
    if found.obstacles:
        why = "; ".join(item.text for item in found.obstacles)
        ended = Outcome(Ending.REFUSED, why, obstacles=found.obstacles)
    else:
        refusal = writing.refusal(source, found, wanted)
        if refusal is not None:
            return _not_done(found, refusal, exit_code.REFUSED, wanted)
        ended = perform(machine, planner, found, writing.writer(source, wanted))
    _show(found, ended, wanted)
    return _CODES[ended.ending]


def _not_applicable(found: NotApplicable, wanted: Namespace) -> int:
    if wanted.json:
        output.document(documents.not_applicable(found))
    output.say(f"{found.name}: {text.escaped(found.reason)}")
    if found.instead:
        output.say(f"instead: {text.escaped(found.instead)}")
    return exit_code.NOT_AVAILABLE


def _not_done(found: Action, reason: str, code: int, wanted: Namespace) -> int:
    if wanted.json:
        why = Unknown(Cause.NOT_PERMITTED, reason)
        output.document(documents.action(found, why, _NOT_PREDICTED))
    output.say(f"{found.name}: {reason}")
    if code == exit_code.NOT_AVAILABLE:
        output.say("--dry-run shows what would be done; --rehearse does it on a twin of it")
    return code


def _show(found: Action, ended: Outcome, wanted: Namespace) -> None:
    if wanted.json:
        output.document(documents.action(found, ended, _NOT_PREDICTED))
    else:
        show_outcome(found, ended)
