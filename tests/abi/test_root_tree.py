import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import root_tree
from kho_console.abi.error import FormatError
from kho_console.model.tree import BlobPointer, RootTree
from kho_console.model.unknown import Cause, Unknown
from tests.abi import kernel_trees
from tests.abi.kernel_trees import u64
from tests.abi.page_memory import recorded, recorded_file

MAP, LUO, MEMBLOCK, METADATA = 0x400D7000, 0x40470000, 0x4046A000, 0x66F000
OUT, IN = "/sys/kernel/debug/kho/out/fdt", "/sys/kernel/debug/kho/in/fdt"


def linux_6_19(*producers: str) -> bytes:
    """The root tree of 6.19, LUO before memblock as its initcalls come."""
    tree = kernel_trees.root("kho-v1", 0)
    for name in producers:
        tree = kernel_trees.with_fdt(tree, name, {"LUO": LUO, "memblock": MEMBLOCK}[name])
    return tree


def linux_7_3(*producers: str) -> bytes:
    tree = kernel_trees.root("kho-v4", MAP)
    tree = kernel_trees.with_blob(tree, "kexec-metadata", METADATA, 73)
    for name in producers:
        place, size = {"LUO": (LUO, 32), "memblock": (MEMBLOCK, 294)}[name]
        tree = kernel_trees.with_blob(tree, name, place, size)
    return tree


def cause(value: object) -> Cause:
    assert isinstance(value, Unknown)
    return value.cause


def pointers(tree: RootTree) -> list[tuple[bytes, int | Cause, int | Cause]]:
    return [
        (
            item.name,
            item.address.cause if isinstance(item.address, Unknown) else item.address,
            item.size.cause if isinstance(item.size, Unknown) else item.size,
        )
        for item in tree.pointers
    ]


# --- windows (kho-abi 1.4): bytes readable, totalsize, what the nodes give


@pytest.mark.parametrize(
    ("producers", "totalsize", "expected"),
    [
        ((), 152, []),
        (("LUO",), 180, [(b"LUO", LUO, Cause.ABSENT)]),
        (("memblock",), 188, [(b"memblock", MEMBLOCK, Cause.ABSENT)]),
        (
            ("LUO", "memblock"),
            220,
            [(b"memblock", MEMBLOCK, Cause.ABSENT), (b"LUO", Cause.TRUNCATED, Cause.ABSENT)],
        ),
        (
            ("memblock", "LUO"),
            220,
            [(b"LUO", LUO, Cause.ABSENT), (b"memblock", Cause.TRUNCATED, Cause.ABSENT)],
        ),
    ],
)
def test_the_window_of_6_19(
    producers: tuple[str, ...], totalsize: int, expected: list[tuple[bytes, object, object]]
) -> None:
    blob = linux_6_19(*producers)
    assert len(blob) == totalsize
    tree = root_tree.read(blob[:152])
    assert (tree.window, tree.flat.totalsize) == (152, totalsize)
    assert tree.window_truncated is (totalsize > 152)
    assert (tree.compatible, tree.map_address) == (b"kho-v1", 0)
    assert pointers(tree) == expected


@pytest.mark.parametrize(
    ("producers", "totalsize", "expected"),
    [
        ((), 233, [(b"kexec-metadata", METADATA, 73)]),
        (("LUO",), 285, [(b"LUO", LUO, 32), (b"kexec-metadata", METADATA, 73)]),
        (("memblock",), 293, [(b"memblock", MEMBLOCK, 294), (b"kexec-metadata", METADATA, 73)]),
        (("LUO", "memblock"), 345, [(b"memblock", MEMBLOCK, 294), (b"LUO", LUO, 32)]),
    ],
)
def test_the_window_of_7_3(
    producers: tuple[str, ...], totalsize: int, expected: list[tuple[bytes, object, object]]
) -> None:
    blob = linux_7_3(*producers)
    assert len(blob) == totalsize
    tree = root_tree.read(blob[:233])
    assert (tree.window, tree.flat.totalsize) == (233, totalsize)
    assert tree.window_truncated is (totalsize > 233)
    assert (tree.compatible, tree.map_address) == (b"kho-v4", MAP)
    assert pointers(tree) == expected


