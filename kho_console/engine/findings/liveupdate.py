"""Live update: whether it is on, and what it complains about."""

from collections.abc import Iterator

from kho_console.abi import luo
from kho_console.abi.kernel_log import LogKind
from kho_console.engine import paths
from kho_console.engine.findings.facts import Facts, logged
from kho_console.engine.findings.rule import Found, Rule
from kho_console.model.finding import About, Evidence, Severity
from kho_console.model.unknown import Unknown

_SUBJECT = "live update"

_COMPLAINTS = {
    LogKind.NO_HANDLER: (
        Severity.ERROR,
        "A preserved file has no handler in this kernel: opening /dev/liveupdate gives EIO, and "
        "no session of the previous kernel can be had.",
        "Boot a kernel with that handler through a kexec next time; a reboot gives the memory "
        "back.",
    ),
    LogKind.FREEZE_FAILED: (
        Severity.WARNING,
        "A file handler stopped a kexec. The sessions are still staged, and it can be tried again.",
        "Ask the owner of that file what keeps it busy.",
    ),
    LogKind.FINISH_FAILED: (
        Severity.WARNING,
        "A session could not be finished when it was closed: its memory stays held until the next "
        "reboot.",
        "Reboot when the memory is needed.",
    ),
}


def without_kho(facts: Facts) -> Iterator[Found]:
    """It switches itself off then."""
    lines = facts.said(LogKind.LIVE_UPDATE_DISABLED)
    if not _asked(facts) and not lines:
        return
    off = (
        facts.absent
        and isinstance(facts.snapshot.debugfs, str)
        and facts.snapshot.liveupdate_device is False
        and facts.option("CONFIG_LIVEUPDATE") is not False
    )
    if lines or off:
        yield Found(
            Severity.WARNING,
            _SUBJECT,
            "Live update is asked for, but kexec handover is not in force, and without it live "
            "update switches itself off.",
            (
                *facts.given("liveupdate", "kho"),
                *(logged(fact) for fact in lines),
                Evidence(facts.where.root, "not there" if facts.absent else "there"),
            ),
            "Boot with kho=on liveupdate=on.",
        )


def not_built(facts: Facts) -> Iterator[Found]:
    """Kernels before 6.19 take the option for an argument of init."""
    if _asked(facts) and facts.option("CONFIG_LIVEUPDATE") is False:
        yield Found(
            Severity.INFO,
            _SUBJECT,
            "Live update is asked for on the command line, and this kernel is built without it.",
            (*facts.given("liveupdate"), facts.built_with("CONFIG_LIVEUPDATE")),
            "Boot 6.19 or later, built with CONFIG_LIVEUPDATE.",
        )


def off_after_handover(facts: Facts) -> Iterator[Found]:
    """The kernel before ran live update; this one does not."""
    incoming = facts.snapshot.incoming
    if isinstance(incoming, Unknown) or facts.snapshot.liveupdate_device is not False:
        return
    if incoming.blob(luo.NAME) is not None:
        yield Found(
            Severity.WARNING,
            _SUBJECT,
            "The previous kernel handed over live-update data, and live update is off here: its "
            "sessions cannot be retrieved, and their memory stays held until the next reboot.",
            (
                Evidence(f"{facts.where.blobs(facts.where.incoming)}/LUO", "there"),
                Evidence(paths.LIVEUPDATE, "not there"),
                *facts.given("liveupdate"),
            ),
            "Put liveupdate=on on the command line of the next kernel before a kexec.",
        )


def complaints(facts: Facts) -> Iterator[Found]:
    """Lines of the kernel log that say that a session was lost or a kexec stopped."""
    for fact in facts.said(*_COMPLAINTS):
        severity, text, remedy = _COMPLAINTS[fact.kind]
        yield Found(severity, _SUBJECT, text, (logged(fact),), remedy)


def _asked(facts: Facts) -> bool:
    return facts.line is not None and facts.line.liveupdate is True


RULES = (
    Rule(
        "liveupdate-error", "live update complained in the kernel log", complaints, About.SESSIONS
    ),
    Rule("liveupdate-without-kho", "live update is on without KHO", without_kho, About.SESSIONS),
    Rule(
        "liveupdate-off-after-handover",
        "sessions came in, live update is off",
        off_after_handover,
        About.SESSIONS,
    ),
    Rule(
        "liveupdate-not-built", "live update is asked for and not built", not_built, About.SESSIONS
    ),
)
