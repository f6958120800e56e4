"""What both designs share: the image, its lock, loading, and what a panic finds."""

from abc import ABC, abstractmethod
from collections.abc import Container
from dataclasses import replace

from kho_console.abi import elfcorehdr
from kho_console.abi.error import FormatError
from kho_console.model.crash import CoreHeader, CoreLoad, LoadKind
from kho_console.model.crash_simulation import Answer, Dump, DumpEnd, Fault, ImageState
from kho_console.model.memory import MemoryRange, merged, without
from kho_console.twin.crash import loading, purgatory
from kho_console.twin.crash.image import Image, Part
from kho_console.twin.crash.layout import LOW, X86
from kho_console.twin.crash.loading import Wanted
from kho_console.twin.crash.machine import CrashMachine, Event
from kho_console.twin.crash.procedure import Panicked, Procedure
from kho_console.twin.memory import SimulatedMemory


class CrashKernel(ABC):
    """The crash side of one kernel.

    Attributes:
        machine: What a dump would be of.
        memory: Where the image lies.
        region: The crash region.
        image: The image that was loaded last.
        found: Whether a panic finds it: the kernel's pointer to it is set.
        loading: Whether a load has begun and not ended.
        locked: Whether somebody holds the kexec lock.
        state: How the image stands.
    """

    def __init__(self, machine: CrashMachine, memory: SimulatedMemory, region: MemoryRange) -> None:
        """A kernel without a crash image."""
        self.machine = machine
        self.memory = memory
        self.region = region
        self.image: Image | None = None
        self.found = False
        self.loading: Image | None = None
        self.locked = False
        self.state = ImageState.NONE
        self._looked: tuple[int, bool] | None = None

    @abstractmethod
    def header(
        self,
        *,
        file_mode: bool,
        removed: MemoryRange | None = None,
        copied: CoreLoad | None = None,
    ) -> bytes:
        """The header of the machine as it is.

        Args:
            file_mode: Whether the kernel writes it, else kexec-tools.
            removed: See `Layout.ranges`.
            copied: See `Layout.header`.
        """

    @abstractmethod
    def event(self, event: Event, run: Procedure) -> Answer:
        """Answer an event."""

    @abstractmethod
    def procedure(self, faults: Container[Fault], until: int | None) -> Procedure:
        """A run of the design's steps that has not begun."""

    header_digested: bool

    def begin_load(self, wanted: Wanted) -> None:
        """Free the old image and put the new one together.

        Raises:
            NoRoom: It does not fit; the old image is gone all the same.
        """
        self.image, self.found, self.state = None, False, ImageState.NONE
        layout, sizes = self.machine.layout, dict(wanted.sizes)
        low = None
        if not wanted.file_mode:
            low = layout.backed_up(self.machine.ram)
        elif layout.architecture not in purgatory.IN_FILE_MODE:
            del sizes[Part.PURGATORY]
        if low is not None:
            sizes[Part.BACKUP] = low.size

        def header(copy: int) -> bytes:
            copied = None
            if low is not None:
                virtual = layout.page_offset + low.start
                copied = CoreLoad(low, virtual, LoadKind.BACKUP, copy)
            return self.header(file_mode=wanted.file_mode, copied=copied)

        grows = self.grows(wanted)
        self.loading = loading.build(
            self.memory,
            replace(wanted, sizes=sizes, room=wanted.room if grows else 0),
            self.region,
            header,
            header_digested=self.header_digested or not (wanted.updatable and grows),
        )
        self.locked, self.state = True, ImageState.LOADING

    def grows(self, wanted: Wanted) -> bool:
        """Whether the header gets the room that it is meant to have."""
        return True

    def end_load(self) -> None:
        """Let a panic find the new image."""
        self.image, self.loading = self.loading, None
        self.locked, self.found, self.state = False, True, ImageState.VALID

    def unload(self) -> None:
        """Drop the image; its bytes stay."""
        self.image, self.found, self.state = None, False, ImageState.NONE

    def answer(self, event: Event, run: Procedure) -> Answer:
        """Answer an event, or be stopped by the panic."""
        try:
            return self.event(event, run)
        except Panicked:
            return Answer.INTERRUPTED

    @property
    def verified(self) -> bool | None:
        """Whether purgatory would find its digest right; None where there is nobody to look."""
        image, writes = self.image, self.memory.writes
        if image is None or not purgatory.checked(image, self.machine.layout.architecture):
            return None
        if self._looked is None or self._looked[0] != writes:
            self._looked = writes, purgatory.verifies(self.memory, image)
        return self._looked[1]

    def armed(self, image: Image) -> ImageState:
        """How an image stands that a panic finds: as the header is that the digest covers."""
        place = image.segment(Part.HEADER).range
        told = image.digested_header
        right = told is None or told == self.memory.read(place.start, place.size)
        return ImageState.VALID if right else ImageState.HANG

    def dump(self) -> Dump:
        """What a panic now would leave."""
        machine = self.machine
        header = self._seen()
        loads = () if header is None else header.loads
        described = merged([item.range for item in loads if item.kind is not LoadKind.TEXT])
        holes = [*machine.layout.holes, *([LOW] if machine.layout.architecture == X86 else [])]
        dumped = merged([*described, *holes])
        missing = without(machine.memory_online, dumped)
        stale = without(described, merged(list(machine.ram)))
        notes = frozenset(() if header is None else header.notes)
        noted = {at for at, note in enumerate(machine.notes) if note in notes}
        bare = tuple(sorted(machine.present - noted))
        end, why = self._end(missing, stale, bare)
        return Dump(end, described, missing, stale, len(noted), bare, why)

    def _seen(self) -> CoreHeader | None:
        """The header as a crash kernel would read it."""
        if self.image is None:
            return None
        place = self.image.segment(Part.HEADER).range
        try:
            return elfcorehdr.read(self.memory.read(place.start, place.size))
        except FormatError:
            return None

    def _end(
        self,
        missing: tuple[MemoryRange, ...],
        stale: tuple[MemoryRange, ...],
        bare: tuple[int, ...],
    ) -> tuple[DumpEnd, str]:
        if self.loading is not None:
            return DumpEnd.NO_DUMP, "an image is being loaded: the old one is gone already"
        if self.image is None:
            return DumpEnd.NO_DUMP, "no crash image is loaded"
        if self.locked:
            return DumpEnd.NO_DUMP, "the kexec lock is held, and a panic only tries it"
        if self.state is ImageState.WINDOW:
            return DumpEnd.NO_DUMP, "the image is taken from the kernel while it is updated"
        if not self.found:
            return DumpEnd.NO_DUMP, "the kernel has lost its image, and only its log says so"
        if self.verified is False:
            return DumpEnd.HANG, "the digest does not verify: purgatory spins without a word"
        faults = [
            words
            for there, words in (
                (missing, "lacks memory that is on line"),
                (stale, "describes memory that is gone"),
                (bare, "lacks the notes of a CPU"),
            )
            if there
        ]
        return DumpEnd.DUMP, f"the dump {' and '.join(faults) or 'is complete'}"
