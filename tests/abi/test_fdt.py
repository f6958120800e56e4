import struct
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import fdt
from kho_console.abi.error import FormatError
from kho_console.model.tree import Property, TreeNode
from tests.abi import kernel_trees
from tests.abi.page_memory import recorded_file
from tests.conftest import Dtc

NAMES = st.text("abcdefghijklmnop-,0123456789", min_size=1, max_size=12)
PROPERTIES = st.dictionaries(NAMES, st.binary(max_size=24), max_size=4)


def without_offsets(node: TreeNode) -> TreeNode:
    properties = tuple(replace(item, offset=0) for item in node.properties)
    return TreeNode(node.name, properties, tuple(map(without_offsets, node.children)))


def every(node: TreeNode) -> Iterator[TreeNode]:
    yield node
    for child in node.children:
        yield from every(child)


def test_what_dtc_writes_is_written_again(dtc: Dtc) -> None:
    # The end of a longer name is a name, and a node may be called as the start of another one.
    blob = dtc(
        b'/dts-v1/; / { #address-cells = <2>; text = "a", "b"; '
        b"n { cells = [01 02 03]; }; n@0 { cells; x; a { text; }; }; };"
    )
    assert fdt.write_compiled(fdt.read_whole(blob).root) == blob
    with pytest.raises(FormatError, match="FDT_ERR_EXISTS"):
        fdt.write_repacked(fdt.read_whole(blob).root)


def test_what_dtc_writes(dtc: Dtc) -> None:
    blob = dtc(
        b'/dts-v1/; / { text = "kho-v1"; empty; a { bytes = [01 02 03]; '
        b"b { deep = <0x11223344>; }; }; c { }; };"
    )
    tree = fdt.read_whole(blob)
    assert (tree.size, tree.totalsize, tree.faults) == (len(blob), len(blob), ())
    assert tree.root.value(b"text") == b"kho-v1\0"
    assert tree.root.value(b"empty") == b""
    assert tree.root.value(b"missing") is None
    a, c = tree.root.children
    assert (a.name, c.name, c.properties, c.children) == (b"a", b"c", (), ())
    assert a.value(b"bytes") == b"\x01\x02\x03"
    assert a.children[0].value(b"deep") == bytes.fromhex("11223344")


def test_offsets_point_at_the_values(dtc: Dtc) -> None:
    blob = dtc(b'/dts-v1/; / { one = [aa bb]; n { two = [cc]; three = "x"; }; };')
    seen = {}
    for node in every(fdt.read_whole(blob).root):
        for item in node.properties:
            seen[item.name] = blob[item.offset : item.offset + len(item.value)]
    assert seen == {b"one": b"\xaa\xbb", b"two": b"\xcc", b"three": b"x\0"}


def test_the_recorded_tree_of_7_3() -> None:
    # Offsets and values read with xxd.
    blob = recorded_file("linux-7.3.4/restored", "/sys/kernel/debug/kho/in/fdt")
    tree = fdt.read(blob)
    assert (tree.size, tree.totalsize, tree.truncated, tree.faults) == (345, 345, False, ())
    assert [child.name for child in tree.root.children] == [b"memblock", b"LUO", b"kexec-metadata"]
    assert tree.root.properties == (
        Property(b"compatible", b"kho-v4\0", 0x4C),
        Property(b"preserved-memory-map", bytes.fromhex("00700d4000000000"), 0x60),
    )
    assert tree.root.children[1].properties == (
        Property(b"blob-size", bytes.fromhex("2000000000000000"), 0xB8),
        Property(b"preserved-data", bytes.fromhex("0000474000000000"), 0xCC),
    )


