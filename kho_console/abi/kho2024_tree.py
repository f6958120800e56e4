"""Writing the root tree of the series of 2024, and the array of memory that goes beside it.

kernel/kexec_kho_out.c as posted: the tree is written in one go; the mem cache is a segment of its
own, its records are whole pages, ascending, and apart from each other.
"""

import struct
from collections.abc import Iterable, Sequence

from kho_console.abi import fdt, runs
from kho_console.abi.error import FormatError
from kho_console.abi.native import U32, number, string
from kho_console.model.kho2024 import TraceArray, TraceCpu
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs
from kho_console.model.tree import Property, TreeNode

WORD = b"kho-v1"
FTRACE = b"ftrace-v1"
_RECORD = struct.Struct("<QQ")


def mem(ranges: Iterable[MemoryRange]) -> Property:
    """A `mem` array."""
    return Property(b"mem", b"".join(_RECORD.pack(item.start, item.size) for item in ranges), 0)


def ftrace(
    events: Iterable[tuple[int, int]], arrays: Iterable[TraceArray], word: bytes = FTRACE
) -> TreeNode:
    """The node of the function tracer."""
    pairs = b"".join(struct.pack("<II", *pair) for pair in events)
    properties = (string(b"compatible", word), Property(b"events", pairs, 0))
    return TreeNode(b"ftrace", properties, tuple(_array(item) for item in arrays))


def root(children: Iterable[TreeNode], word: bytes = WORD) -> bytes:
    """The whole tree.

    Raises:
        FormatError: A name is not UTF-8.
    """
    return fdt.write_sequential(TreeNode(b"", (string(b"compatible", word),), tuple(children)))


def pages_of(ranges: Iterable[MemoryRange], page_size: int) -> Runs:
    """Ranges widened to whole pages and joined, as the kernel collects them."""
    return runs.of_ranges(
        (item.start & -page_size, (item.end + page_size - 1) & -page_size)
        for item in ranges
        if item.size
    )


def mem_cache(pages: Runs) -> bytes:
    """The records of preserved memory for the next kernel."""
    return b"".join(_RECORD.pack(item.start, item.size) for item in pages)


def read_mem_cache(data: bytes) -> tuple[MemoryRange, ...]:
    """The records of a mem cache.

    Raises:
        FormatError: No whole records, or one that runs over the end of memory.
    """
    if len(data) % _RECORD.size:
        raise FormatError(len(data), f"a mem cache of {len(data)} bytes, no whole records")
    found = tuple(MemoryRange(*words) for words in _RECORD.iter_unpack(data))
    for at, item in enumerate(found):
        if item.end > 1 << 64:
            raise FormatError(at * _RECORD.size, "a record runs over the end of memory")
    return found


def _array(item: TraceArray) -> TreeNode:
    kind = string(b"compatible", b"ftrace,array-v1")
    flags = () if item.flags is None else (number(b"trace-flags", item.flags, U32),)
    return TreeNode(item.name, (kind, *flags), tuple(_cpu(cpu) for cpu in item.cpus))


def _cpu(item: TraceCpu) -> TreeNode:
    pairs: Sequence[MemoryRange] = [piece for pair in item.pages for piece in pair]
    kind = string(b"compatible", b"ftrace,cpu-v1")
    return TreeNode(b"cpu%x" % item.cpu, (kind, number(b"cpu", item.cpu, U32), mem(pairs)))
