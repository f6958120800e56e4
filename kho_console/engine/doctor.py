"""What this console can and cannot see on a machine, and what would fix it."""

import os
from collections.abc import Iterator
from importlib import metadata

from kho_console.model.check import Check, Result
from kho_console.model.event import EventsLost
from kho_console.model.generation import Protocol
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source, SourceKind

_LIBRARIES = ("textual", "pyudev", "psutil", "pylibfdt", "numpy", "zstandard")

_REMEDIES = {
    Cause.NOT_PERMITTED: "run it as root",
    Cause.NOT_RECORDED: "capture it again with this file",
    Cause.LATE: "look for a task that is stuck in the kernel; the value is read again later",
}


def examine(source: Source, snapshot: Snapshot) -> tuple[Check, ...]:
    """All checks. A fail is something the console needs and cannot have here."""
    return (
        *_rights(source),
        _kernel_support(snapshot),
        _known("debugfs", snapshot.debugfs, "mounted at {}", _MOUNT),
        _handover(snapshot),
        _preserved(snapshot),
        _known("iomem", snapshot.memory.iomem, "/proc/iomem shows addresses", None),
        _known("memory-blocks", snapshot.memory.blocks, "memory blocks are listed", None),
        _known("kernel-log", snapshot.machine.kernel_log, "the kernel log can be read", None),
        _known("kexec-files", snapshot.kexec.loaded, "sysfs tells of loaded images", None),
        _sessions(snapshot),
        _lockdown(snapshot),
        _events(source),
        *_libraries(),
    )


_MOUNT = "mount -t debugfs none /sys/kernel/debug"


def _rights(source: Source) -> Iterator[Check]:
    if source.kind is not SourceKind.LIVE:
        return
    user = os.geteuid()
    if user == 0:
        yield Check("rights", Result.PASS, "running as root", "euid 0")
    else:
        text = "not root: debugfs, physical memory and other users' descriptors stay closed"
        yield Check("rights", Result.FAIL, text, f"euid {user}", "run it with sudo")


def _kernel_support(snapshot: Snapshot) -> Check:
    config = snapshot.machine.config
    if isinstance(config, Unknown):
        text = "whether the kernel has KEXEC_HANDOVER is not known"
        return Check("kernel-support", Result.UNKNOWN, text, config.reason)
    value = config.get("CONFIG_KEXEC_HANDOVER", "n")
    evidence = f"CONFIG_KEXEC_HANDOVER={value}"
    if value == "y":
        return Check("kernel-support", Result.PASS, "the kernel is built with KHO", evidence)
    remedy = "boot a kernel built with CONFIG_KEXEC_HANDOVER"
    return Check("kernel-support", Result.FAIL, "the kernel has no KHO", evidence, remedy)


def _handover(snapshot: Snapshot) -> Check:
    if snapshot.unavailable is None:
        evidence = "; ".join(snapshot.generation.evidence)
        if snapshot.generation.protocol is Protocol.UNKNOWN:
            text = "there is a handover of a kind that is not known here"
            return Check("handover", Result.WARNING, text, evidence)
        text = f"the handover can be read: {snapshot.generation.protocol}"
        return Check("handover", Result.PASS, text, evidence)
    why = snapshot.unavailable
    remedy = _REMEDIES.get(
        why.cause, "boot with kho=on on a kernel built with CONFIG_KEXEC_HANDOVER"
    )
    return Check("handover", Result.FAIL, "there is no handover to read", why.reason, remedy)


def _preserved(snapshot: Snapshot) -> Check:
    found = snapshot.inventory.preserved
    if not isinstance(found, Unknown):
        text = "physical memory can be read, and the map of preserved memory decoded"
        return Check("preserved-map", Result.PASS, text, f"map at 0x{found.root:x}")
    bad = found.cause in (Cause.NOT_PERMITTED, Cause.INVALID, Cause.UNREADABLE)
    result = Result.FAIL if bad else Result.WARNING
    text = "the map of preserved memory cannot be shown"
    return Check("preserved-map", result, text, found.reason, _REMEDIES.get(found.cause))


def _sessions(snapshot: Snapshot) -> Check:
    unseen = snapshot.inventory.unseen
    if isinstance(snapshot.inventory.sessions, Unknown) or not unseen:
        text = "open sessions can be listed"
        return _known("sessions", snapshot.inventory.sessions, text, None)
    text = f"{unseen} processes do not show what they have open: there may be more sessions"
    return Check("sessions", Result.WARNING, text, "/proc/*/fd", "run it as root")


def _lockdown(snapshot: Snapshot) -> Check:
    mode = snapshot.machine.lockdown
    if isinstance(mode, Unknown):
        config = snapshot.machine.config
        built = isinstance(config, Unknown) or "CONFIG_SECURITY_LOCKDOWN_LSM" in config
        if built:
            remedy = "mount -t securityfs none /sys/kernel/security"
            text = "lockdown is not known"
            return Check("lockdown", Result.UNKNOWN, text, mode.reason, remedy)
        return Check("lockdown", Result.PASS, "this kernel is built without lockdown", mode.reason)
    if mode == "none":
        return Check("lockdown", Result.PASS, "lockdown is off", mode)
    closed = {
        "integrity": "out/finalize is closed",
        "confidentiality": "out/finalize and /proc/kcore are closed",
    }.get(mode, "parts of the kernel are closed")
    remedy = "boot without lockdown, for example without Secure Boot"
    return Check("lockdown", Result.WARNING, f"lockdown {mode}: {closed}", mode, remedy)


def _events(source: Source) -> Check:
    stream = source.events()
    try:
        first = stream.poll(0)
    finally:
        stream.close()
    lost = next((item for item in first if isinstance(item, EventsLost)), None)
    if lost is None:
        return Check("events", Result.PASS, "CPU and memory events can be seen")
    return Check("events", Result.WARNING, "CPU and memory events may be missed", lost.reason)


def _libraries() -> Iterator[Check]:
    for name in _LIBRARIES:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            remedy = f"install {name}"
            yield Check(f"library-{name}", Result.FAIL, f"{name} is missing", None, remedy)
        else:
            yield Check(f"library-{name}", Result.PASS, f"{name} {version}")


def _known(name: str, value: Maybe[object], text: str, remedy: str | None) -> Check:
    if not isinstance(value, Unknown):
        return Check(name, Result.PASS, text.format(value))
    return Check(
        name,
        Result.FAIL if value.cause is Cause.NOT_PERMITTED else Result.WARNING,
        f"{name} cannot be seen",
        value.reason,
        remedy or _REMEDIES.get(value.cause),
    )
