"""The ELF core header of a crash image in a file."""

from kho_console.abi import elfcorehdr
from kho_console.abi.error import FormatError
from kho_console.abi.reader import Reader
from kho_console.model.crash import CoreHeader
from kho_console.model.finding import About, Finding, Severity
from kho_console.model.unknown import Cause, Maybe, Unknown

_LARGEST = 16 << 20
"""The most program headers that can be told take 3.5 MiB."""

_MOST_FAULTS = 20

KERNEL = "kernel"
"""The layout that the kernel writes; kexec-tools may write others."""


def read(reader: Reader) -> tuple[CoreHeader, int, Maybe[str], list[Finding]]:
    """The header, the bytes of the file, the layout that gives the same, and what is odd or bad.

    Of a damaged header it is what is sound.

    Raises:
        FormatError: It is no core header.
    """
    if reader.size > _LARGEST:
        raise FormatError(0, f"{reader.size} bytes are too many for a core header")
    data = reader.read(0, reader.size)
    found, faults = elfcorehdr.salvage(data)
    if faults:
        damaged = Unknown(Cause.INVALID, "damaged bytes have no layout")
        return found, len(data), damaged, [*map(_damage, faults[:_MOST_FAULTS])]
    if encoded(found, len(data)) == data:
        return found, len(data), KERNEL, []
    said = "the kernel writes it otherwise: encode gives other bytes of the same meaning"
    odd = Finding("elfcorehdr-layout", Severity.INFO, "header", said, (), None, About.FILE)
    layout = Unknown(Cause.UNSUPPORTED, "no layout that we write gives these bytes")
    return found, len(data), layout, [odd]


def _damage(fault: FormatError) -> Finding:
    said = f"at 0x{fault.offset:x}: {fault.reason}"
    return Finding("elfcorehdr-damaged", Severity.ERROR, "header", said, (), None, About.FILE)


def encoded(header: CoreHeader, size: int | None = None) -> bytes:
    """The bytes of a header, as the kernel lays it out.

    Args:
        header: What it says.
        size: Bytes of the file; zeros fill it, or are left out. None for what the kernel writes.

    Raises:
        FormatError: It has more entries than can be told, or does not fit.
    """
    if size is not None and size > _LARGEST:
        raise FormatError(0, f"{size} bytes are too many for a core header")
    made = elfcorehdr.write(header)
    if size is None:
        return made
    if any(made[size:]):
        raise FormatError(size, f"the header does not fit into {size} bytes")
    return made[:size].ljust(size, b"\0")
