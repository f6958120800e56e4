"""What the posted series do that nobody wanted, each by a name."""

from enum import StrEnum

from kho_console.model.kstate import KstateVersion
from kho_console.model.value import dataclass


class Defect(StrEnum):
    """A defect; the value is its sentence."""

    END_IS_COMPARED = "an end mark with another flag is no end mark: fields run on behind the array"
    BYTE_IS_BOOL = "the order of a preserved page is read as a truth value: two pages at most"
    READS_ON = "an entry is not bounded by its size: what is missing is taken from behind it"
    LED_BACK = "a size below zero leads back to what was read, and the walk never ends"
    COUNTED_AGAIN = "how many there are is counted again, and it is another number"
    NOT_CONSUMED = "what an entry has too much is never noticed"
    STALE_COUNT = "the count of pages is restored over the live one while the list is empty"
    PAGE_TWICE = "nothing clears the list of pages: what is registered again is saved again"
    NO_BOUNDS = "the stream is written over what lies behind its 8 MiB"
    PREFIX_LOST = "the option of the stream is written over the elfcorehdr= of a crash image"
    FOLIO_LOST = "the stream grows into a new folio and goes on in the one that was freed"
    UNKNOWN_FREED = "what was never registered is unregistered, and a wild pointer freed"
    STALE_ID = "an empty stream is judged by stale bytes behind its end mark"
    UNPROTECTED = "where preserved pages are, frame numbers are taken for addresses"
    BUFFER_LEAKED = "saving fails and the buffer of the stream is never freed"
    ONE_ORDER = "the stream grows by one order, however much is written, and runs over its end"
    NAME_UNPADDED = "a region is looked up by what lies behind the end of its name, too"
    ENDLESS_ZEROS = "the walk over an area of zeros never ends"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the posted series.

    Attributes:
        number: Which it is of those that are known of kstate.
        series: Those that have it.
        finding: What `decode kstate` calls the trace that it leaves in a stream, None where that
            is none.
    """

    number: int
    series: frozenset[KstateVersion]
    finding: str | None = None


_V1, _V2, _DEV, _V3 = (frozenset({version}) for version in KstateVersion)
_SEGMENT = _V1 | _V2 | _DEV
_ALL = _SEGMENT | _V3
KNOWN = {
    Defect.END_IS_COMPARED: Known(1, _ALL, "kstate-end-is-compared"),
    Defect.BYTE_IS_BOOL: Known(2, _SEGMENT, "kstate-order-is-bool"),
    Defect.READS_ON: Known(3, _ALL, "kstate-does-not-fit"),
    Defect.NOT_CONSUMED: Known(3, _ALL, "kstate-does-not-fit"),
    Defect.LED_BACK: Known(3, _ALL, "kstate-led-back"),
    Defect.COUNTED_AGAIN: Known(4, _ALL, "kstate-counted-again"),
    Defect.STALE_COUNT: Known(5, _SEGMENT, "kstate-stale-count"),
    Defect.PAGE_TWICE: Known(6, _SEGMENT, "kstate-page-twice"),
    Defect.NO_BOUNDS: Known(7, _V1, "kstate-v1-no-bounds"),
    Defect.ENDLESS_ZEROS: Known(7, _ALL, "kstate-endless-zeros"),
    Defect.UNPROTECTED: Known(8, _V2, "kstate-v2-unprotected"),
    Defect.PREFIX_LOST: Known(9, _V2 | _DEV),
    Defect.BUFFER_LEAKED: Known(10, _V2),
    Defect.FOLIO_LOST: Known(11, _V3, "kstate-v3-growth"),
    Defect.ONE_ORDER: Known(12, _V3, "kstate-v3-one-order"),
    Defect.UNKNOWN_FREED: Known(13, _V3),
    Defect.NAME_UNPADDED: Known(15, _V3, "kstate-v3-name"),
    Defect.STALE_ID: Known(16, _V3, "kstate-v3-stale-id"),
}

NOT_MODELLED = {
    "kstate 7, in part": "callbacks that fail or step back: what a callback does is in no "
    "description",
    "kstate 8, in part": "a registration whose error nobody looks at: it fails without memory only",
    "kstate 13, in part": "an init value that was never set, and an abort that undoes nothing: "
    "what follows depends on the rest of the kernel",
    "kstate 14": "variables of two names in drivers/of/fdt.c: such a kernel is never built",
    "PKRAM 6": "the walk that may not end looks for a hole top down, where the twin places nothing",
    "PKRAM 7": "remnants of a merge: such a kernel is never built",
    "PKRAM 8": "nothing has a checksum: there is nothing that a kernel would do",
}
"""What the postings are known for and no twin does, and why; numbers are in their order."""


class KernelFault(Exception):
    """The kernel stops or destroys memory.

    Attributes:
        defect: Why.
    """

    def __init__(self, defect: Defect) -> None:
        super().__init__(defect)
        self.defect = defect
