"""What the value of a property looks like, where no format says what it is.

Values of the handover are native-endian, so eight bytes are most likely a native number.
"""

from kho_console.model.tree import Property

_TEXT = range(0x20, 0x7F)


def meaning(item: Property) -> str | None:
    """The value as quoted text or as a number with its width; None where it looks like neither."""
    text, end = item.value[:-1], item.value[-1:]
    if end == b"\0" and text and all(byte in _TEXT for byte in text):
        return f'"{text.decode("ascii")}"'
    if len(item.value) in (4, 8):
        return f"0x{int.from_bytes(item.value, 'little'):x}, native u{len(item.value) * 8}"
    return None
