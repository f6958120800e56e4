"""What this console can and cannot see on a machine, and what would fix it."""

import os
import shutil
from collections.abc import Iterator, Mapping

from kho_console.engine.generation import release_number
from kho_console.engine.paths import LIVEUPDATE
from kho_console.model.check import Check, Result
from kho_console.model.event import EventsLost
from kho_console.model.generation import Protocol
from kho_console.model.kstate import KstateVersion
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source, SourceKind

_LIBRARIES = ("textual", "pyudev", "psutil", "pylibfdt", "numpy", "zstandard")

_REMEDIES = {
    Cause.NOT_PERMITTED: "run it as root",
    Cause.NOT_RECORDED: "capture it again with this file",
    Cause.LATE: "look for a task that is stuck in the kernel; the value is read again later",
}

_OPTIONS: Mapping[str, tuple[tuple[int, int] | None, str]] = {
    "KEXEC_FILE": (None, "loading images that carry a handover"),
    "KEXEC_HANDOVER_DEBUGFS": ((6, 19), "seeing the handover"),
    "LIVEUPDATE": ((6, 19), "sessions and preserved files"),
    "PROC_KCORE": (None, "reading preserved memory"),
    "CRASH_DUMP": (None, "crash images"),
    "CRASH_HOTPLUG": (None, "crash images that follow hotplug"),
    "MEMORY_HOTREMOVE": (None, "taking memory away"),
}
"""Options with the first release that has them, and what they are for."""

_TOOL_FOLDERS = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
"""Where root's tools are, also for those who do not have them in their path."""


def examine(source: Source, snapshot: Snapshot) -> tuple[Check, ...]:
    """All checks. A fail is something the console needs and cannot have here."""
    return (
        *_rights(source),
        *_recording(source),
        _kernel_support(snapshot),
        _kernel_options(snapshot),
        _known("debugfs", snapshot.debugfs, "mounted at {}", _MOUNT),
        _handover(snapshot),
        *_mechanisms(snapshot),
        _preserved(snapshot),
        _known("iomem", snapshot.memory.iomem, "/proc/iomem shows addresses", None),
        _known("memory-blocks", snapshot.memory.blocks, "memory blocks are listed", _HOTPLUG),
        _known("kernel-log", snapshot.machine.kernel_log, "the kernel log can be read", None),
        _known("kexec-files", snapshot.kexec.loaded, "sysfs tells of loaded images", _KEXEC),
        _sessions(snapshot),
        _crash_header(snapshot),
        _crash_reloads(snapshot),
        _lockdown(snapshot),
        _events(source),
        *_tools(source),
        *_libraries(),
    )


_MOUNT = "mount -t debugfs none /sys/kernel/debug"
_KEXEC = "boot a kernel built with CONFIG_KEXEC_FILE, and see that sysfs is mounted on /sys"
_HOTPLUG = "boot a kernel built with CONFIG_MEMORY_HOTPLUG, and see that sysfs is mounted on /sys"


def _rights(source: Source) -> Iterator[Check]:
    if source.kind is not SourceKind.LIVE:
        return
    user = os.geteuid()
    if user == 0:
        yield Check("rights", Result.PASS, "running as root", "euid 0")
    else:
        text = "not root: debugfs, physical memory and other users' descriptors stay closed"
        yield Check("rights", Result.FAIL, text, f"euid {user}", "run it with sudo")


def _recording(source: Source) -> Iterator[Check]:
    if source.kind is SourceKind.RECORDING:
        from kho_console.engine import recording_damage

        yield from recording_damage.check(source)


def _kernel_support(snapshot: Snapshot) -> Check:
    config = snapshot.machine.config
    inline = snapshot.generation.protocol is Protocol.RFC_2024
    option = "KEXEC_KHO" if inline else "KEXEC_HANDOVER"
    if isinstance(config, Unknown):
        text = f"whether the kernel has {option} is not known"
        return Check("kernel-support", Result.UNKNOWN, text, config.reason)
    value = config.get(f"CONFIG_{option}", "n")
    evidence = f"CONFIG_{option}={value}"
    if value == "y":
        return Check("kernel-support", Result.PASS, "the kernel is built with KHO", evidence)
    remedy = f"boot a kernel built with CONFIG_{option}"
    return Check("kernel-support", Result.FAIL, "the kernel has no KHO", evidence, remedy)


