"""The root tree of the 2024 series: what it preserves, and one fault for each broken binding."""

import struct
from collections.abc import Iterable

import pytest

from kho_console.abi import fdt, kho2024
from kho_console.abi.native import U32, number, string
from kho_console.model.kho2024 import TraceArray, TraceCpu
from kho_console.model.memory import MemoryRange
from kho_console.model.tree import Property, TreeNode

PAIR = (MemoryRange(0x5000, 0x38), MemoryRange(0x9000, 4096))


def mem(*records: tuple[int, int], more: bytes = b"") -> Property:
    return Property(b"mem", b"".join(struct.pack("<QQ", *item) for item in records) + more, 0)


def cpu(*properties: Property, name: bytes = b"cpua", word: bytes = b"ftrace,cpu-v1") -> TreeNode:
    return TreeNode(name, (string(b"compatible", word), *properties))


def tree(*cpus: TreeNode, events: bytes = bytes(8), word: bytes = b"ftrace-v1") -> bytes:
    flags = number(b"trace-flags", 7, U32)
    kind = string(b"compatible", b"ftrace,array-v1")
    array = TreeNode(b"global-trace", (kind, flags), cpus)
    ftrace = (string(b"compatible", word), Property(b"events", events, 0))
    plain = TreeNode(b"memblock", (mem((0x10000, 8192), (0x40000, 1)),))
    children = (TreeNode(b"ftrace", ftrace, (array,)), plain)
    return fdt.write_sequential(TreeNode(b"", (string(b"compatible", b"kho-v1"),), children))


GOOD = mem(*((item.start, item.size) for item in PAIR))
TREE = tree(cpu(number(b"cpu", 10, U32), GOOD), events=struct.pack("<4I", 1, 2, 3, 4))


def test_all_of_it() -> None:
    found = kho2024.decode(fdt.read(TREE))
    assert found.faults == ()
    assert found.events == ((1, 2), (3, 4))
    assert found.arrays == (TraceArray(b"global-trace", 7, (TraceCpu(10, (PAIR,)),)),)
    assert [(item.path, len(item.ranges)) for item in found.mem] == [
        (b"/ftrace/global-trace/cpua", 2),
        (b"/memblock", 2),
    ]


@pytest.mark.parametrize(
    ("data", "reasons"),
    [
        (tree(word=b"ftrace-v2"), ["/ftrace is ftrace-v2, not ftrace-v1"]),
        (tree(events=bytes(9)), ["events has 9 bytes, no whole pairs"]),
        (tree(cpu(GOOD)), ["has no cpu or no mem"]),
        (tree(cpu(number(b"cpu", 10, U32))), ["has no cpu or no mem"]),
        (tree(cpu(number(b"cpu", 11, U32), GOOD)), ["says that it is CPU 11"]),
        (tree(cpu(number(b"cpu", 10), GOOD)), ["cpu has 8 bytes, not 4", "no cpu or no mem"]),
        (tree(cpu(number(b"cpu", 10, U32), mem((1, 2)))), ["an odd number of records"]),
        (
            tree(cpu(number(b"cpu", 10, U32), mem((1, 2), (3, 4), more=b"x"))),
            ["no whole records: nothing of it is kept"],
        ),
        (
            tree(cpu(number(b"cpu", 10, U32), mem((1 << 63, 1 << 63), (1, (1 << 64) - 1)))),
            [],
        ),
        (tree(cpu(GOOD, word=b"ftrace,cpu-v2")), ["not ftrace,cpu-v1"]),
        (
            fdt.write_sequential(TreeNode(b"", (string(b"compatible", b"kho-v2"),))),
            ["/ is kho-v2, not kho-v1"],
        ),
    ],
)
def test_one_fault_for_each_broken_binding(data: bytes, reasons: Iterable[str]) -> None:
    found = [fault.reason for fault in kho2024.decode(fdt.read(data)).faults]
    assert len(found) == len(list(reasons))
    for said, reason in zip(found, reasons, strict=True):
        assert reason in said


TEN = number(b"cpu", 10, U32)
SLAB, DATA = (0x5000, 0x38), (0x9000, 4096)


@pytest.mark.parametrize(
    ("cpus", "reason"),
    [
        ([cpu(TEN, mem(SLAB, DATA, SLAB))], "an odd number of records"),
        ([cpu(TEN, mem())], "mem has no records"),
        ([cpu(TEN, mem((0x5000, 0), DATA))], "not of one size"),
        ([cpu(TEN, mem(SLAB, DATA, (0x5040, 0x40), (0xA000, 4096)))], "not of one size"),
        ([cpu(TEN, mem(SLAB, (0x9010, 4096)))], "not aligned"),
        ([cpu(TEN, mem(SLAB, DATA, SLAB, DATA))], "there already"),
        ([cpu(TEN, mem(SLAB, DATA, SLAB, (0xA000, 4096)))], "a descriptor of a buffer page that"),
        ([cpu(TEN, mem((0x9100, 0x38), DATA))], "a descriptor that lies in a data page"),
        ([cpu(TEN, mem((0x5040, 0x38), (0xA000, 4096))), cpu(TEN, GOOD)], "CPU 10 is there twice"),
    ],
)
def test_no_buffer_is_made_of_an_array_that_is_broken(cpus: list[TreeNode], reason: str) -> None:
    found = kho2024.decode(fdt.read(tree(*cpus)), 4096)
    assert [reason in fault.reason for fault in found.faults] == [True]
    assert len(found.arrays[0].cpus) == len(cpus) - 1


def test_a_data_page_is_that_of_one_cpu() -> None:
    other = cpu(number(b"cpu", 11, U32), mem((0x5040, 0x38), DATA), name=b"cpub")
    found = kho2024.decode(fdt.read(tree(cpu(TEN, GOOD), other)), 4096)
    assert [fault.reason for fault in found.faults] == [
        "/ftrace/global-trace/cpub: mem has a data page that is there already"
    ]
    assert [item.cpu for item in found.arrays[0].cpus] == [10]


@pytest.mark.parametrize(
    ("word", "faults"),
    [
        (b"kho-v1\0", 0),
        # A kernel takes any word of a list.
        (b"kho-v2\0kho-v1\0", 0),
        (b"kho-v1-more\0", 1),
        (b"kho-v2\0", 1),
    ],
)
def test_the_root_is_of_the_version_that_a_kernel_looks_for(word: bytes, faults: int) -> None:
    tree = fdt.read(fdt.write_sequential(TreeNode(b"", (Property(b"compatible", word, 0),))))
    assert len(kho2024.decode(tree).faults) == faults
