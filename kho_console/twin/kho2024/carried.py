"""What an image of the series of 2024 takes along: copies of the tree and of the mem cache."""

from collections.abc import Mapping

from kho_console.model.memory import MemoryRange
from kho_console.model.value import dataclass
from kho_console.twin.memory import SimulatedMemory


@dataclass(frozen=True, slots=True)
class Carried2024:
    """Copies as they were when the image was loaded.

    Attributes:
        tree: Where the tree goes.
        content: The tree.
        scratch: The scratch area, which the next kernel inherits.
        cache: Where the mem cache goes.
        records: The mem cache.
    """

    tree: MemoryRange
    content: bytes
    scratch: MemoryRange
    cache: MemoryRange
    records: bytes

    def channel(self, page_size: int) -> Mapping[str, MemoryRange]:
        """What the boot protocol says, in its order."""
        return {"fdt": self.tree, "scratch": self.scratch, "mem": self.cache}

    def put(self, memory: SimulatedMemory) -> None:
        """Copy the segments to where they belong, as the kexec does."""
        memory.write(self.tree.start, self.content)
        memory.write(self.cache.start, self.records)
