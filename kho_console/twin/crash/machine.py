"""Memory and CPUs of a simulated machine, and what hotplug does to them."""

from collections.abc import Callable, Iterator

from kho_console.model.memory import MemoryRange, merged, without
from kho_console.model.value import dataclass
from kho_console.twin.crash.layout import Layout


class Impossible(Exception):
    """What no machine can do, such as removing memory that is on line."""


@dataclass(frozen=True, slots=True)
class Event:
    """What the kernel is told: a CPU or a memory block goes on or off line.

    Attributes:
        on: Whether it goes on line.
        memory: The block; None for a CPU.
        cpu: The CPU; None for memory.
    """

    on: bool
    memory: MemoryRange | None = None
    cpu: int | None = None


class CrashMachine:
    """A machine that a dump would be taken of.

    Attributes:
        layout: What hotplug does not change.
        ram: Ranges of System RAM as they were added, offline ones too, ascending.
        offline: What of them is off line.
        notes: Crash notes of each possible CPU, by its number.
        present: CPUs that are there.
        online: CPUs that run.
        block_size: Bytes of a memory block: memory goes on and off line block by block.
    """

    def __init__(
        self,
        layout: Layout,
        ram: tuple[MemoryRange, ...],
        notes: tuple[MemoryRange, ...],
        present: tuple[int, ...],
        block_size: int,
    ) -> None:
        """All memory and all present CPUs are on line."""
        self.layout = layout
        self.ram = ram
        self.offline: tuple[MemoryRange, ...] = ()
        self.notes = notes
        self.present = set(present)
        self.online = set(present)
        self.block_size = block_size

    @property
    def memory_online(self) -> tuple[MemoryRange, ...]:
        """Memory that is on line, joined."""
        return without(merged(list(self.ram)), self.offline)

    def add_memory(self, added: MemoryRange) -> None:
        """A DIMM: System RAM at once, on line later.

        Raises:
            Impossible: Something is there already, or it is no whole blocks.
        """
        self._check_blocks(added)
        if any(item.overlaps(added) for item in self.ram):
            raise Impossible("there is memory already")
        self.ram = tuple(sorted((*self.ram, added)))
        self.offline = merged([*self.offline, added])

    def remove_memory(self, removed: MemoryRange) -> None:
        """Take a DIMM out.

        Raises:
            Impossible: It was not added as this, or is on line.
        """
        if removed not in self.ram:
            raise Impossible("no memory of just this range was added")
        if without((removed,), self.offline):
            raise Impossible("the memory is on line")
        self.ram = tuple(item for item in self.ram if item != removed)
        self.offline = without(self.offline, (removed,))

    def switch_memory(self, switched: MemoryRange, *, on: bool) -> Iterator[Event]:
        """Memory goes on or off line; an event for each block, after its block has changed.

        Raises:
            Impossible: No such memory, it stands so already, or the crash region lies in it.
        """
        self._check_blocks(switched)
        present = merged(list(self.ram))
        if without((switched,), present):
            raise Impossible("there is no such memory")
        if not on and any(item.overlaps(switched) for item in self.layout.holes):
            raise Impossible("the crash region lies in it")
        inside = without((switched,), without((switched,), self.offline))
        if inside != ((switched,) if on else ()):
            raise Impossible(f"not all of it is {'off' if on else 'on'} line")
        for start in range(switched.start, switched.end, self.block_size):
            block = MemoryRange(start, self.block_size)
            if on:
                self.offline = without(self.offline, (block,))
            else:
                self.offline = merged([*self.offline, block])
            yield Event(on, memory=block)

    def plug_cpu(self, cpu: int, *, add: bool) -> None:
        """A CPU becomes present, or is taken out.

        Raises:
            Impossible: It cannot be there, is there already, is not there, or runs.
        """
        if cpu >= len(self.notes):
            raise Impossible(f"CPU {cpu} is not possible; {self._cpus}")
        if add == (cpu in self.present):
            raise Impossible(f"CPU {cpu} is {'already' if add else 'not'} present; {self._cpus}")
        if cpu in self.online:
            raise Impossible(f"CPU {cpu} is on line")
        change: Callable[[int], None] = self.present.add if add else self.present.remove
        change(cpu)

    def switch_cpu(self, cpu: int, *, on: bool) -> Event:
        """A CPU goes on or off line.

        Raises:
            Impossible: It is not present, stands so already, or is the last one.
        """
        if cpu not in self.present:
            raise Impossible(f"CPU {cpu} is not present; {self._cpus}")
        if on == (cpu in self.online):
            raise Impossible(f"CPU {cpu} is {'on' if on else 'off'} line already; {self._cpus}")
        if not on and len(self.online) == 1:
            raise Impossible("the last CPU stays on line")
        change: Callable[[int], None] = self.online.add if on else self.online.remove
        change(cpu)
        return Event(on, cpu=cpu)

    @property
    def _cpus(self) -> str:
        return f"there are {len(self.present)} of {len(self.notes)} possible CPUs, counted from 0"

    def _check_blocks(self, memory: MemoryRange) -> None:
        if memory.start % self.block_size or memory.size % self.block_size:
            raise Impossible(f"it is no whole blocks of {self.block_size:#x} bytes")
