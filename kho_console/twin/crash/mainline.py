"""Crash hotplug as mainline has it (6.6 to 7.3: kernel/crash_core.c, arch/x86/kernel/crash.c)."""

from collections.abc import Container
from types import MappingProxyType

from kho_console.abi.elf import HEADER_SIZE, MAGIC
from kho_console.abi.elfcorehdr_size import architecture, too_many_to_grow
from kho_console.model.crash import CoreLoad
from kho_console.model.crash_simulation import Answer, Fault, ImageState
from kho_console.model.memory import MemoryRange
from kho_console.twin.crash.image import Image, Segment
from kho_console.twin.crash.kernel import CrashKernel
from kho_console.twin.crash.layout import POWERPC, X86
from kho_console.twin.crash.loading import Wanted
from kho_console.twin.crash.machine import Event
from kho_console.twin.crash.procedure import Gone, Procedure

STEPS = MappingProxyType(
    {
        1: "wait for the hotplug mutex",
        2: "try the kexec lock",
        3: "is an image loaded that may be updated",
        4: "note the action",
        5: "find the header's segment",
        6: "make the region writable",
        7: "does a CPU matter to this image",
        8: "build the header of the memory of now",
        9: "does it fit its segment",
        10: "take the image away, write the header, give the image back",
        11: "note that it is done",
        12: "mark the image updated, protect the region, unlock",
    }
)

_LOCKED = "kexec_trylock() failed, kdump image may be inaccurate"


class Mainline(CrashKernel):
    """A kernel of today."""

    header_digested = False

    def procedure(self, faults: Container[Fault], until: int | None) -> Procedure:
        """See `CrashKernel.procedure`."""
        return Procedure(STEPS, faults, until)

    def grows(self, wanted: Wanted) -> bool:
        """Not on x86 where `e_phnum` could not tell so many entries: the digest covers it then.

        The kernel calls the image updatable all the same, and an update breaks the digest.
        """
        x86 = architecture(X86)
        if not wanted.file_mode or self.machine.layout.architecture != X86 or x86 is None:
            return True
        return not too_many_to_grow(x86, wanted.room - HEADER_SIZE)

    def header(
        self,
        *,
        file_mode: bool,
        removed: MemoryRange | None = None,
        copied: CoreLoad | None = None,
    ) -> bytes:
        """The header; the kernel writes notes of all possible CPUs, kexec-tools of those there."""
        machine = self.machine
        present = sorted(machine.present)
        notes = machine.notes if file_mode else [machine.notes[cpu] for cpu in present]
        return machine.layout.header(notes, machine.layout.ranges(machine.ram, removed), copied)

    def event(self, event: Event, run: Procedure) -> Answer:
        """Rewrite the header where the event calls for it."""
        taken = self.locked or Fault.LOCK_BUSY in run.faults
        self.locked = taken
        run.step(1)
        # From here on somebody holds it: this event, or who made it fail.
        self.locked = True
        run.step(2)
        if taken:
            run.fail(_LOCKED)
            self.locked = self.loading is not None
            return Answer.DROPPED
        answer = self._locked(event, run)
        self.locked = False
        return answer

    def _locked(self, event: Event, run: Procedure) -> Answer:
        run.step(3)
        image = self.image
        if image is None or not self.found:
            return Answer.NOTHING
        if not image.updatable:
            return Answer.NOT_UPDATABLE
        run.step(4)
        run.step(5)
        segment = self._header_segment(image)
        if segment is None:
            run.fail("unable to locate elfcorehdr segment")
            return Answer.NOT_PREPARED
        run.step(6)
        run.step(7)
        answer = Answer.NOTHING
        if event.memory is not None or self._by_cpu(image):
            try:
                answer = self._update(event, image, segment, run)
            except Gone:
                answer = Answer.NOT_PREPARED
        run.step(12)
        # Also where it failed: a kexec_load image never sees that CPU event again.
        image.updated = True
        return answer

    def _by_cpu(self, image: Image) -> bool:
        """Whether a CPU event rewrites the header; on powerpc at most the device tree changes."""
        named = image.file_mode or image.updated
        return not named and self.machine.layout.architecture != POWERPC

    def _header_segment(self, image: Image) -> Segment | None:
        """Known from the load, else the last segment that begins as an ELF file."""
        if image.header_index is not None:
            return image.segments[image.header_index]
        begins = (
            item
            for item in reversed(image.segments)
            if self.memory.read(item.range.start, len(MAGIC)) == MAGIC
        )
        return next(begins, None)

    def _update(self, event: Event, image: Image, segment: Segment, run: Procedure) -> Answer:
        run.step(8)
        if Fault.ALLOCATION in run.faults:
            raise run.leave("unable to create new elfcorehdr")
        # All possible CPUs, however the image was loaded: from now on the header is the kernel's.
        header = self.header(file_mode=True, removed=None if event.on else event.memory)
        run.step(9)
        if len(header) > segment.range.size:
            run.fail(f"update elfcorehdr elfsz {len(header)} > memsz {segment.range.size}")
            return Answer.TOO_SMALL
        self.found, self.state = False, ImageState.WINDOW
        run.step(10)
        # What lies behind the new header keeps its content: e_phnum ends the reading.
        self.memory.write(segment.range.start, header)
        run.written += len(header)
        self.found, self.state = True, self.armed(image)
        run.step(11)
        return Answer.UPDATED if self.state is ImageState.VALID else Answer.HANG
