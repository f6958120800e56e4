"""A workload through mainline's handover, one twin for each release."""

import errno
import struct
from collections.abc import Callable, Iterable

from kho_console.abi import fdt, runs
from kho_console.abi.native import string
from kho_console.engine.mechanisms.placing import (
    PAGE,
    Placed,
    PlacedFile,
    WatchedMemory,
    cost,
    refused,
)
from kho_console.model.blob import ReservedRegion
from kho_console.model.memory import MemoryRange, Node
from kho_console.model.preserved import Runs
from kho_console.model.tree import Property, TreeNode
from kho_console.model.unknown import Maybe
from kho_console.model.workload import Cost, Crossed, Crossing
from kho_console.source.protocol import SourceError
from kho_console.twin import arrival, lifecycle, producers
from kho_console.twin.allocator import Allocator
from kho_console.twin.arrival import NotTaken
from kho_console.twin.files import Answer, Files
from kho_console.twin.handover import Handover
from kho_console.twin.hardware import Hardware
from kho_console.twin.loading import Carried
from kho_console.twin.luo import Outgoing
from kho_console.twin.memfd import MemoryFile
from kho_console.twin.memory import SimulatedMemory
from kho_console.twin.refused import Panic, Refused
from kho_console.twin.release import RELEASES, Release

NAMES = tuple(name for name in RELEASES if name not in ("2024-rfc", "v6"))
"""Releases that take a handover over, oldest first."""

SCRATCH = MemoryRange(64 << 20, 64 << 20)
"""The scratch area of the simulated machines."""

_SESSION = b"workload"
_LARGEST_ORDER = 10


def hardware(memory: SimulatedMemory, placed: Placed) -> Hardware:
    """A machine of one node that has the memory of a workload."""
    node = Node(0, (MemoryRange(0, placed.end),))
    return Hardware(memory, _Shown(), (node,), (0,), (), (), "x86_64")


class Machine:
    """A simulated machine that a kernel of one release hands over.

    Attributes:
        row: The release.
        memory: Its memory.
        hand: What the kernel hands on.
    """

    def __init__(self, row: Release, placed: Placed) -> None:
        """Boot it, with the memory of a workload in use."""
        self.row = row
        self.memory = WatchedMemory()
        self._placed = placed
        self._hardware = hardware(self.memory, placed)
        taken = (SCRATCH, *placed.memory)
        allocator = Allocator(self.memory, self._hardware.nodes, taken)
        self.hand = Handover(row, self._hardware, allocator, (SCRATCH,))
        self.hand.start()
        if row.metadata:
            producers.add_metadata(self.hand, row.name.encode(), 1)

    def produce(self, producer: Callable[[Handover], None]) -> None:
        """Let a producer preserve: at finalize where it is asked then, else at once."""
        if self.row.reversible:
            self.hand.producers.append(producer)
        else:
            producer(self.hand)

    def finalize(self) -> None:
        """Write down what is preserved, where the release does.

        Raises:
            Refused: The kernel does not.
        """
        if not self.row.stateless:
            lifecycle.write(self.hand, b"1\n")

    def described(self) -> Runs:
        """All memory that the handover takes, the workload's own left out."""
        kept = self.arrive(self.row)
        pages = (*self.hand.chunks, self.hand.root)
        structure = self.hand.preserver.tracker.structure()
        whole = runs.joined(
            [
                kept,
                runs.of_pages(pages, PAGE),
                runs.of_ranges((item.start, item.end) for item in structure),
            ]
        )
        own = runs.of_ranges((item.start, item.end) for item in self._placed.memory)
        return runs.of_ranges((item.start, item.end) for item in whole if not own.covers(item))

    def arrive(self, row: Release) -> Runs:
        """What a kernel of some release keeps.

        Raises:
            NotTaken: It takes nothing.
            Panic: It gives up.
        """
        carried = Carried(self.hand.root, 0, b"")
        found = arrival.take(row, self._hardware, carried)
        if row.luo:
            arrival.live_update(row, self._hardware, found)
        return found.kept


def run(name: str, placed: Placed) -> tuple[Maybe[Cost], Maybe[Machine]]:
    """Carry a workload with a release: what it takes, and the machine it leaves."""
    row = RELEASES[name]
    machine = Machine(row, placed)
    try:
        _preserve(machine, placed)
        machine.finalize()
    except Refused as error:
        why = refused(error.strerror or str(error))
        return why, why
    taken = machine.described().bytes
    return cost(placed, taken, taken, machine.memory.copies), machine


