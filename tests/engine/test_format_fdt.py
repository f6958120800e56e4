"""What reading a tree out of a file costs."""

import pytest

from kho_console.abi import fdt
from kho_console.abi.reader import Bytes
from kho_console.engine.formats import fdt as formats
from kho_console.model.tree import Property, TreeNode
from kho_console.model.unknown import Unknown


def test_a_large_tree_is_not_packed_again_for_each_node(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr("libfdt.Fdt.pack")
    words = Property(b"compatible", b"other\0", 0)
    nodes = tuple(TreeNode(b"%d" % at, (Property(b"s", bytes(999), 0),)) for at in range(70))
    data = bytearray(fdt.write_sequential(TreeNode(b"", (words,), nodes)))
    # What is reserved makes it no layout of ours.
    data[28:32] = (5).to_bytes(4, "big")
    _, layout, findings = formats.read(Bytes(bytes(data)))
    assert isinstance(layout, Unknown)
    assert [item.id for item in findings] == ["fdt-layout"]
