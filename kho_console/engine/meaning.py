"""What the value of a property looks like, where no format says what it is.

Values of the handover are native-endian, so four or eight bytes are most likely a native number.
"""

from kho_console.model.value import dataclass

_TEXT = range(0x20, 0x7F)


@dataclass(frozen=True, slots=True)
class Number:
    """A native number and how wide it is stored, in bits."""

    value: int
    bits: int

    @property
    def note(self) -> str:
        """How it is stored, in words."""
        return f"native u{self.bits}"


def number(value: bytes) -> Number | None:
    """The value as a native number; None unless it has four or eight bytes."""
    if len(value) not in (4, 8):
        return None
    return Number(int.from_bytes(value, "little"), len(value) * 8)


def words(value: bytes) -> bytes | None:
    """The value as text without its end; None where it does not look like text."""
    text, end = value[:-1], value[-1:]
    return text if end == b"\0" and text and all(byte in _TEXT for byte in text) else None


def comment(value: bytes) -> str | None:
    """The value as quoted text or as a number with its width; None where it looks like neither."""
    text, found = words(value), number(value)
    if text is not None:
        return f'"{text.decode("ascii")}"'
    return None if found is None else f"0x{found.value:x}, {found.note}"
