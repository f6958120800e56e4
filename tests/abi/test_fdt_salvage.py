import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import fdt_salvage
from kho_console.abi.error import FormatError
from kho_console.abi.fdt_header import MAGIC
from kho_console.model.tree import Fault, TreeNode
from tests.abi import kernel_trees
from tests.abi.page_memory import recorded_file

BEGIN, END, PROP, NOP, DONE = 1, 2, 3, 4, 9
NODE = struct.pack(">II", BEGIN, 0)


def tree_of(structure: bytes, strings: bytes = b"one\0two\0", **changes: int) -> bytes:
    """A tree around a structure block, with fields of its header changed."""
    fields = {
        "totalsize": 56 + len(structure) + len(strings),
        "off_dt_struct": 56,
        "off_dt_strings": 56 + len(structure),
        "off_mem_rsvmap": 40,
        "version": 17,
        "last_comp_version": 16,
        "boot_cpuid_phys": 0,
        "size_dt_strings": len(strings),
        "size_dt_struct": len(structure),
    } | changes
    return MAGIC + struct.pack(">9I", *fields.values()) + bytes(16) + structure + strings


def words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


def test_a_whole_tree_has_no_faults() -> None:
    blob = recorded_file("linux-7.3.4/restored", "/sys/kernel/debug/kho/in/fdt")
    tree = fdt_salvage.read(blob)
    assert tree.faults == ()
    assert [child.name for child in tree.root.children] == [b"memblock", b"LUO", b"kexec-metadata"]
    assert tree.root.children[2].value(b"blob-size") == struct.pack("<Q", 73)


def test_the_window_of_7_3_without_names_for_its_strings() -> None:
    blob = recorded_file("linux-7.3.4/sessions", "/sys/kernel/debug/kho/out/fdt")
    tree = fdt_salvage.read(blob)
    assert (tree.size, tree.totalsize, tree.truncated) == (233, 345, True)
    assert tree.faults[0] == Fault(0x40, "the name at string offset 21 is missing")
    assert tree.faults[-1] == Fault(233, "cut inside a node name")
    assert tree.root.properties[0].name == b"?21"
    assert [child.name for child in tree.root.children] == [b"memblock", b"LUO"]


def test_given_names_stand_in_for_missing_strings() -> None:
    blob = recorded_file("linux-7.3.4/sessions", "/sys/kernel/debug/kho/out/fdt")
    tree = fdt_salvage.read(blob, {21: b"word"})
    assert tree.root.value(b"word") == b"kho-v4\0"


def test_own_strings_win_over_given_names() -> None:
    blob = kernel_trees.root("kho-v4", 0)
    tree = fdt_salvage.read(blob, {21: b"wrong", 0: b"wrong"})
    assert [item.name for item in tree.root.properties] == [b"compatible", b"preserved-memory-map"]


@pytest.mark.parametrize(
    ("structure", "fault"),
    [
        (NODE + words(END), "cut inside a tag"),
        (NODE + words(DONE), "the tree ends inside a node"),
        (NODE + words(END, END, DONE), "a node ends that never began"),
        (NODE + words(END) + NODE + words(END, DONE), "a second root node"),
        (NODE + words(5), "unknown tag 5"),
        (NODE + words(PROP, 4), "cut inside a property name"),
        (NODE + words(PROP, 0xFFFFFFFF, 0), "cut inside a property value"),
        (NODE + words(END, PROP, 0, 0, DONE), "a property outside any node"),
        (NODE + words(BEGIN) + b"abc", "cut inside a node name"),
    ],
)
def test_damage_is_named_and_ends_the_reading(structure: bytes, fault: str) -> None:
    tree = fdt_salvage.read(tree_of(structure, b""))
    assert tree.faults[-1].reason == fault
    assert tree.root == TreeNode(b"")


def test_nothing_before_a_root_node_is_no_tree() -> None:
    with pytest.raises(FormatError, match="property outside"):
        fdt_salvage.read(tree_of(words(PROP, 0, 0)))
    with pytest.raises(FormatError, match="unknown tag 7") as caught:
        fdt_salvage.read(tree_of(words(7)))
    assert caught.value.offset == 56
    for structure in (words(DONE), words(NOP, DONE)):
        with pytest.raises(FormatError, match="no root node"):
            fdt_salvage.read(tree_of(structure))


def test_offsets_out_of_the_data() -> None:
    with pytest.raises(FormatError, match="cut inside a tag"):
        fdt_salvage.read(tree_of(NODE + words(END, DONE), off_dt_struct=0xFFFFFFF0))
    structure = NODE + words(PROP, 0, 0, PROP, 0, 0xFFFFFFFF, END, DONE)
    tree = fdt_salvage.read(tree_of(structure, off_dt_strings=0xFFFFFFFC))
    assert [item.name for item in tree.root.properties] == [b"?0", b"?4294967295"]
    assert len(tree.faults) == 2


def test_nops_and_padding_are_skipped() -> None:
    structure = words(NOP) + NODE + words(NOP, PROP, 1, 4) + b"x\0\0\0" + words(END, NOP, DONE)
    tree = fdt_salvage.read(tree_of(structure))
    assert tree.faults == ()
    assert [(item.name, item.value) for item in tree.root.properties] == [(b"two", b"x")]


def test_a_totalsize_smaller_than_the_data_ends_the_tree() -> None:
    structure = NODE + words(PROP, 4, 0, 1, END, DONE)
    tree = fdt_salvage.read(tree_of(structure, totalsize=56 + 20))
    assert tree.faults[-1].reason == "cut inside a property value"


@given(st.integers(0, 345), st.integers(0, 255))
def test_every_cut_gives_a_beginning_of_the_whole(size: int, filler: int) -> None:
    blob = recorded_file("linux-7.3.4/restored", "/sys/kernel/debug/kho/in/fdt")
    names = {0: b"preserved-memory-map", 21: b"compatible", 32: b"preserved-data", 47: b"blob-size"}
    try:
        tree = fdt_salvage.read(blob[:size], names)
    except FormatError:
        assert size < 64
        return
    whole = fdt_salvage.read(blob).root
    assert len(tree.faults) == (size < 0x120)
    assert tree.root.properties == whole.properties[: len(tree.root.properties)]
    for found, true in zip(tree.root.children, whole.children, strict=False):
        assert found.name == true.name
        assert found.properties == true.properties[: len(found.properties)]
