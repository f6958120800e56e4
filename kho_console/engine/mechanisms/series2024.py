"""A workload through the handover of 2024, on its twin: all state stands in one tree."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from kho_console.abi import fdt, kho2024, kho2024_tree, runs
from kho_console.abi.native import string
from kho_console.engine.mechanisms.mainline import SCRATCH, hardware
from kho_console.engine.mechanisms.placing import (
    MARK,
    PAGE,
    Placed,
    WatchedMemory,
    cost,
    refused,
)
from kho_console.model.memory import MemoryRange
from kho_console.model.tree import Property, TreeNode
from kho_console.model.unknown import Maybe
from kho_console.model.workload import Cost, Crossed, Crossing
from kho_console.twin.allocator import Allocator
from kho_console.twin.arrival import NotTaken
from kho_console.twin.kho2024 import arrival
from kho_console.twin.kho2024.carried import Carried2024
from kho_console.twin.kho2024.outgoing import Outgoing2024
from kho_console.twin.refused import Refused

VERSION = "2024"

_STATE = string(b"compatible", b"state-v1")


def run(placed: Placed) -> tuple[Maybe[Cost], Maybe[bytes]]:
    """Carry a workload: what it takes, and the tree."""
    memory = WatchedMemory()
    machine = hardware(memory, placed)
    allocator = Allocator(memory, machine.nodes, (SCRATCH, *placed.memory))
    kernel = Outgoing2024(machine, allocator, SCRATCH)
    kernel.producers += _producers(placed)
    try:
        kernel.write("active", b"1\n", lambda: None)
        assert kernel.tree is not None
        carried = _carried(kernel.tree, kho2024_tree.mem_cache(kernel.preserved))
        carried.put(memory)
        arrived = arrival.take(machine, carried)
    except Refused as error:
        why = refused(error.strerror or str(error))
        return why, why
    except NotTaken as error:
        why = refused("; ".join(error.lines))
        return why, why
    lost = [item for item in placed.memory if not arrived.kept.covers(item)]
    if lost:
        why = refused(f"{len(lost)} of {len(placed.memory)} pieces of memory are not kept")
        return why, why
    segments = _whole(carried.tree.size) + _whole(carried.cache.size)
    # Activation builds the tree, and the load copies it into the segment of the image.
    copies = carried.content.count(MARK) + memory.copies
    return cost(placed, len(carried.content) + len(carried.records), segments, copies), kernel.tree


def crossed(tree: bytes) -> Crossed:
    """What a kernel makes of the tree that knows the next version of its word."""
    found = fdt.read(tree)
    word = Property(b"compatible", b"kho-v2\0", 0)
    others = tuple(item for item in found.root.properties if item.name != b"compatible")
    newer = kho2024.decode(replace(found, root=replace(found.root, properties=(word, *others))))
    faults = "; ".join(fault.reason for fault in newer.faults)
    return Crossed("kho-v2", Crossing.REFUSED if faults else Crossing.TAKEN, faults or "it is read")


def notes(placed: Placed) -> tuple[str, ...]:
    """How it carries what it has no form for."""
    found = ["all of it stands in one tree, of dt_max bytes at most"]
    if placed.objects:
        found.append("nothing preserves files: a driver lists their pages in its node")
    return tuple(found)


def _carried(tree: bytes, records: bytes) -> Carried2024:
    """The copies that a load places in scratch."""
    first = MemoryRange(SCRATCH.start, len(tree))
    second = MemoryRange(first.start + _whole(len(tree)), len(records))
    return Carried2024(first, tree, SCRATCH, second, records)


def _producers(placed: Placed) -> Iterable[Callable[[], TreeNode]]:
    return [partial(_given, node) for node in _nodes(placed)]


def _given(node: TreeNode) -> TreeNode:
    return node


def _nodes(placed: Placed) -> list[TreeNode]:
    nodes = [
        TreeNode(file.name.encode(), (_STATE, _mem(file.pages)), ()) for file in placed.files()
    ]
    nodes += [
        TreeNode(
            name.encode(),
            (_STATE,),
            tuple(
                TreeNode(b"%d" % number, (Property(b"state", record, 0),), ())
                for number, record in enumerate(records)
            ),
        )
        for name, records in placed.records
    ]
    return nodes


def _mem(pages: Iterable[MemoryRange]) -> Property:
    """The `mem` array: pages that follow each other are one pair."""
    return kho2024_tree.mem(runs.of_ranges((page.start, page.end) for page in pages))


def _whole(size: int) -> int:
    return max(-(-size // PAGE), 1) * PAGE
