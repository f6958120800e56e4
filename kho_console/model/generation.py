"""Which handover mechanism a kernel speaks, and what its life cycle is."""

from enum import StrEnum

from kho_console.model.unknown import Maybe
from kho_console.model.value import dataclass


class Protocol(StrEnum):
    """The handover format by the word of its root tree; `kho-v1` names several map formats."""

    RFC_2024 = "2024-rfc"
    KHO_V1 = "kho-v1"
    KHO_V3 = "kho-v3"
    KHO_V4 = "kho-v4"
    UNKNOWN = "unknown"
    NONE = "none"


class MapFormat(StrEnum):
    """How preserved memory is written down."""

    MEM_ARRAYS = "mem-arrays"
    CHUNKS_512 = "chunks-512"
    CHUNKS_PAGE = "chunks-page"
    RADIX = "radix"


class Finalize(StrEnum):
    """Whether there is a step between preserving and the kexec, and whether it can be undone."""

    REVERSIBLE = "reversible"
    LATCHING = "latching"
    NONE = "none"
    ACTIVE_FILE = "active-file"
    UNKNOWN = "unknown"


class State(StrEnum):
    """Where the running kernel stands in its own life cycle."""

    OPEN = "open"
    FINALIZED = "finalized"
    STATELESS = "stateless"
    UNAVAILABLE = "unavailable"


_OF_ACTIVE = {State.OPEN: "inactive", State.FINALIZED: "active"}
"""What the file of the series of 2024 calls them."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What the files and bytes of a kernel say about its handover mechanism.

    Attributes:
        protocol: The word of the root tree, or what stands in for it.
        finalize: The kind of its finalize step.
        releases: Kernel releases that show these files, in words.
        folder: The directory of its scratch files and of its switch.
        scratch: First part of the names of the scratch files: `scratch`, or `bootmem` from 7.4.
        incoming: The directory of what came in, there after a handover only; None where this
            generation shows nothing of it.
        order_matters: Whether an image carries the handover only if it was loaded after the step.
        evidence: What was seen that led to this answer, one phrase each.
    """

    protocol: Protocol
    finalize: Finalize
    releases: str
    folder: str
    scratch: str = "scratch"
    incoming: str | None = None
    order_matters: Maybe[bool] = False
    evidence: tuple[str, ...] = ()

    @property
    def switch(self) -> str | None:
        """The file of its finalize step, None where there is no step or none is known."""
        if self.finalize in (Finalize.NONE, Finalize.UNKNOWN):
            return None
        name = "active" if self.finalize is Finalize.ACTIVE_FILE else "finalize"
        return f"{self.folder}/{name}"

    def standing(self, state: State) -> str:
        """A state in the words of this generation's own step."""
        words = _OF_ACTIVE if self.finalize is Finalize.ACTIVE_FILE else {}
        return words.get(state, state.value)
