"""The step between preserving and the kexec: finalize and abort, activate and deactivate.

Which of them a kernel has, and what it does on each: kernel/kexec_handover.c of 6.16 to 6.18,
kernel/liveupdate/kexec_handover_debugfs.c of 6.19 and 7.0; 7.1 has none of them. `active` is the
sysfs file of the 2024 series.
"""

from kho_console.engine import paths, unclaimed
from kho_console.model.action import Action, Expectation, NotApplicable, Plan, Risk
from kho_console.model.change import Write
from kho_console.model.check import Check, Result
from kho_console.model.generation import Finalize, State
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown

_WORDS = {"finalize": ("finalize", True), "abort": ("finalize", False)} | {
    "activate": ("active", True),
    "deactivate": ("active", False),
}
# What abort drops, a second finalize does not bring back: it has no inverse.
_INVERSE = {
    "finalize": "abort",
    "activate": "deactivate",
    "deactivate": "activate",
}
_OTHER = {
    "finalize": "activate",
    "abort": "deactivate",
    "activate": "finalize",
    "deactivate": "abort",
}
"""The same step where the file has the other name."""

_TITLES = {
    "finalize": "finalize the handover: write down what is preserved for the next kernel",
    "abort": "abort the handover: take back what finalize wrote down",
    "activate": "activate the handover: collect the state of all producers",
    "deactivate": "deactivate the handover: drop what activation collected",
}


def finalize(snapshot: Snapshot) -> Plan:
    """Write down what is preserved."""
    return _step("finalize", snapshot)


def abort(snapshot: Snapshot) -> Plan:
    """Take it back; 6.16 to 6.18 only."""
    return _step("abort", snapshot)


def activate(snapshot: Snapshot) -> Plan:
    """The step of the 2024 series."""
    return _step("activate", snapshot)


def deactivate(snapshot: Snapshot) -> Plan:
    """Its inverse."""
    return _step("deactivate", snapshot)


def _step(name: str, snapshot: Snapshot) -> Plan:
    absent = _absent(name, snapshot)
    switch = snapshot.generation.switch
    if absent is not None or switch is None:
        return absent or _no_step(name, snapshot)
    on = _WORDS[name][1]
    kind = snapshot.generation.finalize
    latching = kind is Finalize.LATCHING
    image = _image(name, snapshot)
    strands = bool(image) and not on
    value = "1" if on else "0"
    expects = [Expectation(switch, value)]
    if name == "abort" and snapshot.generation.folder != paths.RFC_2024:
        expects.append(Expectation(f"{snapshot.generation.folder}/fdt", None))
    return Action(
        name=name,
        title=_TITLES[name],
        changes=(Write(switch, value.encode()),),
        preconditions=(*_preconditions(name, snapshot, on), *image),
        undone_by=None if latching or strands else _INVERSE.get(name),
        risk=Risk.LOSS if latching or strands or name == "abort" else Risk.SMALL,
        expects=tuple(expects),
        effects=_effects(name, snapshot),
    )


def _absent(name: str, snapshot: Snapshot) -> NotApplicable | None:
    """Why this kernel has no such step; None where it has."""
    if snapshot.unavailable is not None:
        reason = f"there is no handover on this machine to {name}: {snapshot.unavailable.reason}"
        return NotApplicable(name, reason, "`kho-console doctor` tells what would change that")
    kind, releases = snapshot.generation.finalize, snapshot.generation.releases
    file, on = _WORDS[name]
    if kind in (Finalize.NONE, Finalize.UNKNOWN):
        return _no_step(name, snapshot)
    if (kind is Finalize.ACTIVE_FILE) != (file == "active"):
        reason = f"the step of this kernel ({releases}) is not called {name}"
        return NotApplicable(name, reason, f"use the verb {_OTHER[name]}")
    if kind is Finalize.LATCHING and not on:
        reason = f"on this kernel ({releases}) finalize latches: it never goes back to 0"
        instead = "what is finalized stays so until the reboot; to drop the handover, unload the "
        return NotApplicable(name, reason, instead + "image and reboot through the firmware")
    return None


