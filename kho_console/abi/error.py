"""The error of all decoders, and its one special case."""


class FormatError(ValueError):
    """Data that is not what its format says.

    Attributes:
        offset: Byte offset of the fault in the data at hand; for formats that span pages of
            physical memory, the physical address.
        reason: What is wrong there.
    """

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"at 0x{offset:x}: {reason}")
        self.offset = offset
        self.reason = reason


class BeyondLimitError(FormatError):
    """Data that goes on behind what is read of it here; that it is wrong is not said."""
