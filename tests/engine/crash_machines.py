"""Machines with a crash image, laid out by hand from the documented format."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from kho_console.model.memory import MemoryRange
from tests.fixture_folder import FixtureFolder

MIB = 1 << 20
GIB = 1 << 30
BLOCK = 128 * MIB
DIRECT_MAP = 0xFF11_0000_0000_0000
TEXT = 0xFFFF_FFFF_8100_0000
NOTE = 368
VMCOREINFO = MemoryRange(0x4000_0000, 4132)
CPUS = (0x3EC2_A400, 0x3ED2_A400)
LOADED = "/sys/kernel/kexec_crash_loaded"

Span = tuple[int, int]
"""Start and end, the end excluded."""

REGION: Span = (0x6F00_0000, 0x7F00_0000)
"""Memory of the crash kernel where nothing else is said."""


def core_header(
    memory: Sequence[Span],
    *,
    cpus: Sequence[int] = CPUS,
    vmcoreinfo: MemoryRange = VMCOREINFO,
    machine: int = 62,
    order: str = "<",
    backup: int | None = None,
) -> bytes:
    """The bytes of a header; `backup` is where kexec-tools copies the low 640 KiB to."""
    entry = struct.Struct(f"{order}IIQQQQQQ")
    rows = [(4, 0, start, 0, start, NOTE, NOTE, 0) for start in cpus]
    at, size = vmcoreinfo.start, vmcoreinfo.size
    rows.append((4, 0, at, 0, at, size, size, 0))
    rows.append((1, 7, 16 * MIB, TEXT, 16 * MIB, 8 * MIB, 8 * MIB, 0))
    if backup is not None:
        rows.append((1, 7, backup, DIRECT_MAP, 0, 640 << 10, 640 << 10, 0))
    rows += [
        (1, 7, start, DIRECT_MAP + start, start, end - start, end - start, 0)
        for start, end in memory
    ]
    head = struct.pack(
        f"{order}16sHHIQQQIHHHHHH",
        b"\x7fELF\x02" + (b"\x01" if order == "<" else b"\x02") + b"\x01" + bytes(9),
        *(4, machine, 1, 0, 64, 0, 0, 64, 56, len(rows), 0, 0, 0),
    )
    return head + b"".join(entry.pack(*row) for row in rows)


def crash_machine(
    place: Path,
    ram: Sequence[Span],
    regions: Sequence[Span],
    pages: Mapping[int, bytes],
    *,
    machine: str = "x86_64",
    loaded: str = "1\n",
    second_node: Sequence[int] = (),
) -> FixtureFolder:
    """A machine with two CPUs and memory blocks of 128 MiB wherever there is memory."""
    folder = FixtureFolder(place, "7.3.4", machine=machine)
    lines = [(start, end, "", "System RAM") for start, end in ram]
    lines += [(start, end, "  ", "Crash kernel") for start, end in regions]
    folder.file(
        "/proc/iomem",
        "".join(
            f"{indent}{start:08x}-{end - 1:08x} : {name}\n"
            for start, end, indent, name in sorted(lines, key=lambda line: (line[0], -line[1]))
        ),
    )
    folder.file(LOADED, loaded)
    folder.file("/sys/kernel/crash_elfcorehdr_size", "462448\n")
    folder.file("/sys/kernel/kexec_crash_size", "268435456\n")
    folder.file("/sys/kernel/vmcoreinfo", f"0x{VMCOREINFO.start:x} {VMCOREINFO.size:x}\n")
    for name in ("possible", "present", "online"):
        folder.file(f"/sys/devices/system/cpu/{name}", "0-1\n")
    for number, start in enumerate(CPUS):
        folder.file(f"/sys/devices/system/cpu/cpu{number}/crash_notes", f"{start:x}\n")
    folder.file("/sys/devices/system/memory/crash_hotplug", "1\n")
    folder.file("/sys/devices/system/memory/block_size_bytes", f"{BLOCK:x}\n")
    for number in sorted({at // BLOCK for start, end in ram for at in range(start, end, BLOCK)}):
        block(folder, number, node=1 if number in second_node else 0)
    folder.pages(pages)
    return folder


def block(folder: FixtureFolder, number: int, state: str = "online", node: int = 0) -> None:
    """A memory block of a node."""
    folder.file(f"/sys/devices/system/memory/memory{number}/state", f"{state}\n")
    folder.file(f"/sys/devices/system/node/node{node}/.empty", "")
    folder.link(
        f"/sys/devices/system/node/node{node}/memory{number}", f"../../memory/memory{number}"
    )
