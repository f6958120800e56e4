"""A scenario run under two designs of crash hotplug: what a dump would contain at each step."""

from enum import StrEnum

from kho_console.model.memory import MemoryRange
from kho_console.model.value import dataclass


class Design(StrEnum):
    """The two designs of crash hotplug."""

    RFC_2021 = "2021"
    """The series of November 2021: header in the digest, purgatory rewritten at each event."""
    MAINLINE = "mainline"
    """Since 6.6: header outside the digest, nothing but the header rewritten."""

    @property
    def parts(self) -> int:
        """How many numbered steps its procedure has."""
        return 16 if self is Design.RFC_2021 else 12


class Deed(StrEnum):
    """What a step of a scenario does."""

    LOAD = "load"
    BEGIN_LOAD = "begin-load"
    END_LOAD = "end-load"
    UNLOAD = "unload"
    ADD = "add"
    REMOVE = "remove"
    ONLINE = "online"
    OFFLINE = "offline"
    PANIC = "panic"


class Fault(StrEnum):
    """What can be made to go wrong in a step."""

    LOCK_BUSY = "lock-busy"
    LOST_INDEX = "lost-index"
    ALLOCATION = "allocation"
    PURGATORY = "purgatory"
    GET_REGISTERS = "get-registers"
    SET_REGISTERS = "set-registers"
    MAP_SEGMENT = "map-segment"
    DIGEST = "digest"
    MAP_HEADER = "map-header"
    COPY_PURGATORY = "copy-purgatory"


class ImageState(StrEnum):
    """How the crash image stands."""

    NONE = "no image"
    LOADING = "loading"
    """The old image is gone and the new one is not there yet."""
    UNTOUCHED = "untouched"
    """The image of before a failed update: it boots, and knows the old machine."""
    WINDOW = "window"
    """In the middle of an update: no image for a panic to start."""
    VALID = "valid"
    DISARMED = "disarmed"
    """Loaded, and no panic will ever find it."""
    HANG = "hang"
    """Armed, and its digest does not verify: purgatory spins without a word."""

    @property
    def letter(self) -> str:
        """The letter of the states of 2021: A, W, V, U, D; none for the others."""
        return _LETTERS.get(self, "")


_LETTERS = {
    ImageState.UNTOUCHED: "A",
    ImageState.WINDOW: "W",
    ImageState.VALID: "V",
    ImageState.DISARMED: "U",
    ImageState.HANG: "D",
}


class Answer(StrEnum):
    """What a design made of a step."""

    NOTHING = "nothing to do"
    LOADED = "loaded"
    UNLOADED = "unloaded"
    LOADING = "loading"
    UPDATED = "updated"
    DROPPED = "dropped"
    """The lock was busy; nothing tries again."""
    TOO_SMALL = "kept, too small"
    NOT_PREPARED = "kept, not prepared"
    NOT_UPDATABLE = "not updatable"
    DISARMED = "disarmed"
    HANG = "hang"
    INTERRUPTED = "interrupted"
    """The panic came in the middle."""


class DumpEnd(StrEnum):
    """What a panic leads to."""

    DUMP = "dump"
    NO_DUMP = "no dump"
    HANG = "hang"


@dataclass(frozen=True, slots=True)
class Dump:
    """What a panic at some moment would leave.

    Attributes:
        end: Whether there would be a dump.
        described: Memory that the header in memory describes, ascending, its text apart.
        missing: Online memory of the machine that a dump would lack.
        stale: What the header describes and the machine has no more.
        noted: CPUs that the header has notes for.
        without: Present CPUs that it has none for.
        why: One sentence.
    """

    end: DumpEnd
    described: tuple[MemoryRange, ...]
    missing: tuple[MemoryRange, ...]
    stale: tuple[MemoryRange, ...]
    noted: int
    without: tuple[int, ...]
    why: str

    @property
    def complete(self) -> bool:
        """Whether it is a dump that lacks nothing and describes nothing that is gone."""
        whole = not (self.missing or self.stale or self.without)
        return self.end is DumpEnd.DUMP and whole


@dataclass(frozen=True, slots=True)
class ProcedureStep:
    """A numbered step of a design's procedure that ran.

    Attributes:
        number: Its number in the design.
        words: What it does.
        failed: Whether it failed.
    """

    number: int
    words: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """One design after one step of the scenario.

    Attributes:
        design: The design.
        answer: What it made of the step; of several events the one that ended worst.
        state: How the image stands after it.
        messages: What the kernel logged, each line once.
        procedure: Steps of the procedure that ran, of the event with `answer`.
        answers: What it made of each event; a DIMM goes on line block by block.
        hashed: Bytes that went into digests.
        written: Bytes of the image that were rewritten.
        verified: Whether the digest in purgatory verifies over the bytes in memory now; None
            where there is no image, or nobody checks one: powerpc does not in file mode, and
            arm64 has no purgatory there.
        dump: What a panic right now would leave.
    """

    design: Design
    answer: Answer
    state: ImageState
    messages: tuple[str, ...]
    procedure: tuple[ProcedureStep, ...]
    answers: tuple[Answer, ...]
    hashed: int
    written: int
    verified: bool | None
    dump: Dump

    @property
    def events(self) -> int:
        """How often the kernel was told."""
        return len(self.answers)

    @property
    def failed(self) -> tuple[ProcedureStep, ...]:
        """The parts of the procedure that failed."""
        return tuple(item for item in self.procedure if item.failed)


@dataclass(frozen=True, slots=True)
class SimulatedStep:
    """A step of the scenario under both designs.

    Attributes:
        number: From 1.
        deed: What it does.
        words: The same in words, with what it is done to.
        ram: Memory of the machine after it.
        online: Of that, what is online.
        rfc2021: The design of 2021 after it.
        mainline: Mainline after it.
    """

    number: int
    deed: Deed
    words: str
    ram: tuple[MemoryRange, ...]
    online: tuple[MemoryRange, ...]
    rfc2021: Moment
    mainline: Moment

    @property
    def moments(self) -> tuple[Moment, Moment]:
        """Both designs, the older one first."""
        return self.rfc2021, self.mainline


@dataclass(frozen=True, slots=True)
class CrashSimulation:
    """A scenario that ran; its last step is the panic.

    Attributes:
        name: Of the scenario.
        about: What it shows, a sentence or two.
        architecture: `uname -m` of the machine.
        region: The crash region.
        possible: How many CPUs there may ever be.
        steps: All steps in their order, at least one.
    """

    name: str
    about: str
    architecture: str
    region: MemoryRange
    possible: int
    steps: tuple[SimulatedStep, ...]

    @property
    def end(self) -> SimulatedStep:
        """The step with the panic: its moments tell what the dump contains."""
        return self.steps[-1]
