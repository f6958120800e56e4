"""The machine around the handover: host, memory, kexec and crash images."""

from collections.abc import Mapping
from datetime import datetime

from kho_console.model.memory import IomemEntry, MemoryBlock, MemoryRange, Node, Zone
from kho_console.model.unknown import Maybe
from kho_console.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Machine:
    """Who the machine is and what it was booted with.

    Attributes:
        hostname: Its name.
        release: `uname -r`.
        architecture: `uname -m`.
        page_size: Bytes of a page of order 0.
        command_line: The kernel's command line as /proc/cmdline has it.
        boot_id: Random id of this boot.
        boot_time: When it booted, UTC.
        memory_total: Bytes the kernel manages (MemTotal).
        config: Kernel configuration, `CONFIG_X` to its value; off options are missing.
        kernel_log: The log as dmesg prints it.
        lockdown: The active lockdown mode.
        systemd: Whether systemd runs it.
        captured_at: When a fixture was taken; None for a live machine.
        description: What a fixture says of itself.
    """

    hostname: str
    release: str
    architecture: str
    page_size: int
    command_line: Maybe[bytes]
    boot_id: Maybe[str]
    boot_time: Maybe[datetime]
    memory_total: Maybe[int]
    config: Maybe[Mapping[str, str]]
    kernel_log: Maybe[str]
    lockdown: Maybe[str]
    systemd: Maybe[bool]
    captured_at: datetime | None
    description: str


@dataclass(frozen=True, slots=True)
class MemoryLayout:
    """Physical memory of the machine.

    Attributes:
        iomem: `/proc/iomem`; not permitted where its addresses are masked.
        ram: Top-level System RAM, joined.
        crash_regions: What `/proc/iomem` calls "Crash kernel".
        blocks: Memory blocks by number.
        nodes: NUMA nodes with their memory.
        zones: Zones with memory of all nodes.
    """

    iomem: Maybe[tuple[IomemEntry, ...]]
    ram: Maybe[tuple[MemoryRange, ...]]
    crash_regions: Maybe[tuple[MemoryRange, ...]]
    blocks: Maybe[tuple[MemoryBlock, ...]]
    nodes: Maybe[tuple[Node, ...]]
    zones: Maybe[tuple[Zone, ...]]


@dataclass(frozen=True, slots=True)
class KexecState:
    """What sysfs and sysctl say of loaded images.

    Attributes:
        loaded: Whether an image for the next reboot is loaded, however it was loaded.
        crash_loaded: Whether a crash image is loaded.
        crash_size: Bytes reserved for crash images (reading it takes the kexec lock).
        elfcorehdr_size: Bytes for the ELF core header segment that the kernel recommends.
        load_disabled: `kexec_load_disabled`, one way.
        load_limit_reboot: Loads left, -1 for no limit.
        load_limit_panic: Crash loads left, -1 for no limit.
        memory_available: Bytes that a load can have (MemAvailable).
    """

    loaded: Maybe[bool]
    crash_loaded: Maybe[bool]
    crash_size: Maybe[int]
    elfcorehdr_size: Maybe[int]
    load_disabled: Maybe[bool]
    load_limit_reboot: Maybe[int]
    load_limit_panic: Maybe[int]
    memory_available: Maybe[int]


@dataclass(frozen=True, slots=True)
class Cpus:
    """CPU numbers by what the kernel says of them.

    Attributes:
        possible: Those that there may ever be.
        present: Those that are there.
        online: Those that run.
        nodes: NUMA nodes, each with those of its CPUs that run, as far as they were read.
    """

    possible: Maybe[tuple[int, ...]]
    present: Maybe[tuple[int, ...]]
    online: Maybe[tuple[int, ...]]
    nodes: tuple[tuple[int, tuple[int, ...]], ...] = ()

    def node(self, cpu: int) -> int | None:
        """The node of a CPU that runs; None where none was read."""
        return next((number for number, cpus in self.nodes if cpu in cpus), None)
