"""Values inside trees and structs of the handover: native-endian, little-endian in practice."""

from kho_console.abi.error import FormatError
from kho_console.model.tree import Property, TreeNode

U64 = 8
U32 = 4


def word(node: TreeNode, name: bytes, size: int) -> tuple[int, int]:
    """The unsigned number of `size` bytes in a property, and the offset of its bytes.

    Raises:
        FormatError: The property is missing, or not of that size.
    """
    found = named(node, name)
    if len(found.value) != size:
        reason = f"{name.decode()} has {len(found.value)} bytes, not {size}"
        raise FormatError(found.offset, reason)
    return int.from_bytes(found.value, "little"), found.offset


def named(node: TreeNode, name: bytes) -> Property:
    """The property called `name`.

    Raises:
        FormatError: The node has none.
    """
    for item in node.properties:
        if item.name == name:
            return item
    raise FormatError(0, f"no {name.decode()}")


def number(name: bytes, value: int, size: int = U64) -> Property:
    """A property that holds one unsigned number."""
    return Property(name, value.to_bytes(size, "little"), 0)


def string(name: bytes, value: bytes) -> Property:
    """A property that holds NUL-terminated text."""
    return Property(name, value + b"\0", 0)