def _no_step(name: str, snapshot: Snapshot) -> NotApplicable:
    if snapshot.generation.finalize is Finalize.UNKNOWN:
        reason = "the life cycle of this kernel is not known: its files cannot be looked at"
        return NotApplicable(name, reason, "`kho-console doctor` tells what would change that")
    reason = (
        f"this kernel ({snapshot.generation.releases}) has no such step: its handover is stateless"
    )
    instead = "what is preserved is always current and goes with the image: load one by file, then "
    return NotApplicable(name, reason, instead + "execute it")


def _preconditions(name: str, snapshot: Snapshot, on: bool) -> tuple[Check, ...]:
    found = [_state(name, snapshot, on)]
    if snapshot.generation.folder == paths.RFC_2024:
        found += _scratch(snapshot)
    else:
        found += _lockdown(snapshot)
    return (*found, *(unclaimed.checks(snapshot) if on else ()))


def _state(name: str, snapshot: Snapshot, on: bool) -> Check:
    state, proof, kind = snapshot.state, snapshot.proof, snapshot.generation.finalize
    evidence = f"{proof.path}: {proof.value}"
    if state is State.UNAVAILABLE:
        text = "whether the handover is finalized cannot be read"
        return Check("state", Result.UNKNOWN, text, evidence, "run as root, without lockdown")
    there = (state is State.FINALIZED) == on
    if not there:
        words = snapshot.generation.standing(state)
        return Check("state", Result.PASS, f"the handover is {words}", evidence)
    if kind is Finalize.LATCHING:
        text = "it is finalized already; the kernel frees that map and writes a new one"
        return Check("state", Result.WARNING, text, evidence)
    if kind is Finalize.ACTIVE_FILE:
        text = f"it is {'active' if on else 'inactive'} already; the kernel leaves it as it is"
        return Check("state", Result.WARNING, text, evidence)
    word = "finalized already" if on else "not finalized"
    return Check("state", Result.FAIL, f"the handover is {word}", evidence, _go_on(on))


def _go_on(on: bool) -> str:
    return "load an image now, or abort first to collect anew" if on else "nothing is to be done"


def _lockdown(snapshot: Snapshot) -> list[Check]:
    """Debugfs does not even open files that have more than read permissions (mode 0600)."""
    mode = snapshot.machine.lockdown
    if isinstance(mode, Unknown) or mode == "none":
        return []
    text = f"kernel lockdown ({mode}) keeps the file of this step shut, for root too"
    remedy = "boot without lockdown= and without Secure Boot"
    return [Check("lockdown", Result.FAIL, text, f"{paths.LOCKDOWN}: {mode}", remedy)]


def _scratch(snapshot: Snapshot) -> list[Check]:
    areas = snapshot.scratch
    if isinstance(areas, Unknown) or any(area.size for area in areas):
        return []
    text = "no scratch area is reserved, and this kernel refuses every write without one (ENOMEM)"
    remedy = "boot with kho_scratch=SIZE"
    return [Check("scratch", Result.FAIL, text, f"{paths.RFC_2024}/scratch_len: 0x0", remedy)]


def _image(name: str, snapshot: Snapshot) -> list[Check]:
    """An image carries what there was when it was loaded."""
    if snapshot.kexec.loaded is not True or snapshot.generation.order_matters is False:
        return []
    evidence, on = f"{paths.KEXEC_LOADED}: 1", _WORDS[name][1]
    if name == "activate":
        text = "an image is loaded already: it carries what was active when it was loaded"
    elif name == "deactivate":
        text = "the loaded image keeps its copy of what is dropped now, and hands that over"
    elif name == "finalize":
        text = "an image is loaded already: this kernel attaches the handover while it loads, so "
        text += "one that was loaded before it was finalized goes without"
    else:
        text = "the loaded image keeps pointing at what is dropped now"
    remedy = f"load the image again after {name}" if on else "unload the image first"
    return [Check("image", Result.WARNING, text, evidence, remedy)]


def _effects(name: str, snapshot: Snapshot) -> tuple[str, ...]:
    kind = snapshot.generation.finalize
    if name == "abort":
        return (
            "All that is preserved is forgotten, also what was preserved before finalize; a later "
            "finalize collects only what producers hand over then.",
        )
    if kind is Finalize.LATCHING:
        return (
            "There is no way back: until the reboot the file reads 1.",
            "Later preservation is not in the map until it is finalized again.",
        )
    if name == "finalize":
        return (
            "Until it is aborted, nothing more can be preserved (the kernel answers EBUSY).",
            "Abort, which undoes it, forgets all that is preserved.",
        )
    return ()
