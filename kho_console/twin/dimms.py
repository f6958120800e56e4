"""Memory that is plugged into a running twin, or taken out (mm/memory_hotplug.c)."""

import errno
from collections.abc import Iterator

from kho_console.abi import iomem, number_list
from kho_console.abi.error import FormatError
from kho_console.model.memory import MemoryRange, Node, merged, without
from kho_console.source.protocol import SMALL_FILE, SourceError
from kho_console.twin import hotplug
from kho_console.twin.files import Link
from kho_console.twin.history import Dimm
from kho_console.twin.kernel import Kernel
from kho_console.twin.refused import Refused

_MEMORY = "/sys/devices/system/memory"
_NODES = "/sys/devices/system/node"
_IOMEM = "/proc/iomem"
_MOST_BLOCKS = 1 << 16

Told = tuple[str, str, str]
"""Action, subsystem and device of an event."""


def plug(kernel: Kernel, dimm: Dimm) -> Iterator[Told]:
    """What the kernel does, and the events that it makes.

    Raises:
        Refused: EEXIST, ENOENT, EBUSY, EINVAL.
    """
    try:
        block = number_list.hexadecimal(_read(kernel, f"{_MEMORY}/block_size_bytes"))
        entries = iomem.parse(_read(kernel, _IOMEM))
    except (SourceError, FormatError) as error:
        raise Refused(errno.EIO, str(error)) from error
    memory = dimm.memory
    whole = block and not (memory.start % block or memory.size % block)
    if not whole or not 0 < memory.size // block <= _MOST_BLOCKS:
        raise Refused(errno.EINVAL, "no whole memory blocks")
    numbers = range(memory.start // block, memory.end // block)
    ram = iomem.system_ram(entries)
    if dimm.come:
        if any(item.overlaps(memory) for item in ram):
            raise Refused(errno.EEXIST, "there is memory already")
        return _come(kernel, dimm, numbers)
    if memory not in ram:
        raise Refused(errno.ENOENT, "no DIMM lies there")
    if any(_read(kernel, f"{_MEMORY}/memory{at}/state") != b"offline\n" for at in numbers):
        raise Refused(errno.EBUSY, "it is on line")
    return _go(kernel, dimm, numbers)


def _come(kernel: Kernel, dimm: Dimm, numbers: range) -> Iterator[Told]:
    """Memory is there at once and whole; its blocks go on line where the kernel does that."""
    hardware = kernel.hardware
    _show(kernel, dimm.memory)
    hardware.nodes = _with(hardware.nodes, dimm)
    for number in numbers:
        _add_block(kernel, number, dimm.node)
    yield from (("add", "memory", f"memory{number}") for number in numbers)
    if _read(kernel, f"{_MEMORY}/auto_online_blocks").startswith(b"online"):
        for number in numbers:
            yield hotplug.write(kernel, f"{_MEMORY}/memory{number}/state", b"online")


def _go(kernel: Kernel, dimm: Dimm, numbers: range) -> Iterator[Told]:
    """Nobody tells the crash image."""
    hardware = kernel.hardware
    hardware.nodes = tuple(
        Node(node.number, without(node.ranges, (dimm.memory,))) for node in hardware.nodes
    )
    _hide(kernel, dimm.memory)
    for number in numbers:
        hardware.files.remove(f"{_MEMORY}/memory{number}")
        for node in hardware.online_nodes:
            hardware.files.remove(f"{_NODES}/node{node}/memory{number}")
        yield "remove", "memory", f"memory{number}"


def _add_block(kernel: Kernel, number: int, node: int) -> None:
    files, folder = kernel.hardware.files, f"{_MEMORY}/memory{number}"
    files.uncover(folder)
    files.put(f"{folder}/online", b"0\n")
    files.put(f"{folder}/phys_device", b"0\n")
    files.put(f"{folder}/phys_index", b"%08x\n" % number)
    files.put(f"{folder}/removable", b"1\n")
    files.put(f"{folder}/state", b"offline\n")
    files.put(f"{folder}/valid_zones", b"Normal Movable\n")
    link = f"{_NODES}/node{node}/memory{number}"
    files.uncover(link)
    files.put(link, Link(f"../../memory/memory{number}"))


def _with(nodes: tuple[Node, ...], dimm: Dimm) -> tuple[Node, ...]:
    known = {node.number: node.ranges for node in nodes}
    known[dimm.node] = merged([*known.get(dimm.node, ()), dimm.memory])
    return tuple(Node(number, ranges) for number, ranges in sorted(known.items()))


def _show(kernel: Kernel, memory: MemoryRange) -> None:
    """A line among those of the top level, where its address belongs."""
    line = _line(memory)
    lines = _read(kernel, _IOMEM).splitlines(keepends=True)
    at = next((at for at, other in enumerate(lines) if _start(other) > memory.start), len(lines))
    kernel.hardware.files.put(_IOMEM, b"".join([*lines[:at], line, *lines[at:]]))


def _hide(kernel: Kernel, memory: MemoryRange) -> None:
    content = _read(kernel, _IOMEM).replace(_line(memory), b"")
    kernel.hardware.files.put(_IOMEM, content)


def _line(memory: MemoryRange) -> bytes:
    return b"%08x-%08x : System RAM\n" % (memory.start, memory.end - 1)


def _start(line: bytes) -> int:
    return -1 if line.startswith(b" ") else int(line.partition(b"-")[0], 16)


def _read(kernel: Kernel, path: str) -> bytes:
    return kernel.hardware.files.read(path, SMALL_FILE)
