"""The engine's actions as steps of a runbook name them, with their arguments."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from kho_console.engine.actions import execute, hotplug, load, steps
from kho_console.engine.actions.planning import Planner
from kho_console.engine.image_files import NOBODY, Watch
from kho_console.engine.reused import reused
from kho_console.model.action import NotApplicable, Plan
from kho_console.model.change import SIMULATED, Execution, KexecImage
from kho_console.model.runbook import NOTHING
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Maybe, Unknown

IMAGE = {"kernel": True, "initrd": False, "command-line": False, "append": False, "crash": False}
_TARGET = {"target": True}
AT_ONCE = "at-once"
"""How to execute by the bare system call, where no service is stopped."""


CRASH = ("yes", "true")
"""What the argument `crash` is for a crash image."""

_FORGETS = ("abort", "deactivate")
_NONE: Mapping[str, bool] = {}

ARGUMENTS: Mapping[str, Mapping[str, bool]] = {
    "finalize": _NONE,
    "abort": _NONE,
    "activate": _NONE,
    "deactivate": _NONE,
    "load": IMAGE,
    "unload": _NONE,
    "unload-crash": _NONE,
    "execute": {"how": False},
    "online": _TARGET,
    "offline": _TARGET,
}
"""For each action its arguments, and whether they must be given."""


def planner(name: str, arguments: Mapping[str, str], watch: Watch = NOBODY) -> Planner:
    """What plans an action.

    Args:
        name: One of `ARGUMENTS`; finalize and abort are also activate and deactivate, where the
            kernel calls them so.
        arguments: Its arguments.
        watch: Told how far an image is read.
    """
    if name == "load":
        return partial(_load, arguments=arguments, watch=watch)
    if name in ("online", "offline"):
        return partial(_hotplug, word=arguments["target"], online=name == "online")
    if name == "execute":
        how = Execution.SYSTEM_CALL if arguments.get("how") == AT_ONCE else None
        return partial(execute.execute, how=how)
    return partial(_step, name=name)


def undoing(undo: str) -> str:
    """What undoes a step, and what is lost by it."""
    if undo == NOTHING:
        return NOTHING
    return f"by {undo}, which forgets what is preserved" if undo in _FORGETS else f"by {undo}"


def image(snapshot: Snapshot, arguments: Mapping[str, str]) -> Maybe[KexecImage]:
    """The image that arguments name; unknown where the running command line is, and is wanted."""
    crash = arguments.get("crash") in CRASH
    line = arguments.get("command-line", "")
    raw = line.encode("utf-8", "surrogateescape")
    if not line:
        running = snapshot.machine.command_line
        if isinstance(running, Unknown):
            return running
        appended = arguments.get("append", "").encode("utf-8", "surrogateescape")
        raw = reused(running, appended, crash=crash)
    return KexecImage(arguments["kernel"], arguments.get("initrd") or None, raw, crash)


def whole_path(word: str) -> str:
    """A file by its whole path; a kernel that only a twin has keeps its name."""
    return word if not word or word.startswith(SIMULATED) else str(Path(word).absolute())


def _step(snapshot: Snapshot, name: str) -> Plan:
    return steps.planner(steps.own_name(snapshot, name))(snapshot)


def _load(snapshot: Snapshot, arguments: Mapping[str, str], watch: Watch) -> Plan:
    found = image(snapshot, arguments)
    if isinstance(found, Unknown):
        reason = f"the running command line cannot be read: {found.reason}"
        return NotApplicable("load", reason, "answer with a command line")
    return load.load(snapshot, found, watch)


def _hotplug(snapshot: Snapshot, word: str, online: bool) -> Plan:
    try:
        return hotplug.hotplug(snapshot, word, online)
    except ValueError as error:
        return NotApplicable("online" if online else "offline", str(error), "answer with another")
