import pytest

from kho_console.abi import fdt, kho_test
from kho_console.abi.error import FormatError
from kho_console.model.blob import Field, KhoTest, VmallocDescriptor
from kho_console.model.tree import FlatTree
from tests.abi import kernel_trees
from tests.abi.kernel_trees import u32, u64

MAGIC = 0x4B484F21
FOLIOS = [0x100000 | 3, 0x7FF000, 0x40000000 | 9]


def tree_of(
    folios_info: bytes,
    count: int = 3,
    *,
    word: bytes = b"kho-test-v1\0",
    magic: bytes = u32(MAGIC),
    node: str = "data",
) -> FlatTree:
    data = [("nr_folios", u32(count)), ("csum", u32(0xC0FFEE)), ("folios_info", folios_info)]
    return fdt.read(
        kernel_trees.sequential([("compatible", word), ("magic", magic)], [(node, data)])
    )


def descriptor(pages: int, first: int = 0x9000) -> bytes:
    return u64(first) + u32(pages) + bytes.fromhex("0100 0000")


def test_folios_inline_in_6_17() -> None:
    found = kho_test.decode(tree_of(b"".join(map(u64, FOLIOS))), 4096)
    inline = ((0x100000, 3), (0x7FF000, 0), (0x40000000, 9))
    assert found == KhoTest(MAGIC, 3, 0xC0FFEE, inline, None)


def test_folios_in_a_vmalloc_area_from_6_18_on() -> None:
    found = kho_test.decode(tree_of(descriptor(1)), 4096)
    assert found == KhoTest(MAGIC, 3, 0xC0FFEE, None, VmallocDescriptor(0x9000, 1, 1, 0))


def test_two_folios_take_16_bytes_in_both() -> None:
    assert kho_test.decode(tree_of(descriptor(1), 2), 4096).vmalloc is not None
    inline = kho_test.decode(tree_of(u64(0x100003) + u64(0x200000), 2), 4096)
    assert inline.inline == ((0x100000, 3), (0x200000, 0))


def test_order_bits_follow_the_page_size() -> None:
    assert kho_test.decode(tree_of(u64(0x50003), 1), 65536).inline == ((0x50000, 3),)


def test_no_folios() -> None:
    assert kho_test.decode(tree_of(b"", 0), 4096).inline == ()


def test_fields() -> None:
    tree = tree_of(descriptor(1))
    magic, count, checksum = kho_test.fields(tree)
    assert (magic.path, magic.value, magic.meaning) == ("/magic", MAGIC, "flags")
    assert count == Field("/data/nr_folios", count.offset, 4, 3, "count")
    assert (checksum.path, checksum.value) == ("/data/csum", 0xC0FFEE)
    assert magic.offset < count.offset < checksum.offset


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        (tree_of(b"", 0, word=b"kho-test-v2\0"), "not kho-test-v1"),
        (tree_of(b"", 0, magic=u32(MAGIC + 1)), "magic 0x4b484f22"),
        (tree_of(b"", 0, magic=u64(MAGIC)), "magic has 8 bytes, not 4"),
        (tree_of(b"", 0, node="date"), "no /data"),
        (tree_of(bytes(15), 3), "15 bytes for 3 folios"),
        (tree_of(bytes(24), 4), "24 bytes for 4 folios"),
        (tree_of(b"", 0xFFFFFFFF), "0 bytes for 4294967295 folios"),
    ],
)
def test_trees_that_are_none(tree: FlatTree, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        kho_test.decode(tree, 4096)


def test_a_cut_tree_is_none() -> None:
    blob = kernel_trees.sequential([("compatible", b"kho-test-v1\0")])
    with pytest.raises(FormatError, match="is missing"):
        kho_test.decode(fdt.read(blob[:100]), 4096)
