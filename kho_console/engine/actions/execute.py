"""Starting the loaded image: the kexec itself."""

from kho_console.engine import paths, unclaimed
from kho_console.engine.findings.words import plain
from kho_console.engine.verdict import Standing, judge
from kho_console.model.action import Action, Plan, Risk
from kho_console.model.change import Execute, Execution
from kho_console.model.check import Check, Result
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.source.protocol import SourceKind

_MOST_NAMES = 5


def execute(snapshot: Snapshot, how: Execution | None = None) -> Plan:
    """Start the loaded image.

    Args:
        snapshot: The machine.
        how: By the bare system call on demand only; None for the way of this machine.
    """
    how = how or _way(snapshot)
    checks = [_loaded(snapshot), _ready(snapshot), *unclaimed.checks(snapshot)]
    checks += _sessions(snapshot, how)
    if how is Execution.SYSTEMD:
        checks += _systemd(snapshot)
    return Action(
        name="execute",
        title="leave this kernel for the loaded image",
        changes=(Execute(how),),
        preconditions=tuple(checks),
        undone_by=None,
        risk=Risk.REBOOT,
        expects=(),
        effects=_effects(how),
    )


def _loaded(snapshot: Snapshot) -> Check:
    loaded = snapshot.kexec.loaded
    if isinstance(loaded, Unknown):
        return Check(
            "loaded", Result.FAIL, "whether an image is loaded is not known", loaded.reason
        )
    evidence = f"{paths.KEXEC_LOADED}: {int(loaded)}"
    if loaded:
        return Check("loaded", Result.PASS, "an image is loaded", evidence)
    return Check("loaded", Result.FAIL, "no image is loaded", evidence, "load one first")


def _ready(snapshot: Snapshot) -> Check:
    """Whether the handover would go with it; a kexec without one is allowed, with a warning."""
    verdict = judge(snapshot)
    result = Result.PASS if verdict.standing is Standing.READY else Result.WARNING
    text = verdict.sentence
    if verdict.standing is Standing.CONDITIONAL:
        text = f"the handover goes along only if {text}"
    return Check("handover", result, text, verdict.detail or None)


def _way(snapshot: Snapshot) -> Execution:
    """A twin without systemd has no other way than the call; a live machine must be told to."""
    rehearsed = snapshot.source.kind != SourceKind.LIVE and snapshot.machine.systemd is False
    return Execution.SYSTEM_CALL if rehearsed else Execution.SYSTEMD


def _systemd(snapshot: Snapshot) -> list[Check]:
    found = snapshot.machine.systemd
    if found is True:
        text = "systemd runs, and stops services first"
        return [Check("systemd", Result.PASS, text, paths.SYSTEMD)]
    if isinstance(found, Unknown):
        text = "whether systemd runs here is not known"
        return [Check("systemd", Result.UNKNOWN, text, found.reason)]
    text = "systemd does not run here, so nothing would stop services in order"
    remedy = "stop services yourself, then ask for the bare system call"
    return [Check("systemd", Result.FAIL, text, f"{paths.SYSTEMD} is not there", remedy)]


def _sessions(snapshot: Snapshot, how: Execution) -> list[Check]:
    """A session ends with its last holder; systemd ends all processes before the kexec."""
    sessions = snapshot.inventory.sessions
    if isinstance(sessions, Unknown):
        if snapshot.liveupdate_device is not True:
            return []
        text = "whether live-update sessions are held cannot be seen"
        return [Check("sessions", Result.WARNING, text, sessions.reason)]
    held = [item for item in sessions if item.holders]
    if not held:
        return []
    names = ", ".join(
        f"{plain(item.name)} (process {item.holders[0].pid})" for item in held[:_MOST_NAMES]
    )
    names += f" and {len(held) - _MOST_NAMES} more" if len(held) > _MOST_NAMES else ""
    if how is Execution.SYSTEM_CALL:
        text = f"{len(held)} live-update sessions are held and go along"
        return [Check("sessions", Result.PASS, text, names)]
    text = "systemctl kexec ends the holders of live-update sessions, and the sessions with them"
    remedy = "keep their descriptors in the file descriptor store of a service that is preserved"
    return [Check("sessions", Result.WARNING, text, names, remedy)]


def _effects(how: Execution) -> tuple[str, ...]:
    if how is Execution.SYSTEM_CALL:
        return (
            "At once: no service is stopped, nothing is written back to disks.",
            "Every process of this machine is gone; the next kernel starts from its initrd.",
        )
    return (
        "systemd stops all services and ends all processes first, holders of live-update sessions "
        "too.",
        "Where the kernel refuses the kexec at the very end, systemd reboots through the firmware: "
        "a cold boot, and everything preserved is lost.",
    )
