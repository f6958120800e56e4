"""Crash hotplug as it was posted in November 2021 (x86_64 only, never merged in this form).

The posting leaves open what its caller does. Here the caller takes the kexec lock by trying it, as
loads of that time did, unless it is said that it does not.
"""

from collections.abc import Container
from types import MappingProxyType

from kho_console.model.crash import CoreLoad
from kho_console.model.crash_simulation import Answer, Fault, ImageState
from kho_console.model.memory import MemoryRange
from kho_console.twin.crash import purgatory
from kho_console.twin.crash.image import Image, Part, Segment
from kho_console.twin.crash.kernel import CrashKernel
from kho_console.twin.crash.layout import X86
from kho_console.twin.crash.loading import put
from kho_console.twin.crash.machine import CrashMachine, Event
from kho_console.twin.crash.procedure import Gone, Procedure
from kho_console.twin.memory import SimulatedMemory

STEPS = MappingProxyType(
    {
        1: "forget the buffers of all segments",
        2: "is it an image of kexec_file_load",
        3: "are header and purgatory known by their index",
        4: "build the header of the CPUs and memory of now",
        5: "does it fit its segment",
        6: "attach it as the buffer of its segment",
        7: "make purgatory anew in its old place",
        8: "attach it as the buffer of its segment",
        9: "put the registers of the load back into it",
        10: "map every other segment",
        11: "digest all segments but purgatory, the header too",
        12: "take the image from the kernel: the window opens",
        13: "write the header, and zeros behind it",
        14: "write purgatory",
        15: "give the image back: the window closes",
        16: "free the buffers",
    }
)


class Rfc2021(CrashKernel):
    """A kernel of the 2021 design."""

    header_digested = True

    def __init__(
        self,
        machine: CrashMachine,
        memory: SimulatedMemory,
        region: MemoryRange,
        *,
        caller_locks: bool = True,
    ) -> None:
        """A kernel without a crash image.

        Args:
            machine: See `CrashKernel`.
            memory: See `CrashKernel`.
            region: See `CrashKernel`.
            caller_locks: Whether the caller of the procedure holds the kexec lock.
        """
        super().__init__(machine, memory, region)
        self.caller_locks = caller_locks
        self._made: tuple[Image, bytes, bytes] | None = None

    def procedure(self, faults: Container[Fault], until: int | None) -> Procedure:
        """See `CrashKernel.procedure`."""
        return Procedure(STEPS, faults, until)

    def header(
        self,
        *,
        file_mode: bool,
        removed: MemoryRange | None = None,
        copied: CoreLoad | None = None,
    ) -> bytes:
        """The header; it has notes of the CPUs that are present."""
        machine = self.machine
        notes = [machine.notes[cpu] for cpu in sorted(machine.present)]
        return machine.layout.header(notes, machine.layout.ranges(machine.ram, removed), copied)

    def event(self, event: Event, run: Procedure) -> Answer:
        """Run the procedure; it never looks at what the event is about."""
        if self.locked or (self.caller_locks and Fault.LOCK_BUSY in run.faults):
            return Answer.DROPPED
        image = self.image
        if image is None or not self.found:
            return Answer.NOTHING
        if self.machine.layout.architecture != X86:
            return Answer.NOT_UPDATABLE
        self.locked = self.caller_locks
        if self.state is not ImageState.HANG:
            self.state = ImageState.UNTOUCHED
        answer = self._update(image, run)
        run.step(16)
        self.locked = False
        return answer

    def _update(self, image: Image, run: Procedure) -> Answer:
        run.step(1)
        run.step(2)
        if not image.file_mode:
            run.fail("support kexec_file_load only")
            return Answer.NOT_UPDATABLE
        try:
            header, at = self._header(image, run)
            fresh = self._purgatory(image, header, at, run)
        except Gone:
            return Answer.NOT_PREPARED
        except _TooSmall:
            return Answer.TOO_SMALL
        return self._replace(image, header, fresh, run)

    def _header(self, image: Image, run: Procedure) -> tuple[bytes, Segment]:
        run.step(3)
        lost = Fault.LOST_INDEX in run.faults or image.header_index is None
        if lost or image.header_index == image.purgatory_index:
            raise run.leave("unable to locate elfcorehdr or purgatory segments")
        run.step(4)
        if Fault.ALLOCATION in run.faults:
            raise run.leave("unable to prepare elfcore headers")
        header = self.header(file_mode=True)
        run.step(5)
        segment = image.segment(Part.HEADER)
        if len(header) > segment.range.size:
            run.fail(
                "not enough room to update elfcorehdr "
                f"elfsz {len(header)} > memsz {segment.range.size}"
            )
            raise _TooSmall
        run.step(6)
        return header, segment

    def _purgatory(self, image: Image, header: bytes, at: Segment, run: Procedure) -> bytes:
        run.step(7)
        if Fault.PURGATORY in run.faults:
            raise run.leave("Initializing purgatory failed")
        run.step(8)
        run.step(9)
        if Fault.GET_REGISTERS in run.faults:
            raise run.leave("can not extract entry64_regs")
        if Fault.SET_REGISTERS in run.faults:
            raise run.leave("Could not set entry64_regs")
        run.step(10)
        if Fault.MAP_SEGMENT in run.faults:
            number, lost = next(
                (number, item)
                for number, item in enumerate(image.segments)
                if item.part not in (Part.HEADER, Part.PURGATORY)
            )
            raise run.leave(
                f"unable to map segment {number}: {lost.range.start:x} for {lost.range.size} bytes"
            )
        run.step(11)
        if Fault.DIGEST in run.faults:
            raise run.leave("recompute digest failed")
        ranges = purgatory.digested(image, header=True)
        run.hashed += sum(item.size for item in ranges)
        made = self._made
        # All else in the digest stays as it was loaded, and blocks of one DIMM share a header.
        if made is None or made[0] is not image or made[1] != header:
            contents = {
                item: header if item == at.range else self.memory.read(item.start, item.size)
                for item in ranges
            }
            fresh = purgatory.fresh(image.segment(Part.PURGATORY).range.size)
            fresh = purgatory.with_registers(fresh, image.registers)
            made = image, header, purgatory.with_digest(fresh, ranges, contents)
            self._made = made
        return made[2]

    def _replace(self, image: Image, header: bytes, fresh: bytes, run: Procedure) -> Answer:
        self.found, self.state = False, ImageState.WINDOW
        run.step(12)
        run.step(13)
        if Fault.MAP_HEADER in run.faults:
            # Nobody looks whether it was written.
            run.fail()
        else:
            self._write(image.segment(Part.HEADER), header, run)
        run.step(14)
        if Fault.COPY_PURGATORY in run.faults:
            run.fail("reloading purgatory failed")
            self.state = ImageState.DISARMED
            return Answer.DISARMED
        self._write(image.segment(Part.PURGATORY), fresh, run)
        image.digested_header = header.ljust(image.segment(Part.HEADER).range.size, b"\0")
        # With the old header in place the new digest may be right by luck: nothing had changed.
        self.found, self.state = True, self.armed(image)
        run.step(15)
        return Answer.UPDATED if self.state is ImageState.VALID else Answer.HANG

    def _write(self, segment: Segment, content: bytes, run: Procedure) -> None:
        put(self.memory, segment, content)
        run.written += segment.range.size


class _TooSmall(Exception):
    """The header does not fit."""
