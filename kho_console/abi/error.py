"""The one error of all decoders."""


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
