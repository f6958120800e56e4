"""Two readers of one tree: they agree on what the kernel writes, and say where they do not."""

import pytest

from kho_console.abi import fdt_salvage
from kho_console.abi.fdt_agreement import disagreement
from kho_console.model.tree import FlatTree, Property, TreeNode
from tests.recordings import folder

FILES = "linux-*/*/root/sys/kernel/debug/kho/**/*"
TREES = sorted(
    path
    for path in folder("linux-7.3.4/ready").parents[1].glob(FILES)
    if path.is_file() and path.read_bytes().startswith(b"\xd0\x0d\xfe\xed")
)
MEMBLOCK = (
    folder("linux-7.3.4/ready") / "root/sys/kernel/debug/kho/out/sub_fdts/memblock"
).read_bytes()


def changed(data: bytes, offset: int, word: int) -> bytes:
    return data[:offset] + word.to_bytes(4, "big") + data[offset + 4 :]


def test_they_agree_on_every_recorded_tree() -> None:
    assert len(TREES) > 20
    assert {path: disagreement(path.read_bytes()) for path in TREES} == dict.fromkeys(TREES)


def test_a_tree_that_only_one_takes() -> None:
    # The reservation block is said to lie outside: only libfdt looks for it.
    told = disagreement(changed(MEMBLOCK, 16, 0x1000_0000))
    assert told is not None
    assert told.startswith("libfdt refuses it (at 0x0: damaged tree: ")
    assert told.endswith("our reader takes all of it")


@pytest.mark.parametrize(
    "data", [b"", MEMBLOCK[:100], changed(MEMBLOCK, 0, 7), changed(MEMBLOCK, 64, 7)]
)
def test_nothing_is_said_of_what_is_cut_or_damaged_for_both(data: bytes) -> None:
    assert disagreement(data) is None


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (TreeNode(b"", (), (TreeNode(b"a"), TreeNode(b"x"))), "they read the node /b differently"),
        (TreeNode(b"", (), (TreeNode(b"a"),)), "they count the children of / differently"),
        (
            TreeNode(b"", (), (TreeNode(b"a", (Property(b"p", b"", 0),)), TreeNode(b"b"))),
            "they read the node /a differently",
        ),
    ],
)
def test_where_they_differ_is_named(
    monkeypatch: pytest.MonkeyPatch, other: TreeNode, told: str
) -> None:
    from kho_console.abi import fdt

    theirs = TreeNode(b"", (), (TreeNode(b"a"), TreeNode(b"b")))
    data = fdt.write_sequential(theirs)
    assert disagreement(data) is None
    disagreement.cache_clear()
    whole = FlatTree(other, len(data), len(data))
    monkeypatch.setattr(fdt_salvage, "read", lambda data: whole)
    assert disagreement(data) == told
    disagreement.cache_clear()


def test_a_fault_of_our_reader_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    disagreement.cache_clear()
    monkeypatch.setattr(fdt_salvage, "MAXIMUM_NODES", 1)
    told = disagreement(MEMBLOCK)
    assert told is not None
    assert told.startswith("libfdt takes all of it, our reader does not (at 0x")
    disagreement.cache_clear()
