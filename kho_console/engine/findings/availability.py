"""Why there is no handover to see."""

from collections.abc import Iterator

from kho_console.abi.kernel_log import LogFact, LogKind
from kho_console.engine import machine, paths
from kho_console.engine.findings.facts import Facts, logged
from kho_console.engine.findings.rule import Found, Rule
from kho_console.engine.findings.words import plain
from kho_console.model.finding import About, Evidence, Severity
from kho_console.model.unknown import Cause

_SUBJECT = "kexec handover"
_DEFAULT = "CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT"


def not_built(facts: Facts) -> Iterator[Found]:
    """The configuration says so."""
    if facts.snapshot.unavailable is not None and facts.kho_built is False:
        yield Found(
            Severity.WARNING,
            _SUBJECT,
            "This kernel is built without kexec handover: nothing can come in or go out.",
            (facts.built_with("CONFIG_KEXEC_HANDOVER"),),
            "Boot a kernel built with CONFIG_KEXEC_HANDOVER.",
        )
    elif facts.snapshot.unavailable is not None and _too_old(facts):
        yield Found(
            Severity.WARNING,
            _SUBJECT,
            "This kernel is older than kexec handover, which came with 6.16, and shows no sign of "
            "it.",
            (
                Evidence("release", facts.snapshot.machine.release),
                Evidence(paths.CMDLINE, "no kho="),
            ),
            "Boot a kernel built with CONFIG_KEXEC_HANDOVER.",
        )


def deferred_struct_pages(facts: Facts) -> Iterator[Found]:
    """Up to 7.1 this option and KHO exclude each other in Kconfig."""
    conflict = facts.option("CONFIG_DEFERRED_STRUCT_PAGE_INIT") and facts.kho_built is False
    if conflict and facts.release is not None and facts.release < (7, 2):
        yield Found(
            Severity.INFO,
            "kernel configuration",
            "Deferred initialisation of struct pages is built in, and up to 7.1 that excludes "
            "kexec handover from the build.",
            (facts.built_with("CONFIG_DEFERRED_STRUCT_PAGE_INIT"),),
            "Build without CONFIG_DEFERRED_STRUCT_PAGE_INIT, or use 7.2 or later.",
        )


def not_enabled(facts: Facts) -> Iterator[Found]:
    """The last well-formed `kho=` or the default is off."""
    if facts.snapshot.unavailable is None or not _off(facts):
        return
    given = facts.given("kho")
    said = "kho= on the command line switches it off" if given else "nothing switches it on"
    yield Found(
        Severity.WARNING,
        _SUBJECT,
        f"Kexec handover is off for this boot: {said}.",
        given or (Evidence(paths.CMDLINE, "no kho="), facts.built_with(_DEFAULT)),
        "Boot with kho=on.",
    )


def reservation_failed(facts: Facts) -> Iterator[Found]:
    """The kernel switches KHO off for the boot then; it says so from 6.17 on."""
    lines = _disabled(facts, kdump=False) + facts.said(LogKind.SCRATCH_FAILED)
    if facts.snapshot.unavailable is not None and lines:
        yield Found(
            Severity.ERROR,
            _SUBJECT,
            "The kernel could not reserve its scratch areas at boot and switched kexec handover "
            "off until the next one.",
            tuple(logged(fact) for fact in lines) + facts.given("kho_scratch", "kho_bootmem"),
            "Ask for smaller areas with kho_scratch=, or give the machine more memory, and reboot.",
        )


def kdump_kernel(facts: Facts) -> Iterator[Found]:
    """A crash kernel switches KHO off from 7.3 on."""
    if facts.snapshot.unavailable is None or facts.kho_built is False:
        return
    lines = tuple(logged(fact) for fact in _disabled(facts, kdump=True))
    if not lines and facts.release is not None and facts.release >= (7, 3):
        lines = facts.given("elfcorehdr")
    if lines:
        yield Found(
            Severity.INFO,
            _SUBJECT,
            "This is a kdump kernel, which keeps kexec handover off; what the crashed kernel "
            "preserved is lost.",
            lines,
            "Save the dump and reboot into the normal kernel.",
        )


def not_mounted(facts: Facts) -> Iterator[Found]:
    """There is no debugfs; where KHO is off anyway, mounting it would not help."""
    if facts.absent and facts.snapshot.debugfs == machine.NOT_MOUNTED and not _pointless(facts):
        yield Found(
            Severity.WARNING,
            "debugfs",
            "debugfs is not mounted, and the kernel shows its handover nowhere else.",
            (Evidence("/proc/mounts", "no debugfs"),),
            f"mount -t debugfs none {paths.DEBUGFS}",
        )


