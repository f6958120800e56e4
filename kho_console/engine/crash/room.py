"""How full the segment of the ELF core header is; the kernel never makes it larger."""

from kho_console.abi import elfcorehdr_size
from kho_console.abi.elfcorehdr import ALIGN
from kho_console.engine.crash.header import Found
from kho_console.model.crash import LoadKind, Room
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source

_X86 = "x86_64"
_CHOSEN = Unknown(
    Cause.UNSUPPORTED, "an image from kexec_load has a segment of the size that kexec chose"
)
_NO_SIZE = Unknown(Cause.INVALID, "the kernel recommends 0 bytes, which hold no header")
_TOO_MANY = Unknown(
    Cause.UNSUPPORTED, "the kernel gives no room for more entries than an ELF header can count"
)


def room(source: Source, found: Found, recommended: Maybe[int]) -> Maybe[Room]:
    """The header against its segment.

    Args:
        source: The machine.
        found: The header and where it lies.
        recommended: What `crash_elfcorehdr_size` says.
    """
    if isinstance(recommended, Unknown):
        return recommended
    facts, header = source.facts(), found.header
    known = elfcorehdr_size.architecture(facts.machine)
    if known is None or not known.updates:
        reason = f"on {facts.machine} the kernel does not update the header"
        return Unknown(Cause.UNSUPPORTED, reason)
    if known.name == _X86 and not found.first:
        return _CHOSEN
    if not recommended:
        return _NO_SIZE
    if elfcorehdr_size.too_many_to_grow(known, recommended):
        return _TOO_MANY
    size = elfcorehdr_size.segment_size(known, recommended, max(facts.page_size, ALIGN))
    ranges = sum(load.kind is not LoadKind.TEXT for load in header.loads)
    cpus = max(len(header.notes) - 1, 0)
    used = elfcorehdr_size.needed(cpus, ranges)
    if used > size:
        reason = f"a header of {used} bytes is in no segment of {size}, as this kernel makes them"
        return Unknown(Cause.INVALID, reason)
    return Room(used, size, ranges, elfcorehdr_size.most_ranges(size, cpus))
