"""How much room the ELF core header of a crash image has, and how much it needs.

With CONFIG_CRASH_HOTPLUG the segment is larger than the header, so that the kernel can rewrite it
when memory comes. Source: arch/x86/kernel/crash.c and arch/powerpc/kexec/crash.c with
file_load_64.c, 6.16 to 7.3, and kernel/crash_core.c for what is needed.
"""

from kho_console.abi.elf import HEADER_SIZE, PROGRAM_HEADER_SIZE
from kho_console.abi.elfcorehdr import ALIGN, MOST_ENTRIES
from kho_console.model.value import dataclass

_BESIDE = 2
"""Entries for vmcoreinfo and text; the kernel counts the latter even where it writes none."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """What differs in core headers by architecture.

    Attributes:
        name: As `uname -m` gives it.
        elf_machine: `e_machine`.
        little_endian: Byte order.
        text: Whether the kernel's text has a PT_LOAD of its own.
        updates: Whether the kernel rewrites the header when memory comes or goes.
        told_whole: Whether `crash_elfcorehdr_size` counts the ELF file header.
    """

    name: str
    elf_machine: int
    little_endian: bool
    text: bool
    updates: bool
    told_whole: bool


ARCHITECTURES = (
    Architecture("x86_64", 62, True, text=True, updates=True, told_whole=False),
    Architecture("aarch64", 183, True, text=True, updates=False, told_whole=False),
    Architecture("ppc64le", 21, True, text=False, updates=True, told_whole=True),
    Architecture("ppc64", 21, False, text=False, updates=True, told_whole=True),
    Architecture("riscv64", 243, True, text=True, updates=False, told_whole=False),
    Architecture("s390x", 22, False, text=False, updates=False, told_whole=False),
    Architecture("loongarch64", 258, True, text=True, updates=False, told_whole=False),
)


def architecture(name: str) -> Architecture | None:
    """The one that `uname -m` calls `name`."""
    return next((known for known in ARCHITECTURES if known.name == name), None)


def needed(cpus: int, ranges: int) -> int:
    """Bytes of a header, as the kernel compares them with its segment.

    Args:
        cpus: Possible CPUs.
        ranges: Ranges of memory.
    """
    return _aligned(HEADER_SIZE + (cpus + _BESIDE + ranges) * PROGRAM_HEADER_SIZE)


def segment_size(known: Architecture, told: int, page_size: int = ALIGN) -> int:
    """Bytes of the header's segment where `kexec_file_load` loaded the image.

    Args:
        known: The architecture.
        told: What `crash_elfcorehdr_size` says.
        page_size: Segments are whole pages.
    """
    return _aligned(told if known.told_whole else HEADER_SIZE + told, page_size)


def most_ranges(segment: int, cpus: int) -> int:
    """How many ranges of memory fit into a segment; never below zero.

    Args:
        segment: Bytes of the segment, a multiple of `ALIGN`.
        cpus: Possible CPUs.
    """
    entries = min((segment - HEADER_SIZE) // PROGRAM_HEADER_SIZE, MOST_ENTRIES)
    return max(entries - cpus - _BESIDE, 0)


def too_many_to_grow(known: Architecture, told: int) -> bool:
    """Whether the segment would have more entries than `e_phnum` can tell.

    Then x86 makes it no larger than the header is and leaves it among what purgatory's digest
    protects, and yet calls the image updatable: an update breaks the digest, and the crash kernel
    does not start.
    """
    whole = told - HEADER_SIZE if known.told_whole else told
    return whole // PROGRAM_HEADER_SIZE > MOST_ENTRIES


def _aligned(size: int, step: int = ALIGN) -> int:
    return size + -size % step