def test_the_kernel_makes_the_same_345_bytes() -> None:
    assert linux_7_3("LUO", "memblock") == recorded_file("linux-7.3.4/restored", IN)


@pytest.mark.parametrize(
    ("size", "offset", "reason"),
    [
        (233, 233, "cut inside a node name"),
        (300, None, None),
        (230, 230, "cut inside a node name"),
    ],
)
def test_the_first_fault_says_where_it_is_cut(
    size: int, offset: int | None, reason: str | None
) -> None:
    """Names known by their offset are no fault: only what cannot be read is."""
    tree = root_tree.read(linux_7_3("LUO", "memblock")[:size])
    assert [(item.offset, item.reason) for item in tree.flat.faults] == (
        [] if offset is None else [(offset, reason)]
    )


def test_cut_before_the_map() -> None:
    tree = root_tree.read(linux_7_3()[:90])
    assert tree.compatible == b"kho-v4"
    assert cause(tree.map_address) is Cause.TRUNCATED


def test_cut_before_the_compatible_word() -> None:
    tree = root_tree.read(linux_7_3()[:70])
    assert cause(tree.compatible) is Cause.TRUNCATED
    assert cause(tree.map_address) is Cause.TRUNCATED
    assert tree.pointers == ()


def test_a_word_that_is_not_known_leaves_the_names_of_a_cut_tree_unknown() -> None:
    tree = root_tree.read(
        kernel_trees.with_blob(kernel_trees.root("kho-v7", 4096), "x", 8, 9)[:170]
    )
    assert (tree.compatible, tree.map_address) == (b"kho-v7", 4096)
    assert pointers(tree) == [(b"x", Cause.TRUNCATED, Cause.TRUNCATED)]


# --- whole trees


def test_the_recorded_window_of_7_3() -> None:
    tree = root_tree.read(recorded_file("linux-7.3.4/sessions", OUT))
    assert (tree.window, tree.flat.totalsize, tree.window_truncated) == (233, 345, True)
    assert (tree.compatible, tree.map_address) == (b"kho-v4", 0x400D7000)
    assert pointers(tree) == [(b"memblock", 0x4046A000, 294), (b"LUO", 0x40470000, 32)]
    assert cause(tree.address) is Cause.ABSENT


def test_the_recorded_tree_of_6_18() -> None:
    tree = root_tree.read(recorded_file("linux-6.18.15/finalized", OUT))
    assert (tree.window, tree.flat.totalsize, tree.window_truncated) == (196, 196, False)
    assert (tree.compatible, tree.map_address) == (b"kho-v1", 0xA4B000)
    assert pointers(tree) == [(b"memblock", 0x97F000, Cause.ABSENT)]


def test_a_page_of_memory() -> None:
    address = 0x66C000
    page = recorded("linux-7.3.4/sessions").read(address, 4096)
    tree = root_tree.read(page, address=address, window=False)
    assert (tree.address, tree.window, tree.window_truncated) == (address, None, False)
    assert len(tree.content) == 345
    assert [item.name for item in tree.pointers] == [b"memblock", b"LUO", b"kexec-metadata"]
    assert tree.pointer(b"kexec-metadata") == BlobPointer(b"kexec-metadata", 0x66F000, 73)
    assert tree.pointer(b"memfd") is None


def test_the_v6_series_has_no_map() -> None:
    nodes = [("memblock", [("fdt", u64(MEMBLOCK))])]
    tree = root_tree.read(kernel_trees.sequential([("compatible", b"kho-v1\0")], nodes))
    assert tree.compatible == b"kho-v1"
    assert cause(tree.map_address) is Cause.ABSENT
    assert pointers(tree) == [(b"memblock", MEMBLOCK, Cause.ABSENT)]


