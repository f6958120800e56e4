"""Everything a face shows is a slice of one snapshot."""

from datetime import datetime

from kho_console.model.blob import Blob
from kho_console.model.crash import CrashImage
from kho_console.model.finding import Evidence
from kho_console.model.generation import Generation, State
from kho_console.model.machine import Cpus, KexecState, Machine, MemoryLayout
from kho_console.model.mechanism import Mechanisms
from kho_console.model.memory import ScratchArea
from kho_console.model.owner import Ownership
from kho_console.model.preserved import PreservedMap
from kho_console.model.session import Holder, Session
from kho_console.model.tree import RootTree
from kho_console.model.unknown import Maybe, Unknown
from kho_console.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """One of the moments of a recording.

    Attributes:
        number: Counted from 0.
        count: How many there are.
        at: When it was, UTC.
    """

    number: int
    count: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """Where a snapshot comes from.

    Attributes:
        kind: `live`, `fixture`, `recording` or `twin`.
        name: Its name.
        moment: The moment of a recording; None for what has one only.
    """

    kind: str
    name: str
    moment: Moment | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of a handover: what goes out, or what came in.

    Attributes:
        tree: The root tree, or why there is none to see.
        blobs: What producers handed over, by name.
        preserved: The map of preserved memory.
    """

    tree: Maybe[RootTree]
    blobs: Maybe[tuple[Blob, ...]]
    preserved: Maybe[PreservedMap]

    def blob(self, name: bytes) -> Blob | None:
        """The blob called `name`, or None."""
        if isinstance(self.blobs, Unknown):
            return None
        return next((item for item in self.blobs if item.name == name), None)


@dataclass(frozen=True, slots=True, eq=False)
class Inventory:
    """What is costly to look at, or takes a lock: redone on events, on demand, or slowly.

    Attributes:
        taken: Monotonic seconds when it was read.
        preserved: The outgoing map.
        recovered: The root tree read from its own page, where that page was found.
        ownership: Whose the preserved memory is.
        live_update: The incoming `LUO` blob, checked against the memory it points at; None where
            none came in.
        sessions: Live-update sessions.
        unseen: How many processes did not show their descriptors.
        waiting: How many of them wait in the previous kernel's records.
        device_holders: Processes that are seen to hold /dev/liveupdate; none may mean not allowed
            to look.
        crash_size: Bytes reserved for crash images.
        crash_hotplug: Whether the kernel updates the loaded crash image on hotplug.
        lock_taken: Monotonic seconds when these two were read, which takes the kexec lock.
    """

    taken: float
    preserved: Maybe[PreservedMap]
    recovered: Maybe[RootTree]
    ownership: Maybe[Ownership]
    live_update: Blob | None
    sessions: Maybe[tuple[Session, ...]]
    unseen: int
    waiting: Maybe[int]
    device_holders: tuple[Holder, ...]
    crash_size: Maybe[int]
    crash_hotplug: Maybe[bool]
    lock_taken: float


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One moment of one machine.

    Attributes:
        source: Where it comes from.
        taken: Monotonic seconds of the machine when it was read.
        machine: The host.
        generation: The handover mechanism that this kernel speaks.
        state: Where the kernel stands in its life cycle.
        proof: What was read that tells the state.
        unavailable: Why there is no handover to see; None where there is one.
        scratch: Scratch areas in the kernel's order.
        outgoing: What goes to the next kernel.
        incoming: What came from the previous kernel; absent after a cold boot.
        offered: Whether the boot protocol carried a handover, taken or not (setup_data type 10,
            `linux,kho-fdt`).
        booted_through_handover: Whether this kernel took one.
        previous_release: Release of the kernel before.
        kexec_count: Handovers in this chain so far, 0 after a cold boot.
        inventory: The costly part.
        memory: Physical memory.
        cpus: CPU numbers.
        kexec: Loaded images and limits.
        crash: The crash image, as memory holds it.
        liveupdate_device: Whether /dev/liveupdate is there.
        debugfs: Where debugfs is mounted.
        mechanisms: What the machine has beside the handover.
    """

    source: Identity
    taken: float
    machine: Machine
    generation: Generation
    state: State
    proof: Evidence
    unavailable: Unknown | None
    scratch: Maybe[tuple[ScratchArea, ...]]
    outgoing: Side
    incoming: Maybe[Side]
    offered: Maybe[bool]
    booted_through_handover: Maybe[bool]
    previous_release: Maybe[bytes]
    kexec_count: Maybe[int]
    inventory: Inventory
    memory: MemoryLayout
    cpus: Cpus
    kexec: KexecState
    crash: CrashImage
    liveupdate_device: Maybe[bool]
    debugfs: Maybe[str]
    mechanisms: Mechanisms = Mechanisms()