def _kernel_options(snapshot: Snapshot) -> Check:
    config, name = snapshot.machine.config, "kernel-options"
    if isinstance(config, Unknown):
        text = "which options the kernel is built with is not known"
        remedy = "mount /proc, and look for /boot/config-RELEASE"
        return Check(name, Result.UNKNOWN, text, config.reason, remedy)
    release = release_number(snapshot.machine.release)
    missing = {
        option: use
        for option, (since, use) in _OPTIONS.items()
        if (since is None or (release is not None and release >= since))
        and config.get(f"CONFIG_{option}") != "y"
    }
    if not missing:
        text = "the kernel has all options that the console looks for"
        return Check(name, Result.PASS, text, ", ".join(f"CONFIG_{item}" for item in _OPTIONS))
    text = "options are off: " + "; ".join(f"{option} ({use})" for option, use in missing.items())
    evidence = ", ".join(f"CONFIG_{option} is not set" for option in missing)
    remedy = "boot a kernel built with them, where what they are for is wanted"
    return Check(name, Result.WARNING, text, evidence, remedy)


def _handover(snapshot: Snapshot) -> Check:
    if snapshot.unavailable is None:
        evidence = "; ".join(snapshot.generation.evidence)
        if snapshot.generation.protocol is Protocol.UNKNOWN:
            text = "there is a handover of a kind that is not known here"
            return Check("handover", Result.WARNING, text, evidence)
        text = f"the handover can be read: {snapshot.generation.protocol}"
        return Check("handover", Result.PASS, text, evidence)
    why = snapshot.unavailable
    others = _others(snapshot)
    if others and why.cause not in _REMEDIES:
        text = f"there is no handover to read; this kernel has {' and '.join(others)}"
        return Check("handover", Result.WARNING, text, why.reason)
    remedy = _REMEDIES.get(
        why.cause, "boot with kho=on on a kernel built with CONFIG_KEXEC_HANDOVER"
    )
    return Check("handover", Result.FAIL, "there is no handover to read", why.reason, remedy)


def _others(snapshot: Snapshot) -> list[str]:
    """What a kernel without a handover has in its place; the stream of kstate v3 comes by one."""
    found = snapshot.mechanisms
    own = found.kstate is not None and found.kstate.version is not KstateVersion.V3
    return ["PKRAM"] * (found.pkram is not None) + ["kstate"] * own


def _mechanisms(snapshot: Snapshot) -> Iterator[Check]:
    """Whether what is there beside the handover can be read."""
    pkram, kstate = snapshot.mechanisms.pkram, snapshot.mechanisms.kstate
    if pkram is not None:
        yield _known("pkram", pkram.image, "PKRAM can be read", None)
    if kstate is not None:
        yield _known("kstate", kstate.entries, "the stream of kstate can be read", None)


def _preserved(snapshot: Snapshot) -> Check:
    found = snapshot.inventory.preserved
    if not isinstance(found, Unknown):
        text = "physical memory can be read, and the map of preserved memory decoded"
        return Check("preserved-map", Result.PASS, text, f"map at 0x{found.root:x}")
    bad = found.cause in (Cause.NOT_PERMITTED, Cause.INVALID, Cause.UNREADABLE)
    result = Result.FAIL if bad else Result.WARNING
    text = "the map of preserved memory cannot be shown"
    remedy = _REMEDIES.get(found.cause)
    if snapshot.unavailable is not None and remedy is None:
        remedy = "see what the check of the handover says"
    elif found.cause is Cause.NOT_YET:
        inline = snapshot.generation.protocol is Protocol.RFC_2024
        then = "active" if inline else "finalized"
        remedy = f"none needed: it can be read once the handover is {then}"
    return Check("preserved-map", result, text, found.reason, remedy)


