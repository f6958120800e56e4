"""The `kho_test` blob of the kernel's own test module (lib/test_kho.c, 6.17 and later)."""

from kho_console.abi.error import FormatError
from kho_console.abi.native import U32, U64, named, word
from kho_console.abi.text import c_string
from kho_console.abi.vmalloc import DESCRIPTOR_SIZE, decode_descriptor
from kho_console.model.blob import Field, KhoTest
from kho_console.model.tree import FlatTree, TreeNode

NAME = b"kho_test"
COMPATIBLE = b"kho-test-v1"
_MAGIC = 0x4B484F21


def decode(tree: FlatTree, page_size: int) -> KhoTest:
    """What the test module preserved.

    Raises:
        FormatError: The tree is damaged, of another version, or contradicts itself.
    """
    if tree.faults:
        raise FormatError(tree.faults[0].offset, tree.faults[0].reason)
    compatible = named(tree.root, b"compatible")
    if c_string(compatible.value) != COMPATIBLE:
        raise FormatError(compatible.offset, "not kho-test-v1")
    magic, magic_at = word(tree.root, b"magic", U32)
    if magic != _MAGIC:
        raise FormatError(magic_at, f"magic 0x{magic:x}, not 0x{_MAGIC:x}")
    data = _data(tree)
    count, _ = word(data, b"nr_folios", U32)
    checksum, _ = word(data, b"csum", U32)
    folios = named(data, b"folios_info")
    # 6.17 lists the folios inline; from 6.18 on the property describes a vmalloc area with them.
    # Two inline folios take 16 bytes as well: their low bits hold an order, a descriptor's first
    # word is a page address.
    inline = len(folios.value) == count * U64
    if inline and len(folios.value) == DESCRIPTOR_SIZE:
        pages = int.from_bytes(folios.value[8:12], "little")
        inline = pages != -(-count * U64 // page_size)
    if inline:
        return KhoTest(magic, count, checksum, _inline(folios.value, page_size), None)
    if len(folios.value) != DESCRIPTOR_SIZE:
        reason = f"folios_info has {len(folios.value)} bytes for {count} folios"
        raise FormatError(folios.offset, reason)
    return KhoTest(magic, count, checksum, None, decode_descriptor(folios.value))


def fields(tree: FlatTree) -> tuple[Field, ...]:
    """The decoded numbers with their offsets in the blob."""
    data = _data(tree)
    return tuple(
        Field(path, offset, U32, value, meaning)
        for path, (value, offset), meaning in (
            ("/magic", word(tree.root, b"magic", U32), "flags"),
            ("/data/nr_folios", word(data, b"nr_folios", U32), "count"),
            ("/data/csum", word(data, b"csum", U32), "flags"),
        )
    )


def _data(tree: FlatTree) -> TreeNode:
    node = tree.root.child(b"data")
    if node is None:
        raise FormatError(0, "no /data node")
    return node


def _inline(value: bytes, page_size: int) -> tuple[tuple[int, int], ...]:
    """Address and order of each folio: `phys | order`, the order in the bits below a page."""
    low = page_size - 1
    words = (int.from_bytes(value[at : at + U64], "little") for at in range(0, len(value), U64))
    return tuple((word & ~low, word & low) for word in words)
