"""The outgoing side of a running kernel: its root tree, its blobs, its map."""

import errno
from collections.abc import Callable, Iterable

from kho_console.abi import root_tree
from kho_console.model.blob import ReservedRegion
from kho_console.model.generation import MapFormat
from kho_console.model.memory import MemoryRange
from kho_console.model.tree import BlobPointer
from kho_console.model.unknown import Cause, Unknown
from kho_console.twin.allocator import Allocator
from kho_console.twin.files import Folder, Window
from kho_console.twin.hardware import Hardware
from kho_console.twin.preserve import Preserver
from kho_console.twin.refused import Refused
from kho_console.twin.release import Release
from kho_console.twin.tracker import BitmapTracker, RadixTracker, Tracker

Producer = Callable[["Handover"], None]
"""What a producer does at finalize, up to 6.18: preserve its memory and add its blob."""

_OWN_SIZE = Unknown(Cause.ABSENT, "a tree carries its own size")


class Handover:
    """What one kernel hands on.

    Attributes:
        row: The kernel's behaviour.
        hardware: The machine.
        allocator: Its free memory.
        scratch: Its scratch areas in the kernel's order.
        root: Address of the root tree's page; 0 until it is needed.
        map_address: Head of the map as the tree names it.
        pointers: Nodes of the tree, newest first from 6.19 on.
        preserver: Its in-kernel calls.
        finalized: What `out/finalize` reads.
        chunks: Pages of the list that finalize wrote.
        producers: Who is asked at finalize, up to 6.18.
        regions: The `reserve_mem` regions.
    """

    def __init__(
        self,
        row: Release,
        hardware: Hardware,
        allocator: Allocator,
        scratch: tuple[MemoryRange, ...],
        tracker: Tracker | None = None,
    ) -> None:
        """Nothing is handed on yet."""
        self.row = row
        self.hardware = hardware
        self.allocator = allocator
        self.scratch = scratch
        self.root = 0
        self.map_address = 0
        self.pointers: list[BlobPointer] = []
        self.preserver = self._preserver(tracker or self._tracker())
        self.finalized = False
        self.chunks: list[int] = []
        self.producers: list[Producer] = []
        self.regions: tuple[ReservedRegion, ...] = ()

    def start(self) -> None:
        """Make the files of a booting kernel; on releases with a live tree also the tree."""
        out, put = f"{self.hardware.kho}/out", self.hardware.files.put
        put(f"{out}/scratch_phys", _lines(area.start for area in self.scratch))
        put(f"{out}/scratch_len", _lines(area.size for area in self.scratch))
        put(f"{out}/sub_fdts", Folder())
        if not self.row.stateless:
            put(f"{out}/finalize", b"0\n")
        self.root = self.allocator.pages()
        if self.row.reversible:
            return
        if isinstance(self.preserver.tracker, RadixTracker):
            self.map_address = self.preserver.tracker.root
        self.preserver.folio(self.root, 0)
        self.write_tree()

    def show_tree(self) -> None:
        """Make `out/fdt`; its length stays what the tree has now."""
        window = Window(self.root, len(self.write_tree()))
        self.hardware.files.put(f"{self.hardware.kho}/out/fdt", window)

    def write_tree(self) -> bytes:
        """Write the root tree into its page."""
        assert self.row.word is not None
        tree = root_tree.write(
            self.row.word,
            None if self.row.map is None else self.map_address,
            tuple(self.pointers),
            repacked=not self.row.reversible,
        )
        if len(tree) > self.hardware.page_size:
            raise Refused(errno.ENOMEM, "the root tree is full")
        self.hardware.memory.write(self.root, tree)
        return tree

    def add(self, name: bytes, address: int, size: int) -> None:
        """Hand on a blob.

        Raises:
            Refused: EEXIST where the name is taken, ENOMEM where the tree is full.
        """
        path = self.blob_path(name)
        if self.row.reversible:
            # debugfs refuses a name that a failed finalize left behind.
            if self.hardware.files.stands(path):
                raise Refused(errno.EEXIST, f"{path} is there")
            self.pointers.append(BlobPointer(name, address, _OWN_SIZE))
        else:
            if any(item.name == name for item in self.pointers):
                raise Refused(errno.EEXIST, "the name is taken")
            told = size if self.row.sized_blobs else _OWN_SIZE
            self.pointers.insert(0, BlobPointer(name, address, told))
            try:
                self.write_tree()
            except Refused:
                del self.pointers[0]
                raise
        self.hardware.files.put(path, Window(address, size))

    def forget_all(self) -> None:
        """Discard every preservation, as abort does up to 6.18."""
        for piece in self.preserver.tracker.structure():
            self.allocator.give_back(piece)
        self.preserver = self._preserver(self._tracker())

    def free_chunks(self) -> None:
        """Free the list that finalize wrote."""
        page = self.hardware.page_size
        for chunk in self.chunks:
            self.allocator.give_back(MemoryRange(chunk, page))
        self.chunks = []

    def blob_path(self, name: bytes) -> str:
        """Where debugfs shows a blob."""
        return f"{self.hardware.kho}/out/sub_fdts/{name.decode('utf-8', 'surrogateescape')}"

    def _preserver(self, tracker: Tracker) -> Preserver:
        nodes = self.row.stateless
        return Preserver(self.allocator, tracker, self.scratch, within_nodes=nodes)

    def _tracker(self) -> Tracker:
        if self.row.stateless:
            return RadixTracker(self.allocator)
        return BitmapTracker(self.allocator, self.row.map or MapFormat.CHUNKS_512)


def _lines(values: Iterable[int]) -> bytes:
    return b"".join(b"0x%x\n" % value for value in values)