def test_bytes_behind_the_tree_are_ignored() -> None:
    blob = kernel_trees.root("kho-v4", 0x1000)
    tree = fdt.read(blob.ljust(4096, b"\xff"))
    assert (tree.size, tree.totalsize, tree.faults) == (152, 152, ())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "too few"),
        (b"\xd0\x0d\xfe\xed" + bytes(35), "too few"),
        (bytes(152), "magic"),
        (b"\xd0\x0d\xfe\xed" + struct.pack(">9I", 39, 0, 0, 0, 17, 16, 0, 0, 0), "smaller"),
        (b"\xd0\x0d\xfe\xed" + struct.pack(">9I", 40, 0, 0, 0, 16, 16, 0, 0, 0), "version 16"),
        (b"\xd0\x0d\xfe\xed" + struct.pack(">9I", 40, 0, 0, 0, 17, 18, 0, 0, 0), "version"),
        (b"\xd0\x0d\xfe\xed" + struct.pack(">9I", 40, 0, 0, 0, 17, 16, 0, 0, 0), "unknown tag"),
    ],
)
def test_no_tree(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        fdt.read(data)


def test_another_length_than_announced() -> None:
    blob = kernel_trees.root("kho-v4", 0x1000)
    with pytest.raises(FormatError, match="totalsize 152 but 153"):
        fdt.read_whole(blob + b"\0")


def test_more_than_16_mib() -> None:
    blob = bytearray(kernel_trees.root("kho-v1", 0))
    blob += bytes((16 << 20) + 1 - len(blob))
    struct.pack_into(">I", blob, 4, len(blob))
    with pytest.raises(FormatError, match="over the limit"):
        fdt.read_whole(bytes(blob))


def nested(depth: int) -> bytes:
    source = b"/dts-v1/; /" + b" { n" * (depth - 1) + b" { };" + b" };" * (depth - 1)
    return source


def test_64_levels_and_no_more(dtc: Dtc) -> None:
    node = fdt.read_whole(dtc(nested(64))).root
    levels = 1
    while node.children:
        (node,) = node.children
        levels += 1
    assert levels == 64
    with pytest.raises(FormatError, match="too deep"):
        fdt.read_whole(dtc(nested(65)))
    tree = fdt.read(dtc(nested(65)))
    assert [fault.reason for fault in tree.faults] == ["nodes are nested more than 64 deep"]


def test_long_names_do_not_multiply() -> None:
    """Thousands of properties that share the bytes of one name cost no more than their file."""
    count, name = 5000, b"n" * 200_000 + b"\0"
    body = struct.pack(">II", 1, 0)
    body += b"".join(struct.pack(">III", 3, 0, at) for at in range(count))
    body += struct.pack(">II", 2, 9)
    header = (len(body) + len(name) + 56, 56, 56 + len(body), 40, 17, 16, 0, len(name), len(body))
    blob = struct.pack(">10I", 0xD00DFEED, *header) + bytes(16) + body + name
    with pytest.raises(FormatError, match="name of more than 255 bytes"):
        fdt.read_whole(blob)
    tracemalloc.start()
    try:
        tree = fdt.read(blob)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(tree.root.properties) == count
    assert tree.faults
    assert peak < 10 << 20


def test_a_long_node_name() -> None:
    blob = kernel_trees.sequential([], [("n" * 255, [])])
    assert fdt.read(blob).root.children[0].name == b"n" * 255
    blob = kernel_trees.sequential([], [("n" * 256, [])])
    tree = fdt.read(blob)
    assert tree.root.children == ()
    assert "more than 255 bytes" in tree.faults[0].reason


def test_a_child_by_its_name() -> None:
    first, second = TreeNode(b"b", (), (TreeNode(b"c"),)), TreeNode(b"b")
    root = TreeNode(b"", (), (TreeNode(b"a"), first, second))
    assert root.child(b"b") is first
    assert root.child(b"c") is None


def test_sequential_is_what_the_kernel_wrote() -> None:
    blob = recorded_file("linux-7.3.4/sessions", "/sys/kernel/debug/kho/out/sub_fdts/memblock")
    assert fdt.write_sequential(fdt.read(blob).root) == blob


def test_repacked_is_what_the_kernel_wrote() -> None:
    blob = recorded_file("linux-7.3.4/restored", "/sys/kernel/debug/kho/in/fdt")
    assert fdt.write_repacked(fdt.read(blob).root) == blob


def test_repacked_by_the_calls_of_the_kernel() -> None:
    blob = kernel_trees.root("kho-v1", 0)
    blob = kernel_trees.with_fdt(blob, "LUO", 0x5000)
    blob = kernel_trees.with_fdt(blob, "memblock", 0x6000)
    assert fdt.write_repacked(fdt.read(blob).root) == blob


def test_names_that_are_no_utf_8() -> None:
    blob = kernel_trees.sequential([("compatible", b"x\0")], [("name", [])])
    raw = blob.replace(b"name\0", b"\xff\x1b[J\0")
    tree = fdt.read_whole(raw)
    assert tree.root.children[0].name == b"\xff\x1b[J"
    for write in (fdt.write_sequential, fdt.write_repacked):
        with pytest.raises(FormatError, match="cannot be written"):
            write(tree.root)


@given(PROPERTIES, st.dictionaries(NAMES, PROPERTIES, max_size=4))
def test_round_trip(top: dict[str, bytes], nodes: dict[str, dict[str, bytes]]) -> None:
    def node(name: str, values: dict[str, bytes], *children: TreeNode) -> TreeNode:
        items = tuple(Property(key.encode(), value, 0) for key, value in values.items())
        return TreeNode(name.encode(), items, children)

    root = node("", top, *(node(name, values) for name, values in nodes.items()))
    for write in (fdt.write_sequential, fdt.write_repacked):
        blob = write(root)
        tree = fdt.read_whole(blob)
        assert without_offsets(tree.root) == root
        for found in every(tree.root):
            for item in found.properties:
                assert blob[item.offset : item.offset + len(item.value)] == item.value


def test_a_large_tree_is_written_without_growing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("libfdt.FdtSw.resize")
    state = (Property(b"compatible", b"state-v1\0", 0), Property(b"state", bytes(1000), 0))
    nodes = tuple(TreeNode(b"node%d" % at, state) for at in range(300))
    root = TreeNode(b"", (Property(b"compatible", b"kho-v1\0", 0),), nodes)
    assert without_offsets(fdt.read(fdt.write_sequential(root)).root) == root


def test_names_that_libfdt_would_search_for_minutes_are_refused() -> None:
    names = tuple(Property(b"property%d" % at, b"", 0) for at in range(10000))
    with pytest.raises(FormatError, match="10000 names of properties are too many"):
        fdt.write_sequential(TreeNode(b"", names))
