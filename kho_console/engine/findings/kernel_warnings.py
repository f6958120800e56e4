"""What the kernel itself complained about while it worked on a handover or an image."""

from collections.abc import Iterator

from kho_console.abi.kernel_warning import KernelWarning
from kho_console.engine.findings.facts import KERNEL_LOG, Facts
from kho_console.engine.findings.rule import Found, Rule
from kho_console.engine.findings.words import count, plain
from kho_console.engine.handover_code import calls_of_handover, of_handover
from kho_console.model.finding import About, Evidence, Severity

_MOST_CALLS = 4

_REMEDY = (
    "Do not rely on a handover out of this boot: reboot through the firmware first. Report the "
    "lines to those who maintain this kernel."
)


def warned(facts: Facts) -> Iterator[Found]:
    """Each place once, however often it complained."""
    by_place: dict[str, list[KernelWarning]] = {}
    for warning in facts.warnings:
        by_place.setdefault(_where(warning), []).append(warning)
    for where, found in by_place.items():
        first = found[0]
        times = "" if len(found) == 1 else f" ({count(len(found), 'time')})"
        if first.fatal:
            severity, did = Severity.ERROR, "broke off"
        else:
            severity, did = Severity.WARNING, "warned"
        calls = calls_of_handover(first)[:_MOST_CALLS]
        words = (line.text.strip() for line in (*first.said, *(call.line for call in calls)))
        yield Found(
            severity,
            "kernel log",
            f"The kernel {did} {where}{times}: what that leaves of the handover or of a loaded "
            "image is not known.",
            tuple(Evidence(KERNEL_LOG, line) for line in dict.fromkeys(words) if line),
            _REMEDY,
        )


def _where(warning: KernelWarning) -> str:
    """`at mm/slub.c:6795 in free_large_kmalloc, called through kho_abort`."""
    parts = []
    if warning.file is not None:
        parts.append(f"at {plain(warning.file)}:{warning.number}")
    if warning.function is not None:
        parts.append(f"in {plain(warning.function)}")
    place = " ".join(parts) or "at a place that it does not tell"
    calls = calls_of_handover(warning)
    if calls and not any(map(of_handover, (warning.file or "", warning.function or ""))):
        return f"{place}, called through {plain(calls[0].function)}"
    return place


RULES = (
    Rule(
        "kernel-warning",
        "the kernel complained about handover code in its log",
        warned,
        About.KERNEL_LOG,
    ),
)
