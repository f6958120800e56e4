"""The handover of a recorded kernel of the series of 2024, taken over by its twin."""

from kho_console.abi import fdt, kho2024
from kho_console.abi.error import FormatError
from kho_console.abi.fdt_header import MAXIMUM_SIZE
from kho_console.abi.kho2024_tree import pages_of
from kho_console.model.memory import MemoryRange
from kho_console.model.tree import FlatTree, TreeNode
from kho_console.source.protocol import Source
from kho_console.twin.kernel import Kernel
from kho_console.twin.kho2024.ftrace import Ftrace, restorable
from kho_console.twin.kho2024.outgoing import DT_MAX, FOLDER, INCOMING, Outgoing2024, Producer
from kho_console.twin.platform import read_bytes
from kho_console.twin.tracker import coarse


def take(
    source: Source, kernel: Kernel, areas: tuple[MemoryRange, ...], assumptions: list[str]
) -> None:
    """Go on with what the recorded kernel hands on.

    Raises:
        FormatError: It is active, and its tree is none.
    """
    area = areas[0] if areas else MemoryRange(0, 0)
    hand = kernel.inline = Outgoing2024(kernel.hardware, kernel.allocator, area)
    hand.dt_max = _dt_max(source)
    going, came = (_tree(source, f"{folder}/dt") for folder in (FOLDER, INCOMING))
    for tree in filter(None, (going, came)):
        _hold(kernel, tree)
    if read_bytes(source, f"{FOLDER}/active") != b"1\n":
        assumptions.append("who hands over was taken to be the function tracer alone")
        restored = () if came is None else restorable(kho2024.decode(came), kernel.hardware)
        tracer = Ftrace.started(kernel.hardware, kernel.allocator, restored)
        hand.producers.append(tracer.node)
        return
    content = read_bytes(source, f"{FOLDER}/dt", MAXIMUM_SIZE)
    if content is None or going is None:
        raise FormatError(0, "it is active, and its tree is not recorded")
    hand.go_on(content)
    hand.producers += [_again(node) for node in going.root.children]


def _again(node: TreeNode) -> Producer:
    """A producer of whom only its node is known."""
    return lambda: node


def _tree(source: Source, path: str) -> FlatTree | None:
    """A tree as its file shows it; None where there is none, or none that can be read."""
    content = read_bytes(source, path, MAXIMUM_SIZE)
    try:
        return None if content is None else fdt.read(content)
    except FormatError:
        return None


def _hold(kernel: Kernel, tree: FlatTree) -> None:
    """What a tree lists is handed out to nobody."""
    found = kho2024.decode(tree)
    ranges = (item for mem in found.mem for item in mem.ranges)
    kernel.allocator.take_all(coarse(pages_of(ranges, kernel.hardware.page_size)))


def _dt_max(source: Source) -> int:
    try:
        return int(read_bytes(source, f"{FOLDER}/dt_max") or b"", 16)
    except ValueError:
        return DT_MAX
