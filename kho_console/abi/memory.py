"""How decoders that follow physical addresses get at memory."""

from typing import Protocol

from kho_console.abi.error import FormatError
from kho_console.model.unknown import Cause, Unknown

ADDRESS_LIMIT = 1 << 56
"""Physical addresses end here at the latest: 52 bits on x86-64 and arm64, with room to spare."""


class MissingMemory(LookupError):
    """Physical memory that cannot be had: not recorded, not permitted, not RAM.

    It says nothing about the format: the data may be perfect where it lies.

    Attributes:
        address: Physical address of the first byte that is missing.
        reason: Why, for an operator.
        permission: Whether a right is what is missing.
    """

    def __init__(self, address: int, reason: str, *, permission: bool = False) -> None:
        super().__init__(f"physical memory at 0x{address:x}: {reason}")
        self.address = address
        self.reason = reason
        self.permission = permission


class PhysicalMemory(Protocol):
    """Reads physical memory."""

    def read(self, address: int, size: int) -> bytes:
        """Exactly `size` bytes from physical `address`.

        Raises:
            MissingMemory: Not all of them can be had.
        """
        ...


def page_of(memory: PhysicalMemory, address: int, page_size: int, what: str) -> bytes:
    """The whole page at `address`, which must be aligned to its size.

    Raises:
        FormatError: The address is not page aligned.
        MissingMemory: The page cannot be had.
    """
    if address % page_size:
        raise FormatError(address, f"{what} is not page aligned")
    return memory.read(address, page_size)


def as_unknown(error: FormatError | MissingMemory) -> Unknown:
    """What to show in place of a value whose reading ended in `error`."""
    if isinstance(error, FormatError):
        return Unknown(Cause.INVALID, error.reason, error.offset)
    cause = Cause.NOT_PERMITTED if error.permission else Cause.NOT_RECORDED
    return Unknown(cause, f"memory at 0x{error.address:x}: {error.reason}", error.address)
