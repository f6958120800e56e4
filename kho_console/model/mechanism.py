"""Mechanisms beside the handover that out-of-tree kernels carry, as a machine shows them."""

from typing import TYPE_CHECKING

from kho_console.model.finding import Evidence, Finding
from kho_console.model.kstate import DecodedEntry, KstateVersion
from kho_console.model.unknown import Maybe
from kho_console.model.value import dataclass

if TYPE_CHECKING:
    # Most machines have none.
    from kho_console.model.pkram import PkramImage


@dataclass(frozen=True, slots=True)
class PkramSeen:
    """PKRAM on a machine.

    Attributes:
        pfn: Page frame number of the super block; 0 for none yet.
        evidence: What names it.
        image: What it leads to.
        findings: What is to be said of it.
    """

    pfn: int
    evidence: Evidence
    image: "Maybe[PkramImage]"
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class KstateSeen:
    """A stream of kstate, in memory or in a file.

    Attributes:
        version: Its series.
        place: Where it is, in words.
        evidence: What tells of it.
        entries: Its entries, or why they cannot be read.
        cut: Whether there are more of them than are kept.
        terminated: Whether an end mark follows the last one.
        findings: What is to be said of it.
    """

    version: KstateVersion
    place: str
    evidence: Evidence
    entries: Maybe[tuple[DecodedEntry, ...]]
    cut: bool = False
    terminated: bool = False
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Mechanisms:
    """Those that a machine has; None for one that it has not.

    Attributes:
        pkram: PKRAM.
        kstate: The stream that its kernel was handed.
    """

    pkram: PkramSeen | None = None
    kstate: KstateSeen | None = None
