"""The root tree of the series of 2024 (kho-v1 with inline state) and its ftrace bindings.

kernel/kexec_kho_out.c and Documentation/kho/bindings/ftrace/*.yaml as posted. Any node may have a
`mem` array of {u64 address, u64 length}, native-endian.
"""

import re
import struct
from collections.abc import Iterator

from kho_console.abi.text import c_string
from kho_console.model.kho2024 import Kho2024, PreservedMem, TraceArray, TraceCpu
from kho_console.model.memory import MemoryRange
from kho_console.model.tree import Fault, FlatTree, Property, TreeNode

_ROOT = b"kho-v1"
_FTRACE, _ARRAY, _CPU = b"ftrace-v1", b"ftrace,array-v1", b"ftrace,cpu-v1"
_CPU_NAME = re.compile(rb"cpu([0-9a-f]{1,8})")
_RECORD = 16
_FLAGS = (b"trace-flags", b"trace_flags")
"""The name in the third posting, and in the two before it."""


def decode(tree: FlatTree, page_size: int | None = None) -> Kho2024:
    """Everything that the tree says; what breaks a binding is told and passed over.

    Args:
        tree: The root tree.
        page_size: Bytes of a page, which every trace data page must have; None where not known.
    """
    reading = _Reading(page_size)
    reading.faults += tree.faults
    reading.compatible(tree.root, _ROOT, b"/")
    mem = tuple(reading.mems(tree.root))
    events: tuple[tuple[int, int], ...] = ()
    arrays: tuple[TraceArray, ...] = ()
    ftrace = tree.root.child(b"ftrace")
    if ftrace is not None and reading.compatible(ftrace, _FTRACE, b"/ftrace"):
        events, arrays = reading.events(ftrace), tuple(reading.arrays(ftrace))
    return Kho2024(mem, events, arrays, tuple(reading.faults))


