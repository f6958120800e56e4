"""`kexec_file_load` and what it leaves (kernel/kexec_file.c, arch/x86/kernel/kexec-bzimage64.c)."""

import errno
import struct
from collections.abc import Mapping, Sequence

from kho_console.model.change import FileFlag, KexecImage
from kho_console.model.memory import MemoryRange, without
from kho_console.model.value import dataclass
from kho_console.twin.handover import Handover
from kho_console.twin.hardware import Hardware
from kho_console.twin.image import ImageTold
from kho_console.twin.kho2024.carried import Carried2024
from kho_console.twin.memory import SimulatedMemory
from kho_console.twin.refused import Refused
from kho_console.twin.release import Release

_X86 = "x86_64"
_COMMAND_LINE = 2047
_ELFCOREHDR_ROOM = 30
"""Bytes of an x86 command line that are kept free, in normal loads too."""

_KERNEL_ALIGNMENT = 2 << 20
_ARRAY_ALIGNMENT = 64 << 10
_LOWEST = 1 << 20
_PURGATORY = 48 << 10
_PARAMETERS = 64 << 10
_CRASH_OVERHEAD = 1 << 20
"""Bytes at the start of a crash region for the ELF core header and what else goes with it."""

_AREA = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class Carried:
    """Where an image says that the handover lies.

    Attributes:
        tree: The root tree's page.
        areas: Where the array of scratch areas goes.
        content: The array.
    """

    tree: int
    areas: int
    content: bytes

    def channel(self, page_size: int) -> Mapping[str, MemoryRange]:
        """What the boot protocol says, in its order."""
        return {
            "fdt": MemoryRange(self.tree, page_size),
            "scratch": MemoryRange(self.areas, len(self.content)),
        }

    def put(self, memory: SimulatedMemory) -> None:
        """Copy the array to where it belongs, as the kexec does."""
        memory.write(self.areas, self.content)


@dataclass(frozen=True, slots=True)
class Loaded:
    """An image that is loaded.

    Attributes:
        image: What was asked for.
        told: What it is.
        segments: Where its parts go.
        carried: The handover it carries; None where it carries none.
    """

    image: KexecImage
    told: ImageTold
    segments: tuple[MemoryRange, ...] = ()
    carried: Carried | Carried2024 | None = None


@dataclass
class Limits:
    """What sysctl allows.

    Attributes:
        disabled: `kexec_load_disabled`.
        reboot: Normal loads left; -1 for no limit.
        panic: Crash loads left; -1 for no limit.
    """

    disabled: bool = False
    reboot: int = -1
    panic: int = -1

    def spend(self, *, crash: bool) -> None:
        """Count a call, an unload or one that will fail included.

        Raises:
            Refused: EPERM.
        """
        left = self.panic if crash else self.reboot
        if self.disabled or not left:
            raise Refused(errno.EPERM, "loading is disabled, or its limit is used up")
        if crash:
            self.panic = max(left - 1, -1)
        else:
            self.reboot = max(left - 1, -1)


def check_flags(row: Release, image: KexecImage) -> None:
    """Refuse flags that a release does not know (EINVAL)."""
    if int(image.all_flags) & ~row.load_flags or image.all_flags & FileFlag.UNLOAD:
        raise Refused(errno.EINVAL, "a flag is not known")


def check_command_line(architecture: str, image: KexecImage) -> None:
    """Refuse a command line that is too long or has a NUL inside (EINVAL)."""
    size = len(image.command_line) + 1
    too_long = architecture == _X86 and size + _ELFCOREHDR_ROOM > _COMMAND_LINE
    if b"\0" in image.command_line or too_long:
        raise Refused(errno.EINVAL, "the command line is too long")


def load(
    row: Release,
    hardware: Hardware,
    handover: Handover | None,
    image: KexecImage,
    told: ImageTold,
) -> Loaded:
    """Place a normal image.

    Args:
        row: The running kernel.
        hardware: The machine.
        handover: Its handover; None where KHO is off.
        image: What is loaded.
        told: What it is.

    Raises:
        Refused: EADDRNOTAVAIL where it does not fit, EINVAL where it is larger than half of RAM.
    """
    if handover is None:
        return Loaded(image, told, placed(hardware, image, told, [list(hardware.ram)]))
    carries = handover.finalized or not row.attach_needs_finalize
    array = b"".join(_AREA.pack(area.start, area.size) for area in handover.scratch)
    page = hardware.page_size
    first = [(-(-len(array) // page) * page, _ARRAY_ALIGNMENT)] if carries else []
    areas = [[area] for area in handover.scratch if area.size]
    segments = placed(hardware, image, told, areas, first)
    carried = Carried(handover.root, segments[0].start, array) if carries else None
    return Loaded(image, told, segments, carried)


def placed(
    hardware: Hardware,
    image: KexecImage,
    told: ImageTold,
    areas: Sequence[Sequence[MemoryRange]],
    first: Sequence[tuple[int, int]] = (),
) -> tuple[MemoryRange, ...]:
    """Where the parts of a normal image go.

    Args:
        hardware: The machine.
        image: What is loaded.
        told: What it is.
        areas: Where they may lie, in the order in which the kernel tries.
        first: Size and alignment of the handover's segments, placed before the image's own.

    Raises:
        Refused: EADDRNOTAVAIL where it does not fit, EINVAL where it is larger than half of RAM.
    """
    wanted = _wanted(image, told)
    if sum(size for size, _ in wanted) > sum(item.size for item in hardware.ram) // 2:
        raise Refused(errno.EINVAL, "more than half of the memory")
    return _placed([*first, *wanted], areas)


def load_crash(hardware: Hardware, image: KexecImage, told: ImageTold) -> Loaded:
    """Place a crash image; it has no part in a handover that a twin ever runs.

    Raises:
        Refused: EADDRNOTAVAIL where there is no region, or none is large enough.
    """
    areas = [
        [MemoryRange(item.start + _CRASH_OVERHEAD, max(item.size - _CRASH_OVERHEAD, 0))]
        for item in hardware.crash
    ]
    return Loaded(image, told, _placed(_wanted(image, told), areas))


def _wanted(image: KexecImage, told: ImageTold) -> list[tuple[int, int]]:
    """Size and alignment of each part, in the order in which the kernel places them."""
    wanted = [(_PURGATORY, 4096), (_PARAMETERS, 4096)]
    wanted.append((told.memory_size, _KERNEL_ALIGNMENT))
    if image.initrd is not None and told.initrd_size:
        wanted.append((told.initrd_size, 4096))
    return wanted


def _placed(
    wanted: Sequence[tuple[int, int]], areas: Sequence[Sequence[MemoryRange]]
) -> tuple[MemoryRange, ...]:
    """Each part in the first area with room for it, at the highest address there."""
    placed: list[MemoryRange] = []
    free = [list(area) for area in areas]
    for size, alignment in wanted:
        found = _highest(free, size, alignment)
        if found is None:
            raise Refused(errno.EADDRNOTAVAIL, f"no place for {size} bytes")
        placed.append(found)
        free = [list(without(area, (found,))) for area in free]
    return tuple(placed)


def _highest(free: list[list[MemoryRange]], size: int, alignment: int) -> MemoryRange | None:
    for area in free:
        for hole in reversed(area):
            start = (hole.end - size) // alignment * alignment
            if start >= max(hole.start, _LOWEST):
                return MemoryRange(start, size)
    return None
