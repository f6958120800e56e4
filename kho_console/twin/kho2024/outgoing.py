"""The outgoing side: the files in sysfs, activation, and what is dropped again."""

import errno
import re
from collections.abc import Callable

from kho_console.abi import fdt, kho2024, kho2024_tree, runs
from kho_console.abi.error import FormatError
from kho_console.abi.memparse import kstrtobool
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs
from kho_console.model.tree import TreeNode
from kho_console.twin.allocator import Allocator
from kho_console.twin.hardware import Hardware
from kho_console.twin.kho2024.arrival import Arrival2024
from kho_console.twin.refused import Refused

FOLDER = "/sys/kernel/kho"
INCOMING = "/sys/firmware/kho"
DT_MAX = 10 << 20

Producer = Callable[[], TreeNode]
"""Gives the node of one producer; raises `Refused`."""

_NUMBER = re.compile(rb"\+?(?:0[xX]([0-9a-fA-F]{1,16})|(0[0-7]{0,22})|([1-9][0-9]{0,19}))\n?")


class Outgoing2024:
    """What a kernel of the series of 2024 hands on.

    Attributes:
        hardware: The machine.
        allocator: Its free memory.
        scratch: The scratch area; of 0 bytes where none is reserved.
        producers: Who is asked at activation, in order.
        arrival: What came in; None after a cold boot.
        tree: The tree; None while inactive.
        dt_max: Bytes that the tree may have.
        preserved: Whole pages that its nodes list.
    """

    def __init__(self, hardware: Hardware, allocator: Allocator, scratch: MemoryRange) -> None:
        """Nothing is handed on yet."""
        self.hardware = hardware
        self.allocator = allocator
        self.scratch = scratch
        self.producers: list[Producer] = []
        self.arrival: Arrival2024 | None = None
        self.tree: bytes | None = None
        self.dt_max = DT_MAX
        self.preserved: Runs = runs.empty()
        self._held: MemoryRange | None = None

    @property
    def overlaps_scratch(self) -> bool:
        """Whether a preserved range lies in scratch, so that no image can be loaded."""
        return bool(self.scratch.size) and self.preserved.touches(self.scratch)

    def show(self) -> None:
        """Make the files."""
        put = self.hardware.files.put
        put(f"{FOLDER}/active", b"0\n" if self.tree is None else b"1\n")
        put(f"{FOLDER}/dt_max", b"0x%x\n" % self.dt_max)
        put(f"{FOLDER}/scratch_phys", b"0x%x\n" % self.scratch.start)
        put(f"{FOLDER}/scratch_len", b"0x%x\n" % self.scratch.size)
        if self.tree is None:
            self.hardware.files.remove(f"{FOLDER}/dt")
        else:
            put(f"{FOLDER}/dt", self.tree)

    def write(self, name: str, data: bytes, refusal: Callable[[], int | None]) -> None:
        """What the kernel does when somebody writes to one of its files.

        Args:
            name: The file.
            data: What is written.
            refusal: The errno of a producer that shall fail, None for none; asked at activation.

        Raises:
            Refused: With the errno of the kernel.
        """
        if name == "active":
            self._switch(data, refusal)
        elif name == "dt_max":
            self.dt_max = _number(data)
        else:
            there = self.hardware.files.stands(f"{FOLDER}/{name}")
            raise Refused(errno.EACCES if there else errno.ENOENT, name)
        self.show()

    def go_on(self, tree: bytes) -> None:
        """Be active with a tree that was collected before.

        Raises:
            FormatError: It is no tree.
        """
        found = kho2024.decode(fdt.read(tree))
        ranges = (item for mem in found.mem for item in mem.ranges)
        self.preserved = kho2024_tree.pages_of(ranges, self.hardware.page_size)
        self.tree = tree

    def _switch(self, data: bytes, refusal: Callable[[], int | None]) -> None:
        if not self.scratch.size:
            raise Refused(errno.ENOMEM, "no scratch area")
        wanted = kstrtobool(data)
        if wanted is None:
            raise Refused(errno.EINVAL, "neither on nor off")
        if wanted == (self.tree is not None):
            return
        if not wanted:
            self._drop()
            return
        try:
            self._collect(refusal())
        except (Refused, FormatError) as error:
            self._drop()
            raise Refused(errno.EINVAL, f"activation failed: {error}") from error

    def _collect(self, due: int | None) -> None:
        nodes = [producer() for producer in self.producers]
        if due is not None:
            raise Refused(due, "a producer refuses")
        tree = kho2024_tree.root(nodes)
        if len(tree) > self.dt_max:
            raise Refused(errno.ENOSPC, f"{len(tree)} bytes, and dt_max is {self.dt_max}")
        page = self.hardware.page_size
        count = -(-len(tree) // page)
        self._held = MemoryRange(self.allocator.pages(count), count * page)
        self.go_on(tree)

    def _drop(self) -> None:
        if self._held is not None:
            self.allocator.give_back(self._held)
        self._held = self.tree = None
        self.preserved = runs.empty()


def _number(data: bytes) -> int:
    """A number in any base that C knows."""
    found = _NUMBER.fullmatch(data)
    if found is None:
        raise Refused(errno.EINVAL, "no number")
    hexadecimal, octal, decimal = found.groups()
    value = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(decimal)
    if value >= 1 << 64:
        raise Refused(errno.EINVAL, "a number of more than 64 bits")
    return value
