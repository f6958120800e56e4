"""What a kernel keeps for PKRAM between the calls."""

from kho_console.abi.pkram.layout import SHIFT
from kho_console.model.pkram import PkramVersion
from kho_console.twin.pkram.frames import Frames
from kho_console.twin.pkram.node import (
    KernelBug,
    Node,
    NullDereference,
    Object,
    Stream,
    UsedAfterFree,
)
from kho_console.twin.pkram.quirks import Quirk


class PkramState:
    """Nodes, memory and super block of one kernel.

    Attributes:
        version: The series.
        frames: Its memory.
        nodes: Those that are listed, the newest first.
        super_block: The frame of the super block; None where there is none.
        warnings: What the kernel warned of.
        quirks: The quirks that were met.
    """

    def __init__(
        self, version: PkramVersion, frames: Frames, super_block: int | None = None
    ) -> None:
        """Start with an empty super block, or with the one that was inherited."""
        self.version = version
        self.frames = frames
        self.nodes: list[Node] = []
        self.super_block = frames.allocate() if super_block is None else super_block or None
        self.warnings: list[str] = []
        self.quirks: list[Quirk] = []
        frames.by_head = version is PkramVersion.V3
        frames.held = 1 if version is PkramVersion.V1 else 2

    def _mode(self, stream: Stream, mode: int) -> Node:
        if stream.node is None:
            raise NullDereference("the stream is open on no node")
        if stream.freed:
            raise UsedAfterFree("the node of the stream is freed")
        if stream.node.flags != mode:
            raise KernelBug(f"the node has flags {stream.node.flags} in place of {mode}")
        return stream.node

    def _metadata(self) -> int:
        frame = self.frames.allocate()
        self.frames.track(frame)
        return frame

    def _drop(self, frame: int) -> None:
        self.frames.forget(frame)

    def _free(self, found: Object) -> None:
        for page in found.pages():
            frame = page.address >> SHIFT
            self.frames.forget(frame, page.order)
            self._put(frame)
            if frame in self.frames.copies and self.frames.references[frame]:
                self._met(Quirk.COPIES_LEAK)
        for frame in found.frames():
            self._drop(frame)
        found.links.clear()
        found.byte_pages.clear()

    def _destroy(self, node: Node) -> None:
        for found in node.objects:
            self._free(found)
        self._drop(node.frame)
        if node in self.nodes:
            self.nodes.remove(node)

    def _put(self, frame: int) -> None:
        self.frames.references[frame] = self.frames.references.get(frame, 1) - 1

    def _met(self, quirk: Quirk) -> None:
        if quirk not in self.quirks:
            self.quirks.append(quirk)

    def _warn(self, words: str) -> None:
        self.warnings.append(words)