def crossed(machine: Machine, to: str, placed: Placed) -> Crossed:
    """What a kernel of release `to` makes of what a machine left."""
    row = RELEASES[to]
    try:
        kept = machine.arrive(row)
    except NotTaken as error:
        lines = " ".join(line.rpartition("KHO: ")[2] for line in error.lines)
        return Crossed(to, Crossing.REFUSED, lines or "it finds no map of preserved memory")
    except Panic as error:
        return Crossed(to, Crossing.PANIC, error.reason)
    lost = [item for item in placed.memory if not kept.covers(item)]
    if lost:
        said = f"{len(lost)} of {len(placed.memory)} pieces of memory are not kept"
        return Crossed(to, Crossing.MISREAD, said)
    if placed.objects and machine.row.luo and not row.luo:
        said = "no live update there: the memory is kept, and nobody gives the files back"
        return Crossed(to, Crossing.LOST, said)
    return Crossed(to, Crossing.TAKEN, "all memory is kept")


def notes(name: str, placed: Placed) -> tuple[str, ...]:
    """How a release carries what it has no form for."""
    found = []
    if placed.objects and RELEASES[name].luo is None:
        found.append("before 6.19 nothing preserves files: a driver lists their pages in its tree")
    if placed.records:
        found.append("records stand in a tree of their driver")
    return tuple(found)


def preserve_blocks(hand: Handover, files: Iterable[PlacedFile]) -> None:
    """Preserve the pages of files as folios.

    Raises:
        Refused: The kernel does not.
    """
    for file in files:
        for page in file.pages:
            hand.preserver.folio(page.start, file.order)


def put_blob(hand: Handover, name: bytes, content: bytes) -> int:
    """A blob on a folio of its own; its address.

    Raises:
        Refused: It fits no folio.
    """
    order = (-(-len(content) // PAGE) - 1).bit_length()
    if order > _LARGEST_ORDER:
        raise Refused(12, f"{name.decode()}: {len(content)} bytes fit no folio")
    address = hand.allocator.block(order)
    hand.preserver.folio(address, order)
    hand.hardware.memory.write(address, content)
    hand.add(name, address, len(content))
    return address


def _preserve(machine: Machine, placed: Placed) -> None:
    if placed.ranges:
        regions = tuple(
            ReservedRegion(name.encode(), b"reserve-mem-v1", item.start, item.size)
            for name, item in placed.ranges
        )
        owner = producers.Memblock(machine.hand, regions, machine.hand.allocator.pages())
        machine.produce(owner.register)
    if machine.row.luo:
        outgoing = Outgoing.create(machine.hand, 1)
        if placed.objects:
            outgoing.create_session(_SESSION)
        for token, file in enumerate(placed.objects):
            size = sum(page.size for page in file.pages)
            wanted = MemoryFile(size, list(file.pages), order=file.order)
            outgoing.preserve(_SESSION, token, wanted)
        outgoing.freeze()
    elif placed.objects:
        machine.produce(lambda hand: _list_files(hand, placed.objects))
    if placed.records:
        machine.produce(lambda hand: _save_records(hand, placed))


def _list_files(hand: Handover, files: tuple[PlacedFile, ...]) -> None:
    preserve_blocks(hand, files)
    nodes = []
    for file in files:
        places = struct.pack(f"<{len(file.pages)}Q", *(page.start for page in file.pages))
        nodes.append(TreeNode(file.name.encode(), (Property(b"pages", places, 0),), ()))
    put_blob(hand, b"files", _tree(nodes))


def _save_records(hand: Handover, placed: Placed) -> None:
    for name, records in placed.records:
        nodes = [
            TreeNode(b"%d" % number, (Property(b"state", record, 0),), ())
            for number, record in enumerate(records)
        ]
        put_blob(hand, name.encode(), _tree(nodes))


def _tree(nodes: list[TreeNode]) -> bytes:
    return fdt.write_sequential(TreeNode(b"", (string(b"compatible", b"state-v1"),), tuple(nodes)))


class _Shown(Files):
    """The files of a machine that nobody looks at."""

    def __init__(self) -> None:
        self._made: dict[str, Answer] = {}

    def put(self, path: str, answer: Answer) -> None:
        self._made[path] = answer

    def remove(self, path: str) -> None:
        self._made.pop(path, None)

    def stands(self, path: str) -> bool:
        return path in self._made

    def read(self, path: str, limit: int) -> bytes:
        answer = self._made.get(path)
        if not isinstance(answer, bytes):
            raise SourceError.from_errno(path, errno.ENOENT)
        return answer
