"""Recorded moments, and the same scenes on a twin."""

from collections.abc import Mapping
from functools import cache

from kho_console.abi import fdt, luo, memblock, root_tree
from kho_console.abi.fdt_header import MAGIC
from kho_console.model.change import Execute, Execution, KexecImage, Load, Write
from kho_console.model.memory import MemoryRange
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import Source, SourceError
from kho_console.twin import Twin, TwinSource, twin_of
from kho_console.twin.memfd import MemoryFile
from tests.recordings import folder

KHO = "/sys/kernel/debug/kho"
FINALIZE = f"{KHO}/out/finalize"
PID = 70

Files = Mapping[bytes, tuple[tuple[int, int], ...]]


@cache
def recorded(name: str) -> FixtureSource:
    return FixtureSource(folder(name))


def regions(name: str, side: str = "out") -> dict[bytes, int]:
    """Where a recording's `reserve_mem` regions lie."""
    content = recorded(name).read(f"{KHO}/{side}/sub_fdts/memblock")
    return {item.name: item.start for item in memblock.decode(fdt.read(content)).regions}


def write(twin: Twin, data: bytes) -> None:
    TwinSource(twin).change(Write(FINALIZE, data))


def errno_of(twin: Twin, data: bytes) -> int:
    """What writing to `out/finalize` answers, 0 for success."""
    try:
        write(twin, data)
    except SourceError as error:
        return error.errno or -1
    return 0


def load(twin: Twin, release: str, command_line: bytes | None = None) -> None:
    line = twin.kernel.command_line if command_line is None else command_line
    TwinSource(twin).change(Load(KexecImage(f"twin:{release}", None, line)))


def execute(twin: Twin) -> None:
    TwinSource(twin).change(Execute(Execution.SYSTEM_CALL))


def hold(twin: Twin, files: Files, command: bytes = b"agent") -> None:
    """The scene of the recordings: an agent with sessions and memory files."""
    twin.user.process(PID, command)
    twin.user.open_device(PID)
    for name, items in files.items():
        twin.user.create_session(PID, name)
        for token, size in items:
            twin.user.preserve(name, token, MemoryFile(size))


def preserved(twin: Twin) -> tuple[MemoryRange, ...]:
    """All that the twin's kernel preserves."""
    return tuple(twin.preserved())


def cold(name: str, places: Mapping[bytes, int] | None = None) -> Twin:
    """A twin of a recorded moment, with its `reserve_mem` regions in these places."""
    return twin_of(recorded(name), regions=places)


def handover_files(source: Source, folder_path: str = KHO) -> dict[str, bytes | None]:
    """Everything below a folder: content by path, None for a folder."""
    found: dict[str, bytes | None] = {}
    for name in source.list(folder_path):
        path = f"{folder_path}/{name}"
        try:
            found[path] = renamed(source.read(path))
        except SourceError:
            found[path] = None
            found.update(handover_files(source, path))
    return found


def renamed(content: bytes) -> bytes:
    """A blob without the addresses that the page allocator chose; 0 stays 0."""
    masked = bytearray(content)
    for at in _addresses(content):
        if any(masked[at : at + 8]):
            masked[at : at + 8] = b"@" * len(masked[at : at + 8])
    return bytes(masked)


def _addresses(content: bytes) -> list[int]:
    """Offsets of the addresses in a blob."""
    if content[:4] != MAGIC:
        return [] if luo.struct_word(content) is None else [16, 24]
    pending, found = [root_tree.read(content).flat.root], []
    while pending:
        node = pending.pop()
        pending += node.children
        found += [item.offset for item in node.properties if item.name in _ADDRESSES]
    return found


_ADDRESSES = (
    b"preserved-memory-map",
    b"fdt",
    b"preserved-data",
    b"luo-session-header",
    b"luo-flb-header",
)
