"""A scenario of crash hotplug: a machine, an image, and what happens until the panic."""

from kho_console.model.crash_simulation import Deed, Design, Fault
from kho_console.model.memory import MemoryRange
from kho_console.model.value import dataclass


@dataclass(frozen=True, slots=True)
class ScenarioMachine:
    """The machine of a scenario. Addresses are physical, sizes are bytes.

    Attributes:
        architecture: `uname -m`.
        possible: How many CPUs there may ever be.
        present: How many there are at the start.
        ram: System RAM at the start, ascending.
        region: The crash region, inside of it.
        block_size: Bytes of a memory block.
    """

    architecture: str
    possible: int
    present: int
    ram: tuple[MemoryRange, ...]
    region: MemoryRange
    block_size: int


@dataclass(frozen=True, slots=True)
class ScenarioImage:
    """The crash image of a scenario.

    Attributes:
        file_mode: Loaded by `kexec_file_load`, else by `kexec_load`.
        hotplug: Whether `kexec_load` promises a header that the kernel may update.
        header_room: Bytes of the header's segment.
        purgatory: Bytes of purgatory.
        parameters: Bytes of the boot parameters.
        kernel: Bytes of the kernel.
        initrd: Bytes of the initrd; 0 for none.
    """

    file_mode: bool
    hotplug: bool
    header_room: int
    purgatory: int
    parameters: int
    kernel: int
    initrd: int

    @property
    def size(self) -> int:
        """Bytes of all of it."""
        parts = (self.purgatory, self.parameters, self.kernel, self.initrd)
        return self.header_room + sum(parts)


@dataclass(frozen=True, slots=True)
class ScenarioStep:
    """A step of a scenario.

    Attributes:
        deed: What is done.
        memory: Memory that it is done to, piece by piece.
        cpu: The CPU that it is done to; None for none.
        faults: What goes wrong each time the kernel answers.
        during: For a design the step of its procedure in whose middle the panic comes.
        line: Where it stands in its file.
    """

    deed: Deed
    memory: tuple[MemoryRange, ...] = ()
    cpu: int | None = None
    faults: frozenset[Fault] = frozenset()
    during: tuple[tuple[Design, int], ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole scenario; the panic comes at its end.

    Attributes:
        name: Its name.
        about: What it shows.
        machine: The machine.
        image: The image.
        caller_locks: Whether the 2021 procedure runs under the kexec lock, which the posting
            leaves open.
        steps: What happens.
    """

    name: str
    about: str
    machine: ScenarioMachine
    image: ScenarioImage
    caller_locks: bool
    steps: tuple[ScenarioStep, ...]