class _Reading:
    def __init__(self, page_size: int | None) -> None:
        self.faults: list[Fault] = []
        self._page_size = page_size
        self._data: set[int] = set()
        self._described: set[int] = set()

    def compatible(self, node: TreeNode, wanted: bytes, path: bytes) -> bool:
        """Whether a node is of the version that we know; a consumer must refuse any other."""
        found = _named(node, b"compatible")
        word = None if found is None else c_string(found.value)
        # A kernel looks for its own word in a list of them.
        if found is not None and wanted in found.value.split(b"\0"):
            return True
        offset = 0 if found is None else found.offset
        what = "of no kind" if not word else _shown(word)[:60]
        said = f"{_shown(path)} is {what}, not {wanted.decode()}"
        self._fault(offset, f"{said}: a kernel that knows only that refuses it")
        return False

    def mems(self, root: TreeNode) -> Iterator[PreservedMem]:
        pending = [(b"", root)]
        while pending:
            path, node = pending.pop()
            found = _named(node, b"mem")
            if found is not None:
                yield PreservedMem(path or b"/", self._ranges(found, path))
            children = ((path + b"/" + child.name, child) for child in node.children)
            pending.extend(reversed(list(children)))

    def events(self, node: TreeNode) -> tuple[tuple[int, int], ...]:
        found = _named(node, b"events")
        if found is None:
            self._fault(0, "/ftrace has no events")
            return ()
        if len(found.value) % 8:
            self._fault(found.offset, f"events has {len(found.value)} bytes, no whole pairs")
        return tuple(struct.iter_unpack("<II", found.value[: len(found.value) & -8]))

    def arrays(self, ftrace: TreeNode) -> Iterator[TraceArray]:
        for node in ftrace.children:
            path = b"/ftrace/" + node.name
            if not self.compatible(node, _ARRAY, path):
                continue
            known: dict[int, TraceCpu] = {}
            for child in node.children:
                cpu = self._cpu(child, path)
                if cpu is not None and cpu.cpu in known:
                    self._fault(0, f"{_shown(path)}: CPU {cpu.cpu} is there twice")
                elif cpu is not None:
                    known[cpu.cpu] = cpu
            yield TraceArray(node.name, self._flags(node, path), tuple(known.values()))

    def _flags(self, node: TreeNode, path: bytes) -> int | None:
        for name in _FLAGS:
            if _named(node, name) is not None:
                return self._word(node, name)
        self._fault(0, f"{_shown(path)} has no trace-flags")
        return None

    def _cpu(self, node: TreeNode, above: bytes) -> TraceCpu | None:
        path = above + b"/" + node.name
        if not self.compatible(node, _CPU, path):
            return None
        number, mem = self._word(node, b"cpu"), _named(node, b"mem")
        name = _CPU_NAME.fullmatch(node.name)
        if number is None or mem is None:
            self._fault(0 if mem is None else mem.offset, f"{_shown(path)} has no cpu or no mem")
            return None
        if name is None or int(name[1], 16) != number:
            self._fault(mem.offset, f"{_shown(path)} says that it is CPU {number}")
        if len(mem.value) % _RECORD:
            return None
        records = self._whole(mem)
        pages = tuple(zip(records[::2], records[1::2], strict=False))
        self._sizes(pages, mem, path)
        wrong = "an odd number of records" if len(records) % 2 else self._broken(pages)
        if wrong is not None:
            self._fault(mem.offset, f"{_shown(path)}: mem has {wrong}")
            return None
        self._data.update(data.start for _, data in pages)
        self._described.update(described.start for described, _ in pages)
        return TraceCpu(number, pages)

    def _broken(self, pages: tuple[tuple[MemoryRange, MemoryRange], ...]) -> str | None:
        """Why no buffer can be built of pages, None where it can."""
        sizes = {described.size for described, _ in pages}
        starts = [data.start for _, data in pages]
        heads = [described.start for described, _ in pages]
        if not pages:
            return "no records"
        if len(sizes) > 1 or 0 in sizes:
            return "descriptors of buffer pages that are not of one size"
        if self._page_size and any(start % self._page_size for start in starts):
            return "a data page that is not aligned"
        if len(set(starts)) < len(starts) or not self._data.isdisjoint(starts):
            return "a data page that is there already"
        if len(set(heads)) < len(heads) or not self._described.isdisjoint(heads):
            return "a descriptor of a buffer page that is there already"
        slabs = {head // (self._page_size or 1) * (self._page_size or 1) for head in heads}
        if not slabs.isdisjoint(starts):
            return "a descriptor that lies in a data page"
        return None

    def _sizes(
        self, pages: tuple[tuple[MemoryRange, MemoryRange], ...], mem: Property, path: bytes
    ) -> None:
        wanted = self._page_size
        wrong = [data for _, data in pages if wanted is not None and data.size != wanted]
        if wrong:
            said = f"{len(wrong)} of {len(pages)} data pages do not have {wanted} bytes"
            self._fault(mem.offset, f"{_shown(path)}: {said}")

    def _word(self, node: TreeNode, name: bytes) -> int | None:
        found = _named(node, name)
        if found is None:
            return None
        if len(found.value) != 4:
            self._fault(found.offset, f"{_shown(name)} has {len(found.value)} bytes, not 4")
            return None
        return int.from_bytes(found.value, "little")

    def _ranges(self, found: Property, path: bytes) -> tuple[MemoryRange, ...]:
        if len(found.value) % _RECORD:
            # The kernel leaves out the whole property then.
            said = f"mem has {len(found.value)} bytes, no whole records: nothing of it is kept"
            self._fault(found.offset, f"{_shown(path)}: {said}")
            return ()
        ranges = self._whole(found)
        for item in ranges:
            if item.end > 1 << 64:
                self._fault(found.offset, f"{_shown(path)}: mem runs over the end of memory")
        return ranges

    @staticmethod
    def _whole(found: Property) -> tuple[MemoryRange, ...]:
        data = found.value[: len(found.value) // _RECORD * _RECORD]
        return tuple(MemoryRange(*words) for words in struct.iter_unpack("<QQ", data))

    def _fault(self, offset: int, reason: str) -> None:
        self.faults.append(Fault(offset, reason))


def _named(node: TreeNode, name: bytes) -> Property | None:
    return next((item for item in node.properties if item.name == name), None)


def _shown(name: bytes) -> str:
    return ascii(name.decode("latin-1") or "/")[1:-1]
