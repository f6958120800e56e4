"""What stays when one kernel gives way to the next."""

from dataclasses import field

from kho_console.model.memory import MemoryRange, Node
from kho_console.model.value import dataclass
from kho_console.twin.files import Files
from kho_console.twin.memory import SimulatedMemory


@dataclass
class Hardware:
    """A simulated machine.

    Attributes:
        memory: Physical memory; it keeps its bytes over a kexec.
        files: What the running kernel shows.
        nodes: NUMA nodes with their System RAM.
        online_nodes: All online nodes, those without memory too.
        kept: Ranges no allocator may give out: the kernel's own, the crash region.
        crash: The regions for a crash kernel.
        architecture: `uname -m`.
        debugfs: Where debugfs is mounted.
        firmware_reserved: Bytes that kernels reserve at boot below the low limit, in all, and by
            node; percentages of scratch are of these.
        built: The release series whose build configuration is recorded.
        regions: Where `reserve_mem` regions are known to come to lie, by name.
    """

    memory: SimulatedMemory
    files: Files
    nodes: tuple[Node, ...]
    online_nodes: tuple[int, ...]
    kept: tuple[MemoryRange, ...]
    crash: tuple[MemoryRange, ...]
    architecture: str
    debugfs: str = "/sys/kernel/debug"
    firmware_reserved: "Reserved" = field(default_factory=lambda: Reserved())
    built: str = ""
    regions: dict[bytes, int] = field(default_factory=dict)

    @property
    def page_size(self) -> int:
        """Bytes of a base page."""
        return self.memory.page_size

    @property
    def x86(self) -> bool:
        """Whether the boot protocol is that of x86."""
        return self.architecture == "x86_64"

    @property
    def kho(self) -> str:
        """The handover's folder in debugfs."""
        return f"{self.debugfs}/kho"

    @property
    def ram(self) -> tuple[MemoryRange, ...]:
        """All memory, by node."""
        return tuple(item for node in self.nodes for item in node.ranges)


@dataclass(frozen=True, slots=True)
class Reserved:
    """Bytes that the kernel itself had reserved when it sized scratch by percent.

    Attributes:
        low: Below the low limit.
        total: In all.
        by_node: On each node; a node that is not named has `total` over the number of nodes.
    """

    low: int = 64 << 20
    total: int = 64 << 20
    by_node: tuple[tuple[int, int], ...] = ()
