"""Memory for a crash kernel: what `crashkernel=` of a booting kernel comes to.

kernel/crash_reserve.c, and `memblock_set_kho_scratch_only` of mm/memblock.c (6.16 to 7.3): after a
handover all early memory comes from scratch, beside the image that was loaded there. The recorded
6.17.8, 6.19.11 and 7.2.13 have too little scratch for the region that they had before.
"""

from collections.abc import Sequence

from kho_console.abi import crashkernel, iomem
from kho_console.abi.command_line import CommandLine
from kho_console.abi.crashkernel import CrashKernel, CrashKernelKind
from kho_console.abi.error import FormatError
from kho_console.model.memory import MemoryRange, merged, without
from kho_console.source.protocol import SMALL_FILE, SourceError
from kho_console.twin.hardware import Hardware
from kho_console.twin.kernel import KEXEC

_IOMEM = "/proc/iomem"
_NAME = "Crash kernel"
_ALIGNMENT = 16 << 20
"""CRASH_ALIGN of x86; arm64 takes 2 MiB, which only gives it more places."""

_LOW = 1 << 32


def reserve(
    hardware: Hardware,
    options: CommandLine,
    scratch: Sequence[MemoryRange] | None,
    segments: Sequence[MemoryRange],
    log: list[str],
) -> None:
    """Give the machine the region that the booting kernel sets aside, or none.

    Of `,high` with `,low` only the large piece is told apart; where the memory map is hidden, all
    stays as it was.

    Args:
        hardware: The machine, with the region of the kernel before.
        options: The booting kernel's command line.
        scratch: The areas that came in; None without a handover.
        segments: Where the parts of its image lie.
        log: What the kernel says.
    """
    lines = _lines(hardware)
    if lines is None:
        return
    before = merged(list(hardware.crash))
    kept = without(merged(list(hardware.kept)), before)
    found = crashkernel.counting(options.crashkernel)
    option = found if isinstance(found, CrashKernel) else None
    size = 0 if option is None else _wanted(option, hardware)
    if scratch is None and size == max((item.size for item in before), default=0):
        return
    free = (
        without(merged(list(hardware.ram)), kept)
        if scratch is None
        else without(merged(list(scratch)), merged(list(segments)))
    )
    place = None if option is None or not size else _place(free, size, option)
    if place is not None:
        log.append(
            f"crashkernel reserved: 0x{place.start:016x} - 0x{place.end:016x} ({size >> 20} MB)"
        )
    elif size:
        log.append(f"cannot allocate crashkernel (size:0x{size:x})")
    hardware.crash = () if place is None else (place,)
    hardware.kept = merged([*kept, *hardware.crash])
    _show(hardware, lines)


def _wanted(option: CrashKernel, hardware: Hardware) -> int:
    total = sum(item.size for item in hardware.ram)
    return -(-crashkernel.size_for(option.sizes, total) // hardware.page_size) * hardware.page_size


def _place(free: Sequence[MemoryRange], size: int, option: CrashKernel) -> MemoryRange | None:
    """The highest place, below 4 GiB if there is one there; the very one that is asked for."""
    if option.offset:
        wanted = MemoryRange(option.offset, size)
        return wanted if any(hole.contains(wanted) for hole in free) else None
    limits = (1 << 64,) if option.kind is CrashKernelKind.HIGH else (_LOW, 1 << 64)
    for limit in limits:
        for hole in reversed(free):
            start = (min(hole.end, limit) - size) // _ALIGNMENT * _ALIGNMENT
            if start >= hole.start:
                return MemoryRange(start, size)
    return None


def _lines(hardware: Hardware) -> list[bytes] | None:
    """The memory map without the old region and what lies in it; None where it is hidden."""
    try:
        content = hardware.files.read(_IOMEM, SMALL_FILE)
        entries = iomem.parse(content)
    except (SourceError, OSError, FormatError):
        return None
    if not entries or iomem.masked(entries):
        return None
    left, inside = [], len(content)
    for entry, line in zip(entries, filter(None, content.split(b"\n")), strict=True):
        if entry.depth > inside:
            continue
        inside = entry.depth if entry.name == _NAME else len(content)
        if entry.name != _NAME:
            left.append(line)
    return left


def _show(hardware: Hardware, lines: list[bytes]) -> None:
    size = b"%d\n" % sum(item.size for item in hardware.crash)
    for path in ("/sys/kernel/kexec_crash_size", f"{KEXEC}/crash_size"):
        if hardware.files.stands(path):
            hardware.files.put(path, size)
    for region in hardware.crash:
        entries = iomem.parse(b"\n".join(lines))
        before = [at for at, item in enumerate(entries) if item.range.start <= region.start]
        line = b"  %08x-%08x : %s" % (region.start, region.end - 1, _NAME.encode())
        lines.insert(before[-1] + 1 if before else len(lines), line)
    hardware.files.put(_IOMEM, b"".join(line + b"\n" for line in lines))
