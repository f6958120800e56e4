import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import fdt, memblock
from kho_console.abi.error import FormatError
from kho_console.model.blob import Field, MemblockTree, ReservedRegion
from tests.abi import kernel_trees
from tests.abi.kernel_trees import u64
from tests.abi.page_memory import recorded_file

BLOB = "/sys/kernel/debug/kho/out/sub_fdts/memblock"
REGION = [("compatible", b"reserve-mem-v1\0"), ("start", u64(4096)), ("size", u64(8192))]


def region(name: bytes, start: int, size: int) -> ReservedRegion:
    return ReservedRegion(name, b"reserve-mem-v1", start, size)


def test_the_recorded_regions() -> None:
    """reserve_mem=4M:4096:oops and 1M:4096:trace; addresses read with xxd."""
    tree = fdt.read(recorded_file("linux-7.3.4/sessions", BLOB))
    assert memblock.decode(tree) == MemblockTree(
        b"memblock-v1",
        (region(b"oops", 0x6E800000, 4 << 20), region(b"trace", 0x7FCCD000, 1 << 20)),
    )
    assert memblock.fields(tree) == (
        Field("/oops/start", 0x94, 8, 0x6E800000, "address"),
        Field("/oops/size", 0xA8, 8, 0x400000, "bytes"),
        Field("/trace/start", 0xE8, 8, 0x7FCCD000, "address"),
        Field("/trace/size", 0xFC, 8, 0x100000, "bytes"),
    )


def test_encoding_is_what_the_kernel_writes() -> None:
    regions = [("oops", 0x6E800000, 4 << 20), ("trace", 0x7FCCD000, 1 << 20)]
    value = MemblockTree(
        b"memblock-v1", tuple(region(name.encode(), *rest) for name, *rest in regions)
    )
    assert memblock.encode(value) == kernel_trees.memblock(regions)
    assert memblock.encode(value) == recorded_file("linux-7.3.4/sessions", BLOB)


def test_no_regions() -> None:
    tree = fdt.read(kernel_trees.memblock([]))
    assert memblock.decode(tree).regions == ()
    assert memblock.fields(tree) == ()


@pytest.mark.parametrize(
    ("word", "properties", "reason"),
    [
        (b"memblock-v2\0", REGION, "not memblock-v1"),
        (b"", REGION, "not memblock-v1"),
        (b"memblock-v1\0", REGION[1:], "no compatible"),
        (b"memblock-v1\0", [("compatible", b"other\0"), *REGION[1:]], "not reserve-mem-v1"),
        (b"memblock-v1\0", REGION[:2], "no size"),
        (b"memblock-v1\0", [*REGION[:2], ("size", bytes(4))], "size has 4 bytes, not 8"),
        (b"memblock-v1\0", [REGION[0], ("start", bytes(16)), REGION[2]], "start has 16 bytes"),
        (b"memblock-v1\0", [*REGION[:2], ("size", u64((1 << 64) - 1))], "over the end"),
    ],
)
def test_trees_that_are_none(word: bytes, properties: list[tuple[str, bytes]], reason: str) -> None:
    tree = fdt.read(kernel_trees.sequential([("compatible", word)], [("oops", properties)]))
    with pytest.raises(FormatError, match=reason):
        memblock.decode(tree)


def test_a_cut_tree_is_none() -> None:
    blob = recorded_file("linux-7.3.4/sessions", BLOB)
    with pytest.raises(FormatError, match="is missing"):
        memblock.decode(fdt.read(blob[:200]))


@given(
    st.dictionaries(
        st.text("abcxyz-_", min_size=1, max_size=15),
        st.tuples(st.integers(0, 1 << 63), st.integers(0, 1 << 63)),
        max_size=8,
    )
)
def test_round_trip(regions: dict[str, tuple[int, int]]) -> None:
    value = MemblockTree(
        b"memblock-v1", tuple(region(name.encode(), *place) for name, place in regions.items())
    )
    assert memblock.decode(fdt.read(memblock.encode(value))) == value
