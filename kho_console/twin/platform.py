"""The machine under a fixture: memory, nodes, and where things lie, from its own files."""

import re
from collections.abc import Iterable

from kho_console.abi import iomem, number_list
from kho_console.abi.error import FormatError
from kho_console.model.memory import IomemEntry, MemoryRange, Node, merged, without
from kho_console.source.protocol import SMALL_FILE, Source, SourceError, SourceKind
from kho_console.twin.files import Files
from kho_console.twin.hardware import Hardware
from kho_console.twin.memory import SimulatedMemory

_NODES = "/sys/devices/system/node"
_MEMORY = "/sys/devices/system/memory"
_NUMBERED = re.compile(r"(?:memory|node)(\d{1,9})")
_DEBUGFS = "/sys/kernel/debug"
_COMMON_SIZE = 4 << 30


def read_bytes(source: Source, path: str, limit: int = SMALL_FILE) -> bytes | None:
    """A file, None where it cannot be read."""
    try:
        return source.read(path, limit)
    except SourceError:
        return None


def hardware(source: Source) -> Hardware:
    """The simulated machine of a fixture."""
    facts = source.facts()
    whole = source.kind is SourceKind.LIVE
    memory = SimulatedMemory(source.memory, facts.page_size, whole=whole)
    entries = _entries(source)
    blocks = _blocks_by_node(source)
    ram = merged(list(iomem.system_ram(entries))) or _guessed(blocks)
    nodes = _nodes(blocks, ram)
    return Hardware(
        memory,
        Files(source, memory),
        nodes,
        _online(source, nodes),
        kept=tuple(_inside(entries, ram)),
        crash=iomem.named(entries, "Crash kernel"),
        architecture=facts.machine,
        debugfs=_mount(source),
    )


def names(source: Source, path: str) -> tuple[str, ...]:
    """Names in a directory, none where it cannot be listed."""
    try:
        return source.list(path)
    except SourceError:
        return ()


def _entries(source: Source) -> tuple[IomemEntry, ...]:
    content = read_bytes(source, "/proc/iomem")
    try:
        found = iomem.parse(content or b"")
    except FormatError:
        return ()
    return () if iomem.masked(found) else found


def _inside(entries: tuple[IomemEntry, ...], ram: tuple[MemoryRange, ...]) -> list[MemoryRange]:
    """What has a name of its own inside memory: the kernel, the crash region."""
    return [
        entry.range
        for entry in entries
        if not entry.name.startswith("System RAM")
        and any(piece.contains(entry.range) for piece in ram)
    ]


def _guessed(blocks: dict[int, list[MemoryRange]]) -> tuple[MemoryRange, ...]:
    """Memory where no file lists it: the memory blocks, else a machine of a common size."""
    listed = [item for ranges in blocks.values() for item in ranges]
    return merged(listed) or (MemoryRange(1 << 20, _COMMON_SIZE - (1 << 20)),)


def _nodes(blocks: dict[int, list[MemoryRange]], ram: tuple[MemoryRange, ...]) -> tuple[Node, ...]:
    found = [
        Node(number, _clipped(ram, merged(ranges))) for number, ranges in sorted(blocks.items())
    ]
    placed = [item for node in found for item in node.ranges]
    rest = without(ram, merged(placed))
    if not found:
        return (Node(0, ram),)
    if rest:
        # Memory that no node links belongs to the first one.
        found[0] = Node(found[0].number, merged([*found[0].ranges, *rest]))
    return tuple(found)


def _blocks_by_node(source: Source) -> dict[int, list[MemoryRange]]:
    content = read_bytes(source, f"{_MEMORY}/block_size_bytes")
    try:
        size = number_list.hexadecimal(content or b"")
    except FormatError:
        return {}
    found: dict[int, list[MemoryRange]] = {}
    for node in _numbers(names(source, _NODES), "node"):
        blocks = _numbers(names(source, f"{_NODES}/node{node}"), "memory")
        found[node] = [MemoryRange(number * size, size) for number in blocks]
    return found


def _numbers(found: Iterable[str], prefix: str) -> list[int]:
    matches = (_NUMBERED.fullmatch(name) for name in found if name.startswith(prefix))
    return sorted(int(match[1]) for match in matches if match)


def _clipped(
    ram: tuple[MemoryRange, ...], ranges: tuple[MemoryRange, ...]
) -> tuple[MemoryRange, ...]:
    pieces = [
        MemoryRange(start, end - start)
        for item in ram
        for other in ranges
        if (start := max(item.start, other.start)) < (end := min(item.end, other.end))
    ]
    return merged(pieces)


def _online(source: Source, nodes: tuple[Node, ...]) -> tuple[int, ...]:
    content = read_bytes(source, f"{_NODES}/online")
    try:
        return number_list.numbers(content or b"", 1024)
    except FormatError:
        return tuple(node.number for node in nodes)


def _mount(source: Source) -> str:
    content = read_bytes(source, "/proc/mounts") or b""
    for line in content.decode("utf-8", "surrogateescape").splitlines():
        words = line.split(" ")
        if len(words) > 2 and words[2] == "debugfs":
            return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), words[1])
    return _DEBUGFS