def not_permitted(facts: Facts) -> Iterator[Found]:
    """The mount of debugfs has mode 0700."""
    why = facts.snapshot.unavailable
    if why is not None and why.cause is Cause.NOT_PERMITTED and not _pointless(facts):
        yield Found(
            Severity.WARNING,
            "debugfs",
            "debugfs may not be read by this user, so whether there is a handover cannot be seen.",
            (Evidence(facts.where.root, why.reason),),
            "Run as root.",
        )


def debugfs_not_built(facts: Facts) -> Iterator[Found]:
    """From 6.19 on the directory has a build option of its own."""
    proof = _proof_of_handover(facts)
    if (
        facts.absent
        and isinstance(facts.snapshot.debugfs, str)
        and proof
        and not _pointless(facts)
        and not facts.said(LogKind.HANDOVER_DISABLED)
    ):
        yield Found(
            Severity.WARNING,
            facts.where.root,
            "Kexec handover is there, but the kernel does not show it in debugfs.",
            proof,
            "Boot a kernel built with CONFIG_KEXEC_HANDOVER_DEBUGFS.",
        )


def unknown_why(facts: Facts) -> Iterator[Found]:
    """No other rule of this module explains it."""
    why = facts.snapshot.unavailable
    if why is None or any(found for rule in _CAUSES for found in rule.find(facts)):
        return
    yield Found(
        Severity.WARNING,
        _SUBJECT,
        f"There is no handover to see, and nothing readable tells why: {plain(why.reason)}.",
        (Evidence(facts.where.root, why.reason), facts.built_with("CONFIG_KEXEC_HANDOVER")),
        "Read the kernel log of this boot: up to 7.0 a failed reservation leaves few traces.",
    )


def _off(facts: Facts) -> bool:
    return facts.kho_enabled is False and facts.kho_built is not False and not _too_old(facts)


def _too_old(facts: Facts) -> bool:
    """Whether nothing but the release tells that the kernel has no KHO; a patched one has kho=."""
    old = facts.release is not None and facts.release < (6, 16)
    return old and facts.kho_built is None and not facts.given("kho", "kho_scratch")


def _pointless(facts: Facts) -> bool:
    """Whether KHO is off for certain, so that looking better would show nothing."""
    return facts.kho_built is False or facts.kho_enabled is False


def _disabled(facts: Facts, *, kdump: bool) -> tuple[LogFact, ...]:
    lines = facts.said(LogKind.HANDOVER_DISABLED)
    return tuple(fact for fact in lines if ("kdump" in fact.line.text) is kdump)


def _proof_of_handover(facts: Facts) -> tuple[Evidence, ...]:
    """What shows that KHO is on although its directory is not there."""
    if facts.snapshot.liveupdate_device is True:
        return (Evidence(paths.LIVEUPDATE, "there, which needs kexec handover"),)
    accepted = facts.said(LogKind.HANDOVER_FOUND)
    if accepted and not facts.said(LogKind.REVIVAL_DISABLED):
        return tuple(logged(fact) for fact in accepted)
    # Before 6.19 the option did not exist and debugfs came with KHO.
    separate = facts.release is not None and facts.release >= (6, 19)
    hidden = facts.option("CONFIG_KEXEC_HANDOVER_DEBUGFS") is False
    if separate and hidden and facts.kho_built and facts.kho_enabled:
        return (facts.built_with("CONFIG_KEXEC_HANDOVER_DEBUGFS"), *facts.given("kho"))
    return ()


_CAUSES = (
    Rule("kho-not-built", "the kernel is built without KHO", not_built, About.AVAILABILITY),
    Rule("kho-not-enabled", "KHO is built, and off for this boot", not_enabled, About.AVAILABILITY),
    Rule(
        "kho-reservation-failed",
        "scratch could not be reserved at boot",
        reservation_failed,
        About.AVAILABILITY,
    ),
    Rule("kho-kdump-kernel", "a kdump kernel keeps KHO off", kdump_kernel, About.AVAILABILITY),
    Rule("debugfs-not-mounted", "debugfs is not mounted", not_mounted, About.AVAILABILITY),
    Rule("debugfs-not-permitted", "debugfs may not be read", not_permitted, About.AVAILABILITY),
    Rule(
        "kho-debugfs-not-built",
        "KHO is on, its debugfs is not built",
        debugfs_not_built,
        About.AVAILABILITY,
    ),
)
RULES = (
    *_CAUSES,
    Rule(
        "kho-unknown-why",
        "no handover to see, for no known reason",
        unknown_why,
        About.AVAILABILITY,
    ),
    Rule(
        "deferred-struct-page",
        "an option excludes KHO up to 7.1",
        deferred_struct_pages,
        About.AVAILABILITY,
    ),
)
IDS = frozenset(rule.id for rule in RULES)