def _sessions(snapshot: Snapshot) -> Check:
    if snapshot.liveupdate_device is False and snapshot.inventory.sessions == ():
        return _no_sessions(snapshot)
    unseen = snapshot.inventory.unseen
    if isinstance(snapshot.inventory.sessions, Unknown) or not unseen:
        text = "open sessions can be listed"
        return _known("sessions", snapshot.inventory.sessions, text, None)
    text = f"{unseen} processes do not show what they have open: there may be more sessions"
    return Check("sessions", Result.WARNING, text, "/proc/*/fd", "run it as root")


def _no_sessions(snapshot: Snapshot) -> Check:
    """Without /dev/liveupdate there is nothing to list, and why that is so may not be known."""
    config, seen = snapshot.machine.config, f"{LIVEUPDATE} is not there"
    if isinstance(config, Unknown):
        text = "whether this kernel has live update is not known"
        return Check("sessions", Result.UNKNOWN, text, f"{seen}; {config.reason}")
    if config.get("CONFIG_LIVEUPDATE") == "y":
        text = "live update is off here, so there are no sessions"
        remedy = "boot with kho=on liveupdate=on, where sessions are wanted"
    else:
        text = "this kernel is built without live update, so there are no sessions"
        remedy = "where sessions are wanted, boot 6.19 or later, built with CONFIG_LIVEUPDATE"
    return Check("sessions", Result.WARNING, text, seen, remedy)


def _crash_header(snapshot: Snapshot) -> Check:
    """Whether the loaded crash image can be looked into."""
    name, crash = "crash-header", snapshot.crash
    if not isinstance(crash.header, Unknown):
        return Check(name, Result.PASS, "the ELF core header of the crash image can be read")
    if crash.armed is False:
        text = "no crash image is loaded, so there is no header to read"
        return Check(name, Result.PASS, text, crash.header.reason)
    if isinstance(crash.armed, Unknown):
        text = "whether a crash image is loaded is not known"
        return Check(name, Result.UNKNOWN, text, crash.armed.reason)
    text = "what a dump would contain cannot be told: the ELF core header is not to be seen"
    remedy = _REMEDIES.get(crash.header.cause, "boot a kernel built with CONFIG_PROC_KCORE")
    return Check(name, Result.WARNING, text, crash.header.reason, remedy)


def _crash_reloads(snapshot: Snapshot) -> Check:
    """Whether udev leaves an image alone that the kernel updates."""
    name, found = "crash-udev", snapshot.crash.reloads
    if isinstance(found, Unknown):
        text = "whether udev rules load a crash image at each event is not known"
        return Check(name, Result.UNKNOWN, text, found.reason)
    if not found:
        return Check(name, Result.PASS, "no udev rule reloads what the kernel updates")
    text = "udev rules load a crash image at each event, also where the kernel updates it"
    remedy = "add lines that skip cpu and memory where crash_hotplug is 1"
    return Check(name, Result.WARNING, text, ", ".join(found), remedy)


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


def _tools(source: Source) -> Iterator[Check]:
    """The program that loads images; for a recording it does not matter what is installed here."""
    if source.kind is not SourceKind.LIVE:
        return
    place = shutil.which("kexec", path=_TOOL_FOLDERS)
    if place is None:
        text = "kexec is not installed; images cannot be loaded with it"
        remedy = "install kexec-tools, 2.0.27 or later"
        seen = "no kexec in PATH, /usr/sbin or /sbin"
        yield Check("tool-kexec", Result.WARNING, text, seen, remedy)
    else:
        yield Check("tool-kexec", Result.PASS, "kexec is installed", place)


def _libraries() -> Iterator[Check]:
    from importlib import metadata  # It loads a mail parser; who asks for no checks waits for none.

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
        _REMEDIES.get(value.cause, remedy),
    )
