import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kho_console.abi import dts, fdt
from kho_console.model.tree import FlatTree, Property, TreeNode
from tests.abi import kernel_trees
from tests.abi.page_memory import recorded_file
from tests.abi.test_fdt import without_offsets
from tests.conftest import Dtc


def silent(item: Property) -> None:
    return None


def tree_of(root: TreeNode) -> FlatTree:
    return FlatTree(root, 0, 0)


def test_the_text_of_a_small_tree() -> None:
    root = TreeNode(
        b"",
        (Property(b"compatible", b"kho-v4\0", 0), Property(b"empty", b"", 0)),
        (TreeNode(b"LUO", (Property(b"blob-size", b"\x20" + bytes(7), 0),)),),
    )
    comments = {b"compatible": '"kho-v4"', b"blob-size": "0x20, native u64"}
    assert dts.write(tree_of(root), lambda item: comments.get(item.name)) == (
        "/dts-v1/;\n"
        "\n"
        "/ {\n"
        '\tcompatible = [6b 68 6f 2d 76 34 00]; /* "kho-v4" */\n'
        "\tempty;\n"
        "\tLUO {\n"
        "\t\tblob-size = [20 00 00 00 00 00 00 00]; /* 0x20, native u64 */\n"
        "\t};\n"
        "};\n"
    )


@pytest.mark.parametrize(
    ("moment", "path"),
    [
        ("linux-7.3.4/restored", "in/fdt"),
        ("linux-7.3.4/restored", "in/sub_fdts/memblock"),
        ("linux-7.1.13/restored", "in/sub_fdts/LUO"),
        ("linux-6.18.15/finalized", "out/fdt"),
    ],
)
def test_dtc_reads_back_the_recorded_trees(dtc: Dtc, moment: str, path: str) -> None:
    tree = fdt.read(recorded_file(moment, f"/sys/kernel/debug/kho/{path}"))
    text = dts.write(tree, lambda item: "not */ the end /* of it")
    again = fdt.read_whole(dtc(text.encode("ascii")))
    assert without_offsets(again.root) == without_offsets(tree.root)


def test_dtc_reads_a_cut_tree(dtc: Dtc) -> None:
    blob = recorded_file("linux-7.3.4/sessions", "/sys/kernel/debug/kho/out/fdt")
    text = dts.write(fdt.read(blob), silent)
    assert "/* at 0xe9: cut inside a node name */" in text
    names = [node.name for node in fdt.read_whole(dtc(text.encode("ascii"))).root.children]
    assert names == [b"memblock", b"LUO"]


@pytest.mark.parametrize(
    "name",
    [
        b"\x1b[2J",
        b"a b",
        b"a\nb",
        b"\xff\xfe",
        b"a{};/*",
        b'"',
        b"a:b",
        b"a@b@c",
        b"#x",
        b"x?y",
        b"x*y",
        b"/",
        b"&label",
    ],
)
def test_hostile_names_stay_inside_their_place(dtc: Dtc, name: bytes) -> None:
    node = TreeNode(name, (Property(name, b"v", 0),))
    text = dts.write(tree_of(TreeNode(b"", (), (node,))), silent)
    assert re.fullmatch(r"[\t\n -~]*", text)
    again = fdt.read_whole(dtc(text.encode("ascii")))
    (found,) = again.root.children
    assert found.properties[0].value == b"v"


def test_an_empty_name_and_a_deep_tree() -> None:
    node = TreeNode(b"")
    for _ in range(63):
        node = TreeNode(b"n", (Property(b"", b"", 0),), (node,))
    text = dts.write(tree_of(node), silent)
    assert text.count("{") == text.count("};") == 64
    assert "\t_;\n" in text


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=6), st.binary(max_size=8)), max_size=4))
def test_any_bytes_make_ascii_text_of_one_shape(values: list[tuple[bytes, bytes]]) -> None:
    properties = tuple(Property(name, value, 0) for name, value in values)
    nodes = tuple(TreeNode(name, properties) for name, _ in values)
    text = dts.write(tree_of(TreeNode(b"", properties, nodes)), lambda item: "*/")
    assert re.fullmatch(r"[\t\n -~]*", text)
    assert len(text.splitlines()) == 4 + len(values) + len(nodes) * (2 + len(values))
    assert text.count("*/") == len(values) * (1 + len(nodes))


def test_what_the_kernel_builds_for_6_19(dtc: Dtc) -> None:
    blob = kernel_trees.with_fdt(kernel_trees.root("kho-v1", 0), "memblock", 0x5000)
    text = dts.write(fdt.read(blob), silent)
    again = fdt.read_whole(dtc(text.encode("ascii")))
    assert again.root.children[0].value(b"fdt") == (0x5000).to_bytes(8, "little")
