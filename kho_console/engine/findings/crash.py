"""The crash kernel: its memory, its image, and whether hotplug reaches it."""

from collections.abc import Iterator

from kho_console.abi import elfcorehdr_size
from kho_console.abi.kernel_log import LogKind
from kho_console.abi.scratch_request import Malformed
from kho_console.engine import paths
from kho_console.engine.findings.facts import Facts, logged
from kho_console.engine.findings.rule import Found, Rule
from kho_console.engine.findings.words import size
from kho_console.model.finding import About, Evidence, Severity
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Unknown

_SUBJECT = "crash image"
_SIZE = "/sys/kernel/kexec_crash_size"
_NOT_SHOWN = (Cause.NOT_PERMITTED, Cause.NOT_RECORDED)
"""What an operator knows of without a finding."""

_HOTPLUG = f"{paths.MEMORY}/crash_hotplug"


def not_reserved(facts: Facts) -> Iterator[Found]:
    """No memory for a crash kernel."""
    if facts.snapshot.kexec.crash_size != 0:
        return
    options = facts.line.crashkernel if facts.line else ()
    asked = any(not isinstance(option, Malformed) for option in options)
    remedy = "Boot with crashkernel=256M or what your distribution advises."
    if not asked:
        why = "nothing on the command line asks for it"
    elif facts.snapshot.booted_through_handover is True:
        why = (
            "after a handover crashkernel= is carved out of the scratch areas, and may not have "
            "fitted, or it was given back"
        )
        remedy = "Boot cold with larger areas (kho_scratch=), or ask for a smaller crashkernel=."
    else:
        why = "crashkernel= did not succeed, does not apply to this much memory, or was given back"
    yield Found(
        Severity.WARNING if asked else Severity.INFO,
        "crash kernel",
        f"No memory is reserved for a crash kernel ({why}): a panic leaves no dump.",
        (Evidence(_SIZE, "0"), *facts.given("crashkernel")),
        remedy,
    )


def not_loaded(facts: Facts) -> Iterator[Found]:
    """There is memory for it, and no image."""
    kexec = facts.snapshot.kexec
    if facts.snapshot.crash.armed is True:
        return
    if kexec.crash_loaded is False and isinstance(kexec.crash_size, int) and kexec.crash_size:
        yield Found(
            Severity.WARNING,
            _SUBJECT,
            f"{size(kexec.crash_size)} are reserved for a crash kernel and no crash image is "
            "loaded: a panic leaves no dump.",
            (Evidence(paths.CRASH_LOADED, "0"), Evidence(_SIZE, str(kexec.crash_size))),
            "Start the kdump service, or load a crash image (kexec -p).",
        )


def armed_unknown(facts: Facts) -> Iterator[Found]:
    """There is memory for an image, and the file that tells of one does not."""
    loaded, regions = facts.snapshot.kexec.crash_loaded, facts.snapshot.memory.crash_regions
    if not isinstance(loaded, Unknown) or loaded.cause in _NOT_SHOWN:
        return
    if not isinstance(regions, Unknown) and regions:
        yield Found(
            Severity.WARNING,
            _SUBJECT,
            "Whether a crash image is loaded is not known, though memory is reserved for one: "
            "nobody can say whether a panic leaves a dump.",
            (
                Evidence(
                    paths.CRASH_LOADED, loaded.reason.removeprefix(paths.CRASH_LOADED).lstrip(": ")
                ),
            ),
            "Ask the kdump service whether it has loaded one.",
        )


def not_updatable(facts: Facts) -> Iterator[Found]:
    """An image from kexec_load without the flag for it, or a kernel that updates none."""
    snapshot = facts.snapshot
    if snapshot.kexec.crash_loaded is not True:
        return
    if _never_updates(snapshot):
        yield Found(
            Severity.WARNING,
            _SUBJECT,
            "This kernel updates no crash image: after CPUs or memory come or go, it must be "
            "loaded again.",
            (Evidence(paths.CRASH_LOADED, "1"), Evidence(_HOTPLUG, "not there")),
            "See that the kdump service loads it again at such events.",
        )
    elif snapshot.inventory.crash_hotplug is False:
        yield Found(
            Severity.WARNING,
            _SUBJECT,
            "The kernel does not update the loaded crash image: after CPUs or memory come or go, "
            "it must be loaded again.",
            (Evidence(paths.CRASH_LOADED, "1"), Evidence(_HOTPLUG, "0")),
            "Load it with kexec_file_load (kexec -p -s), or with kexec -p --hotplug.",
        )


def _never_updates(snapshot: Snapshot) -> bool:
    """No such file, on an architecture without it or a kernel built without."""
    shown = snapshot.inventory.crash_hotplug
    if not isinstance(shown, Unknown) or shown.cause is not Cause.ABSENT:
        return False
    known = elfcorehdr_size.architecture(snapshot.machine.architecture)
    config = snapshot.machine.config
    without = not isinstance(config, Unknown) and "CONFIG_CRASH_HOTPLUG" not in config
    return without or (known is not None and not known.updates)


def event_lost(facts: Facts) -> Iterator[Found]:
    """An event during a load or another update finds the lock taken, and is not tried again."""
    lines = facts.said(LogKind.CRASH_EVENT_LOST)
    if lines and facts.snapshot.kexec.crash_loaded is True:
        yield Found(
            Severity.WARNING,
            _SUBJECT,
            "A hotplug event was dropped while another kexec operation ran: unless the crash "
            "image was loaded again since, it may describe memory as it was before.",
            tuple(logged(fact) for fact in lines),
            "Compare the crash image with the machine, and load it again where it differs.",
        )


def update_failed(facts: Facts) -> Iterator[Found]:
    """The old header stays, and nothing but the log says so."""
    lines = facts.said(LogKind.CRASH_UPDATE_FAILED, LogKind.CRASH_TOO_SMALL)
    if lines and facts.snapshot.kexec.crash_loaded is True:
        yield Found(
            Severity.WARNING,
            _SUBJECT,
            "The kernel could not update the crash image after a hotplug event: unless it was "
            "loaded again since, it describes memory as it was before.",
            tuple(logged(fact) for fact in lines),
            "Load the crash image again.",
        )


RULES = (
    Rule("crash-not-loaded", "memory is reserved, no crash image loaded", not_loaded, About.CRASH),
    Rule("crash-armed-unknown", "not known whether an image is loaded", armed_unknown, About.CRASH),
    Rule("crash-not-reserved", "no memory for a crash kernel", not_reserved, About.CRASH),
    Rule(
        "crash-not-updatable", "hotplug does not reach the crash image", not_updatable, About.CRASH
    ),
    Rule("crash-event-lost", "a hotplug event was dropped", event_lost, About.CRASH),
    Rule("crash-update-failed", "the crash image could not be updated", update_failed, About.CRASH),
)