def test_the_word_ends_at_its_nul() -> None:
    blob = kernel_trees.sequential([("compatible", b"kho-v4\0junk")])
    assert root_tree.read(blob).compatible == b"kho-v4"


def test_no_compatible_word() -> None:
    tree = root_tree.read(kernel_trees.sequential([("preserved-memory-map", u64(1))]))
    assert cause(tree.compatible) is Cause.INVALID
    assert tree.map_address == 1


@pytest.mark.parametrize("length", [0, 4, 7, 9, 16])
def test_a_map_of_another_length(length: int) -> None:
    properties = [("compatible", b"kho-v4\0"), ("preserved-memory-map", bytes(length))]
    value = root_tree.read(kernel_trees.sequential(properties)).map_address
    assert value == Unknown(Cause.INVALID, f"preserved-memory-map has {length} bytes, not 8")


@pytest.mark.parametrize(
    ("properties", "address", "size"),
    [
        ([], Cause.INVALID, Cause.INVALID),
        ([("fdt", bytes(4))], Cause.INVALID, Cause.ABSENT),
        ([("preserved-data", u64(7))], 7, Cause.INVALID),
        ([("preserved-data", u64(7)), ("blob-size", bytes(4))], 7, Cause.INVALID),
        ([("preserved-data", bytes(9)), ("blob-size", u64(5))], Cause.INVALID, 5),
        ([("blob-size", u64(5))], Cause.INVALID, 5),
    ],
)
def test_nodes_that_are_incomplete(
    properties: list[tuple[str, bytes]], address: int | Cause, size: int | Cause
) -> None:
    blob = kernel_trees.sequential([("compatible", b"kho-v4\0")], [("node", properties)])
    assert pointers(root_tree.read(blob)) == [(b"node", address, size)]


def test_no_tree_at_all() -> None:
    with pytest.raises(FormatError, match="no device tree magic"):
        root_tree.read(bytes(4096))


# --- writing


def test_sequential_by_the_calls_of_the_kernel() -> None:
    pointer = BlobPointer(b"memblock", 0x97F000, Unknown(Cause.ABSENT, ""))
    blob = root_tree.write(b"kho-v1", 0xA4B000, (pointer,), repacked=False)
    assert blob == recorded_file("linux-6.18.15/finalized", OUT)


def test_repacked_by_the_calls_of_the_kernel() -> None:
    wanted = linux_7_3("LUO", "memblock")
    read = root_tree.read(wanted)
    assert root_tree.write(b"kho-v4", MAP, read.pointers, repacked=True) == wanted


def test_an_unknown_address_cannot_be_written() -> None:
    lost = BlobPointer(b"x", Unknown(Cause.TRUNCATED, ""), 1)
    with pytest.raises(FormatError, match="not known"):
        root_tree.write(b"kho-v4", 0, (lost,), repacked=True)


@given(
    st.sampled_from([b"kho-v1", b"kho-v3", b"kho-v4", b"kho-v12"]),
    st.none() | st.integers(0, (1 << 64) - 1),
    st.dictionaries(
        st.text("abcdef-_", min_size=1, max_size=16),
        st.tuples(st.integers(0, (1 << 64) - 1), st.none() | st.integers(0, (1 << 64) - 1)),
        max_size=6,
    ),
    st.booleans(),
)
def test_round_trip(
    word: bytes,
    map_address: int | None,
    nodes: dict[str, tuple[int, int | None]],
    repacked: bool,
) -> None:
    given_pointers = tuple(
        BlobPointer(name.encode(), address, Unknown(Cause.ABSENT, "") if size is None else size)
        for name, (address, size) in nodes.items()
    )
    blob = root_tree.write(word, map_address, given_pointers, repacked=repacked)
    tree = root_tree.read(blob)
    assert tree.compatible == word
    if map_address is None:
        assert cause(tree.map_address) is Cause.ABSENT
    else:
        assert tree.map_address == map_address
    assert pointers(tree) == [
        (name.encode(), address, Cause.ABSENT if size is None else size)
        for name, (address, size) in nodes.items()
    ]
