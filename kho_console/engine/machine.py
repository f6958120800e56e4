"""The host around the handover: who it is, its CPUs, what images are loaded."""

import re
import time
from collections.abc import Iterator

from kho_console.abi import kernel_config, meminfo, number_list
from kho_console.engine import files, paths
from kho_console.model.machine import Cpus, KexecState, Machine
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source, SourceError, SourceKind

_APART = 0.012
"""Seconds between two reads of `crash_loaded` or `crash_hotplug`: they are 0 for an instant while
the kernel rewrites the header, some microseconds."""

_NODE = re.compile(r"node(\d{1,6})")

NOT_MOUNTED = Unknown(Cause.ABSENT, "debugfs is not mounted")
"""What `debugfs` answers where the mounts are known and have none."""


def machine(source: Source) -> Machine:
    """The host's own facts."""
    facts = source.facts()
    return Machine(
        hostname=facts.hostname,
        release=facts.release,
        architecture=facts.machine,
        page_size=facts.page_size,
        command_line=files.raw(source, paths.CMDLINE),
        boot_id=files.text(source, f"{paths.SYSCTL}/random/boot_id"),
        boot_time=source.boot_time(),
        memory_total=source.memory_total(),
        config=files.first_known(
            files.parsed(source, "/proc/config.gz", kernel_config.parse),
            files.parsed(source, f"/boot/config-{facts.release}", kernel_config.parse),
        ),
        kernel_log=source.kernel_log(),
        lockdown=files.parsed(source, paths.LOCKDOWN, _active_word),
        systemd=source.exists(paths.SYSTEMD),
        captured_at=facts.captured_at,
        description=facts.description,
    )


def cpus(source: Source, before: Cpus | None = None) -> Cpus:
    """CPU numbers; their nodes are those of `before` where it is given."""
    possible, present, online = (
        files.parsed(source, f"{paths.CPUS}/{word}", number_list.numbers)
        for word in ("possible", "present", "online")
    )
    return Cpus(
        possible, present, online, tuple(_nodes(source)) if before is None else before.nodes
    )


def _nodes(source: Source) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The file lists CPUs that run only; a node without any has an empty one."""
    listed = files.names(source, paths.NODES)
    found = map(_NODE.fullmatch, () if isinstance(listed, Unknown) else listed)
    for number in sorted(int(node[1]) for node in found if node):
        path = f"{paths.NODES}/node{number}/cpulist"
        running = files.parsed(source, path, number_list.numbers)
        if not isinstance(running, Unknown):
            yield number, running


def kexec(source: Source, crash_size: Maybe[int], before: KexecState | None = None) -> KexecState:
    """Loaded images and limits, from files whose reading takes no lock.

    Args:
        source: The machine.
        crash_size: What was read of `kexec_crash_size`, which does take one.
        before: How it stood at an earlier look.
    """
    return KexecState(
        loaded=files.flag(source, paths.KEXEC_LOADED),
        crash_loaded=_crash_loaded(source, None if before is None else before.crash_loaded),
        crash_size=crash_size,
        elfcorehdr_size=files.number(source, "/sys/kernel/crash_elfcorehdr_size"),
        load_disabled=files.flag(source, f"{paths.SYSCTL}/kexec_load_disabled"),
        load_limit_reboot=files.number(source, f"{paths.SYSCTL}/kexec_load_limit_reboot", -1),
        load_limit_panic=files.number(source, f"{paths.SYSCTL}/kexec_load_limit_panic", -1),
        memory_available=files.parsed(source, "/proc/meminfo", meminfo.available),
    )


def _crash_loaded(source: Source, before: Maybe[bool] | None) -> Maybe[bool]:
    """Whether a crash image is loaded; a 0 that is news is read twice on a machine that runs."""
    loaded = files.flag(source, paths.CRASH_LOADED)
    if loaded is not False or before is False or source.kind is not SourceKind.LIVE:
        return loaded
    time.sleep(_APART)
    return files.flag(source, paths.CRASH_LOADED)


def crash_size(source: Source) -> Maybe[int]:
    """Bytes reserved for crash images. Reading this takes the kexec lock: not for a timer."""
    return files.number(source, paths.CRASH_SIZE)


def crash_hotplug(source: Source) -> Maybe[bool]:
    """Whether the kernel updates the loaded crash image. Takes the kexec lock: not for a timer.

    It is 0 as well where the lock is busy, so that of a machine that runs it is read twice. A load
    holds the lock for seconds: the file of the size says so, where this one has no word for it.
    """
    path = f"{paths.MEMORY}/crash_hotplug"
    updates = files.flag(source, path)
    if updates is not False or source.kind is not SourceKind.LIVE:
        return updates
    if files.flag(source, paths.CRASH_LOADED) is not True:
        return updates
    time.sleep(_APART)
    updates, size = files.flag(source, path), crash_size(source)
    if updates is False and isinstance(size, Unknown) and size.cause is Cause.UNREADABLE:
        return Unknown(size.cause, f"while the kexec lock is held it tells nothing: {size.reason}")
    return updates


def debugfs(source: Source) -> Maybe[str]:
    """Where debugfs is mounted."""
    try:
        mounts = source.read("/proc/mounts")
    except SourceError as error:
        return error.unknown
    for line in mounts.decode("utf-8", "surrogateescape").splitlines():
        words = line.split(" ")
        if len(words) > 2 and words[2] == "debugfs":
            return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), words[1])
    return NOT_MOUNTED


def _active_word(content: bytes) -> str:
    """The mode in brackets, as in `none [integrity] confidentiality`."""
    found = re.search(rb"\[([a-z]+)\]", content)
    if found is None:
        raise ValueError(content)
    return found[1].decode()
