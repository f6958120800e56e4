"""What an ELF core header of a machine holds, and the bytes of it."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import replace

from kho_console.abi import elfcorehdr
from kho_console.abi.elfcorehdr import Described
from kho_console.abi.elfcorehdr_size import architecture
from kho_console.model.crash import CoreLoad
from kho_console.model.memory import MemoryRange, merged, without
from kho_console.model.preserved import Runs
from kho_console.model.value import dataclass

LOW = MemoryRange(0, 1 << 20)
"""The kernel of x86 leaves the low 1 MiB out of a dump."""

BACKED_UP = MemoryRange(0, 640 << 10)
"""What kexec-tools on x86 has copied before the crash kernel runs in it."""

X86 = "x86_64"
POWERPC = "ppc64le"


@dataclass(frozen=True, slots=True)
class Layout:
    """What of a header hotplug does not change.

    Attributes:
        architecture: `uname -m`.
        vmcoreinfo: Where the note of vmcoreinfo lies.
        text: The kernel's own text; None where the architecture describes none.
        page_offset: Virtual address of physical address 0 in the direct map.
        holes: The crash region and what else a dump leaves out.
    """

    architecture: str
    vmcoreinfo: MemoryRange
    text: CoreLoad | None
    page_offset: int
    holes: tuple[MemoryRange, ...]

    def ranges(
        self, ram: Iterable[MemoryRange], removed: MemoryRange | None = None
    ) -> tuple[MemoryRange, ...]:
        """Memory that the kernel puts into a header.

        Args:
            ram: System RAM, also what is offline.
            removed: What goes off line just now; powerpc cuts it out, x86 does not look at it.
        """
        holes = list(self.holes)
        if self.architecture == X86:
            holes.append(LOW)
        if self.architecture == POWERPC and removed is not None:
            holes.append(removed)
        # Neighbours that were added one by one stay entries of their own in iomem, and here.
        return without(sorted(ram), merged(holes))

    def backed_up(self, ram: Iterable[MemoryRange]) -> MemoryRange | None:
        """The low memory that an image of kexec-tools has a copy of; None where it has none."""
        if self.architecture != X86:
            return None
        low = without((BACKED_UP,), without((BACKED_UP,), merged(list(ram))))
        return low[0] if low else None

    def header(
        self,
        notes: Sequence[MemoryRange],
        ranges: Iterable[MemoryRange],
        copied: CoreLoad | None = None,
    ) -> bytes:
        """The header of these CPUs and this memory, as long as the kernel takes it to be.

        Args:
            notes: Crash notes of each CPU, all of one size.
            ranges: Memory that goes into a dump.
            copied: Memory whose content lies elsewhere, which only kexec-tools describes.
        """
        kind = architecture(self.architecture)
        assert kind is not None, "only machines that are listed are simulated"
        memory = tuple(ranges)
        described = Described(
            machine=kind.elf_machine,
            notes=array("Q", [item.start for item in notes]),
            note_size=notes[0].size if notes else 0,
            vmcoreinfo=self.vmcoreinfo,
            text=self.text,
            memory=Runs(
                array("Q", [item.start for item in memory]),
                array("Q", [item.end for item in memory]),
            ),
            direct_map=self.page_offset,
            little_endian=kind.little_endian,
        )
        if copied is None:
            return elfcorehdr.build(described)
        made = elfcorehdr.header_of(described)
        first = len(made.loads) - len(memory)
        loads = (*made.loads[:first], copied, *made.loads[first:])
        return elfcorehdr.write(replace(made, loads=loads))
