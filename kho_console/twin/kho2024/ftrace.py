"""The one producer and consumer of the series of 2024: the buffers of the function tracer.

Documentation/kho/bindings/ftrace/*.yaml as posted. The posted code hands over the global array.
"""

import struct
import zlib
from collections.abc import Iterator

from kho_console.abi import kho2024_tree, number_list
from kho_console.abi.error import FormatError
from kho_console.model.kho2024 import Kho2024, TraceArray, TraceCpu
from kho_console.model.memory import MemoryRange
from kho_console.model.tree import TreeNode
from kho_console.source.protocol import SMALL_FILE, SourceError
from kho_console.twin.allocator import Allocator
from kho_console.twin.hardware import Hardware

_GLOBAL = b"global-trace"
_FLAGS = 0x5700
_PAGES = 2
"""Pages of each CPU's buffer on a twin; real ones have hundreds."""

_BUFFER_PAGE = 0x38
"""`sizeof(struct buffer_page)` in the example of the binding; it is as the kernel was built."""

_STATIC = (1, 2, 3, 4, 5, 6)
_DYNAMIC = (b"sched_switch", b"sched_wakeup")
_FIRST_TYPE = 20
_CPUS = "/sys/devices/system/cpu"


class Ftrace:
    """The tracer of a running kernel."""

    def __init__(self, arrays: tuple[TraceArray, ...]) -> None:
        """Trace into these buffers."""
        self.arrays = arrays

    @classmethod
    def started(
        cls, hardware: Hardware, allocator: Allocator, restored: tuple[TraceCpu, ...] = ()
    ) -> "Ftrace":
        """A tracer with a buffer for each CPU, restored ones where they came in."""
        came = {item.cpu: item for item in restored}
        buffers = (
            came.get(cpu) or _buffer(hardware, allocator, cpu) for cpu in processors(hardware)
        )
        return cls((TraceArray(_GLOBAL, _FLAGS, tuple(buffers)),))

    def node(self) -> TreeNode:
        """What it puts into the tree."""
        return kho2024_tree.ftrace(events(), self.arrays)


def events() -> Iterator[tuple[int, int]]:
    """Fingerprints and types: static events by their number, dynamic ones by name and sizes."""
    for number in _STATIC:
        yield number, number
    for at, name in enumerate(_DYNAMIC):
        # CRC32 seeded with ~0 and not inverted at the end.
        crc = zlib.crc32(name + struct.pack("<II", 8, 4)) ^ 0xFFFFFFFF
        yield crc, _FIRST_TYPE + at


def restorable(found: Kho2024, hardware: Hardware) -> tuple[TraceCpu, ...]:
    """The buffers that a booting kernel can go on with: whole ones, of CPUs that it has."""
    wanted = set(processors(hardware))
    page = hardware.page_size
    return tuple(
        cpu
        for array in found.arrays
        if array.name in (_GLOBAL, _GLOBAL.replace(b"-", b"_"))
        for cpu in array.cpus
        if cpu.cpu in wanted
        and all(data.size == page and not data.start % page for _, data in cpu.pages)
    )


def processors(hardware: Hardware) -> tuple[int, ...]:
    """The CPUs of the machine; one where nothing tells."""
    for name in ("possible", "present", "online"):
        try:
            content = hardware.files.read(f"{_CPUS}/{name}", SMALL_FILE)
            return number_list.numbers(content)
        except (SourceError, FormatError):
            continue
    return (0,)


def _buffer(hardware: Hardware, allocator: Allocator, cpu: int) -> TraceCpu:
    page, memory = hardware.page_size, hardware.memory
    slab = allocator.pages()
    pairs = []
    for at in range(_PAGES):
        described = MemoryRange(slab + at * 64, _BUFFER_PAGE)
        data = allocator.pages()
        memory.write(described.start, struct.pack("<2Q", data, at))
        memory.write(data, b"trace of cpu %d, page %d" % (cpu, at))
        pairs.append((described, MemoryRange(data, page)))
    return TraceCpu(cpu, tuple(pairs))
