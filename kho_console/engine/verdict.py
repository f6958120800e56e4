"""The first answer: would the next reboot hand over, and if not, why not."""

from collections.abc import Iterable
from enum import StrEnum

from kho_console.abi import luo
from kho_console.model.finding import Finding, Severity
from kho_console.model.generation import Finalize, State
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.model.value import dataclass


class Standing(StrEnum):
    """How the answer begins."""

    READY = "ready"
    CONDITIONAL = "ready, on one condition"
    FLAWED = "ready, with errors"
    NOT_YET = "not yet"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the next reboot would hand over.

    Attributes:
        standing: The answer.
        sentence: What it rests on.
        detail: What else an operator must know to rely on it.
    """

    standing: Standing
    sentence: str
    detail: str = ""


_CERTAIN = frozenset(
    {"kho-not-built", "kho-not-enabled", "kho-reservation-failed", "kho-kdump-kernel"}
)
"""Findings that explain for certain why there is no handover."""

_HOPELESS = frozenset(
    {
        "scratch-missing",
        "map-overlaps-scratch",
        "map-outside-ram",
        "map-unreadable",
        "tree-damaged",
    }
)
"""Errors of what goes out that no step on the way to the kexec mends."""

_BY_FILE = "it carries the handover only if it was loaded by file (kexec -s)"
"""Segments loaded by kexec_load(2) carry no handover, in every release."""


def judge(snapshot: Snapshot, findings: Iterable[Finding] = ()) -> Verdict:
    """The answer for a snapshot, with what was found about it."""
    if snapshot.unavailable is not None:
        return _unavailable(snapshot.unavailable, findings)
    if snapshot.state is State.UNAVAILABLE:
        detail = "its file cannot be read; run it as root, without lockdown"
        return Verdict(Standing.UNKNOWN, "whether the handover is finalized is not known", detail)
    answer = _life_cycle(snapshot)
    findings = tuple(findings)
    if answer.standing is Standing.NOT_YET and (cause := _hopeless(findings)) is not None:
        return Verdict(Standing.NO, cause.text, cause.remedy or "")
    errors = any(item.severity is Severity.ERROR for item in findings)
    if not errors or answer.standing not in (Standing.READY, Standing.CONDITIONAL):
        return answer
    only = "but only if " if answer.standing is Standing.CONDITIONAL else ""
    detail = "read the errors below before the reboot"
    return Verdict(Standing.FLAWED, only + answer.sentence, detail)


def _unavailable(why: Unknown, findings: Iterable[Finding]) -> Verdict:
    """In the words of the finding that explains it, so that both say the same."""
    # Imported late: a face names standings long before the rules of the findings are needed.
    from kho_console.engine.findings import availability

    cause = next((item for item in findings if item.id in _CERTAIN), None)
    if cause is not None:
        return Verdict(Standing.NO, cause.text, cause.remedy or why.reason)
    cause = next((item for item in findings if item.id in availability.IDS), None)
    if cause is not None:
        return Verdict(Standing.UNKNOWN, cause.text, cause.remedy or why.reason)
    return Verdict(Standing.UNKNOWN, "there is no handover to see", why.reason)


def _hopeless(findings: Iterable[Finding]) -> Finding | None:
    """The first error for which no further step helps."""
    return next(
        (
            item
            for item in findings
            if item.id in _HOPELESS and item.severity is Severity.ERROR and not item.thing.incoming
        ),
        None,
    )


def _life_cycle(snapshot: Snapshot) -> Verdict:
    match snapshot.generation.finalize:
        case Finalize.UNKNOWN:
            detail = "its files cannot be looked at; run as root"
            return Verdict(Standing.UNKNOWN, "the life cycle of this kernel is not known", detail)
        case Finalize.NONE:
            return _loaded(snapshot, "an image is loaded, the next reboot will kexec into it")
        case Finalize.LATCHING:
            return _latching(snapshot)
        case Finalize.REVERSIBLE:
            return _ordered(snapshot, "finalized", "finalize", "finalizing")
        case Finalize.ACTIVE_FILE:
            return _ordered(snapshot, "active", "write 1 to active", "writing 1 to active")


def _loaded(snapshot: Snapshot, ready: str, before: str = "") -> Verdict:
    """The answer where only the image is left to ask for."""
    loaded = snapshot.kexec.loaded
    if isinstance(loaded, Unknown):
        return Verdict(Standing.UNKNOWN, "whether an image is loaded is not known", loaded.reason)
    if loaded:
        return Verdict(Standing.READY, ready, _BY_FILE)
    if snapshot.kexec.load_disabled is True:
        sentence = f"{before}no image is loaded, and loading is disabled"
        return Verdict(Standing.NO, sentence, "kexec_load_disabled is 1 until the next reboot")
    return Verdict(Standing.NOT_YET, f"{before}no image is loaded", "load one by file (kexec -s)")


def _latching(snapshot: Snapshot) -> Verdict:
    """6.19 and 7.0: any order, and with live update on the reboot finalizes by itself."""
    if snapshot.state is State.FINALIZED:
        return _loaded(snapshot, "finalized, and an image is loaded", "finalized, but ")
    if snapshot.liveupdate_device is True or snapshot.outgoing.blob(luo.NAME) is not None:
        ready = "an image is loaded; live update is on, so the reboot finalizes by itself"
        return _loaded(snapshot, ready)
    before = _loaded(snapshot, "")
    if before.standing is not Standing.READY:
        return Verdict(before.standing, f"not finalized; {before.sentence}", before.detail)
    return Verdict(
        Standing.NOT_YET,
        "an image is loaded, but nothing is finalized",
        "finalize before the reboot, or the next kernel finds no map and drops everything",
    )


def _ordered(snapshot: Snapshot, done: str, step: str, doing: str) -> Verdict:
    """The handover goes with an image only if it was finalized before the image was loaded.

    Once both are done, no file tells which came first; nor does one tell whether a step was taken
    back after the load, and then the image still leads to what it found.
    """
    if snapshot.state is State.FINALIZED:
        answer = _loaded(snapshot, f"{done}, and an image is loaded", f"{done}, but ")
        if answer.standing is not Standing.READY or snapshot.generation.order_matters is False:
            return answer
        return Verdict(
            Standing.CONDITIONAL,
            f"the image was loaded after {doing}",
            "no file tells which came first; if unsure, load it again (kexec -s)",
        )
    if snapshot.kexec.loaded is True and snapshot.generation.order_matters is not True:
        detail = f"{step}, and load the image again: whether the order matters here is not known"
        return Verdict(Standing.NOT_YET, f"an image is loaded, but not {done}", detail)
    if snapshot.kexec.loaded is True:
        return Verdict(
            Standing.NOT_YET,
            f"the image was loaded while the handover was not {done}, or it was taken back since",
            "unload it before any reboot: it carries no handover, or one that is no longer kept; "
            f"then {step}, then load it again",
        )
    return Verdict(Standing.NOT_YET, f"not {done}", f"{step}, then load an image (kexec -s)")
