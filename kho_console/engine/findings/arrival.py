"""Whether this kernel took what the one before offered."""

from collections.abc import Iterator

from kho_console.abi.kernel_log import LogFact, LogKind
from kho_console.engine import paths
from kho_console.engine.findings.facts import Facts, logged
from kho_console.engine.findings.rule import Found, Rule
from kho_console.engine.findings.words import plain
from kho_console.model.finding import About, Evidence, Severity

_SUBJECT = "incoming handover"

_ERRORS = {
    -2: "the kernel before was not finalized",
    -14: "its memory could not be mapped",
    -22: "the root tree is damaged or of another version",
}
"""Codes of `disabling KHO revival: -N`, 6.16 to 7.0; later kernels give none."""


def refused(facts: Facts) -> Iterator[Found]:
    """The kernel said no, or shows no incoming side although one was offered."""
    lines = facts.said(LogKind.INCOMPATIBLE, LogKind.REVIVAL_DISABLED)
    if lines:
        yield Found(
            Severity.ERROR,
            _SUBJECT,
            f"A handover was offered and refused: {_reason(lines)}. Everything the kernel before "
            "preserved is lost.",
            tuple(logged(fact) for fact in lines) + _offer(facts),
            "Compare the handover version of both kernels before the next kexec.",
        )
        return
    snapshot = facts.snapshot
    if snapshot.offered is not True or snapshot.booted_through_handover is not False:
        return
    if snapshot.unavailable is None and snapshot.generation.incoming is not None:
        yield Found(
            Severity.ERROR,
            _SUBJECT,
            "A handover was offered to this kernel, and it shows no incoming side: it was not "
            "taken, and what the kernel before preserved is lost.",
            (*_offer(facts), Evidence(snapshot.generation.incoming, "not there")),
            "Read the lines of KHO in the kernel log of this boot.",
        )


def left_over(facts: Facts) -> Iterator[Found]:
    """KHO is built and off: the memory is set aside, and no interface gives it back."""
    snapshot = facts.snapshot
    if snapshot.offered is not True or snapshot.unavailable is None:
        return
    if facts.said(LogKind.INCOMPATIBLE, LogKind.REVIVAL_DISABLED):
        # What it refused it did not set aside.
        return
    if facts.kho_built is not False and facts.kho_enabled is False:
        yield Found(
            Severity.WARNING,
            _SUBJECT,
            "A handover was offered while kexec handover is off for this boot: the preserved "
            "memory stays reserved until the next reboot, and nobody can claim it.",
            (*_offer(facts), *facts.given("kho")),
            "Put kho=on on the command line of the next kernel before a kexec.",
        )


def _reason(lines: tuple[LogFact, ...]) -> str:
    for fact in lines:
        if fact.kind is LogKind.INCOMPATIBLE:
            return f"this kernel takes {plain(str(fact.values['compatible']))} only"
    code = lines[0].values.get("error")
    if not isinstance(code, int):
        return "the kernel does not say why"
    return _ERRORS.get(code, f"error {code}")


def _offer(facts: Facts) -> tuple[Evidence, ...]:
    if facts.snapshot.offered is not True:
        return ()
    if facts.snapshot.machine.architecture == "x86_64":
        return (Evidence(paths.SETUP_DATA, "an entry of type 0xa"),)
    return (Evidence(f"{paths.CHOSEN}/linux,kho-fdt", "there"),)


RULES = (
    Rule("handover-refused", "a handover was offered and not taken", refused, About.ARRIVAL),
    Rule("handover-left-over", "a handover was offered while KHO is off", left_over, About.ARRIVAL),
)
