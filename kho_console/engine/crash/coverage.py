"""What a dump taken now would contain, in ranges of memory.

Which memory the kernel describes is taken from arch/x86/kernel/crash.c: System RAM as
`/proc/iomem` has it, offline blocks and memory of drivers included, without the first MiB, the
crash kernel's regions and what it gets from CMA. arm64, riscv and loongarch do so too, but for the
first MiB.
"""

from collections.abc import Sequence

from kho_console.abi import command_line, crash_files, iomem
from kho_console.abi.crashkernel import CrashKernel, CrashKernelKind
from kho_console.engine import files, paths
from kho_console.model.crash import CoreHeader, Coverage, LoadKind
from kho_console.model.machine import MemoryLayout
from kho_console.model.memory import MemoryBlock, MemoryRange, merged, without
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source

CMA_RANGES = f"{paths.KEXEC}/crash_cma_ranges"

_LOW = {"x86_64": 1 << 20, "i686": 1 << 20, "aarch64": 0, "riscv64": 0, "loongarch64": 0}
"""Bytes at address 0 that are left out, by architecture."""


def coverage(source: Source, header: CoreHeader, memory: MemoryLayout) -> Maybe[Coverage]:
    """Memory of the machine against memory that the header describes."""
    architecture = source.facts().machine
    low = _LOW.get(architecture)
    if low is None:
        reason = f"on {architecture} /proc/iomem does not tell which memory the kernel describes"
        return Unknown(Cause.UNSUPPORTED, reason)
    if isinstance(memory.iomem, Unknown):
        return memory.iomem
    regions = () if isinstance(memory.crash_regions, Unknown) else memory.crash_regions
    cma = _cma(source)
    if isinstance(cma, Unknown):
        return cma
    ram = merged(list(iomem.system_ram(memory.iomem)))
    left_out = merged([MemoryRange(0, low), *regions, *cma])
    blocks = () if isinstance(memory.blocks, Unknown) else memory.blocks
    return compared(header, ram, left_out, blocks)


def compared(
    header: CoreHeader,
    ram: Sequence[MemoryRange],
    left_out: Sequence[MemoryRange],
    blocks: Sequence[MemoryBlock],
) -> Coverage:
    """The comparison in ranges.

    Args:
        header: What a dump would hold.
        ram: Memory of the machine, as `merged` gives it.
        left_out: What no dump holds, likewise.
        blocks: Memory blocks.
    """
    every = merged([load.range for load in header.loads if load.kind is not LoadKind.TEXT])
    # Text that lies in no memory is described in vain as well: it may be none.
    in_place = merged([load.range for load in header.loads if load.kind is not LoadKind.BACKUP])
    expected = without(ram, left_out)
    missing = without(expected, every)
    off = merged([block.range for block in blocks if block.state == "offline"])
    described = without(expected, missing)
    return Coverage(
        described=_bytes(described),
        expected=_bytes(expected),
        missing=missing,
        stale=without(in_place, ram),
        offline=without(described, without(described, off)),
        idle=without(missing, without(missing, off)),
    )


def _cma(source: Source) -> Maybe[tuple[MemoryRange, ...]]:
    """What the crash kernel gets from CMA; kernels before 6.19 do not tell where it lies."""
    found = files.parsed(source, CMA_RANGES, crash_files.cma_ranges)
    if not isinstance(found, Unknown) or found.cause is not Cause.ABSENT:
        return found
    line = files.raw(source, paths.CMDLINE)
    if isinstance(line, Unknown) or not _asks_for_cma(line):
        return ()
    reason = "where the memory of crashkernel=,cma lies does not show before 6.19"
    return Unknown(Cause.UNSUPPORTED, reason)


def _asks_for_cma(line: bytes) -> bool:
    return any(
        isinstance(option, CrashKernel) and option.kind is CrashKernelKind.CMA
        for option in command_line.parse(line).crashkernel
    )


def _bytes(ranges: Sequence[MemoryRange]) -> int:
    return sum(item.size for item in ranges)
