"""Putting a crash image together in its region."""

import hashlib
from collections.abc import Callable, Mapping

from kho_console.model.memory import MemoryRange
from kho_console.model.value import dataclass
from kho_console.twin.crash import purgatory
from kho_console.twin.crash.image import Image, Part, Registers, Segment
from kho_console.twin.memory import SimulatedMemory

PAGE = 4096


class NoRoom(Exception):
    """The segments do not fit the crash region."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An image to be loaded.

    Attributes:
        file_mode: By `kexec_file_load`, else by `kexec_load`.
        updatable: Whether the kernel may update its header.
        sizes: Bytes of content of each part but the header.
        room: Bytes of the header's segment, whole pages.
    """

    file_mode: bool
    updatable: bool
    sizes: Mapping[Part, int]
    room: int


def place(wanted: Wanted, region: MemoryRange, header_size: int) -> tuple[Segment, ...]:
    """Where the segments go: `kexec_file_load` puts the header first, kexec-tools last.

    Raises:
        NoRoom: They do not fit.
    """
    sizes = {Part.HEADER: header_size, **wanted.sizes}
    order = [part for part in Part if sizes.get(part)]
    if not wanted.file_mode:
        order = [*order[1:], order[0]]
    segments: list[Segment] = []
    at = region.start
    for part in order:
        # A header that is larger than the segment meant for it gets one of its own size.
        room = max(wanted.room, sizes[part]) if part is Part.HEADER else sizes[part]
        size = -(-room // PAGE) * PAGE
        segments.append(Segment(part, MemoryRange(at, size), sizes[part]))
        at += size
    if at > region.end:
        raise NoRoom(f"{at - region.start} bytes of segments, {region.size} of crash region")
    if not wanted.file_mode:
        # kexec-tools fills the region from its top.
        up = region.end - at
        segments = [
            Segment(item.part, MemoryRange(item.range.start + up, item.range.size), item.size)
            for item in segments
        ]
    return tuple(segments)


def build(
    memory: SimulatedMemory,
    wanted: Wanted,
    region: MemoryRange,
    header: Callable[[int], bytes],
    *,
    header_digested: bool,
) -> Image:
    """Write an image into the region.

    Args:
        memory: Where.
        wanted: What.
        region: The crash region.
        header: The ELF core header, for the address of the copy of low memory.
        header_digested: Whether the digest covers the header.

    Raises:
        NoRoom: It does not fit.
    """
    segments = place(wanted, region, len(header(0)))
    starts = {item.part: item.range for item in segments}
    backup, own = starts.get(Part.BACKUP), starts.get(Part.PURGATORY)
    made = header(0 if backup is None else backup.start)
    registers = Registers(
        rbx=0,
        rsi=starts[Part.PARAMETERS].start,
        rip=starts[Part.KERNEL].start + 0x200,
        rsp=0 if own is None else own.end,
    )
    parts = [item.part for item in segments]
    image = Image(
        file_mode=wanted.file_mode,
        updatable=wanted.updatable,
        segments=segments,
        registers=registers,
        header_index=parts.index(Part.HEADER) if wanted.file_mode else None,
        purgatory_index=parts.index(Part.PURGATORY) if wanted.file_mode and own else None,
        digested_header=made.ljust(starts[Part.HEADER].size, b"\0") if header_digested else None,
    )
    contents = {
        item.range: made if item.part is Part.HEADER else _content(item)
        for item in segments
        if item.part is not Part.PURGATORY
    }
    for item in segments:
        if item.range in contents:
            put(memory, item, contents[item.range])
    if own is None:
        return image
    fresh = purgatory.with_registers(purgatory.fresh(own.size), registers)
    digested = purgatory.digested(image, header=header_digested)
    fresh = purgatory.with_digest(fresh, digested, contents)
    put(memory, image.segment(Part.PURGATORY), fresh)
    return image


def put(memory: SimulatedMemory, segment: Segment, content: bytes) -> None:
    """Content, and zeros up to the end of the segment."""
    memory.write(segment.range.start, content.ljust(segment.range.size, b"\0"))


def _content(segment: Segment) -> bytes:
    """Bytes that stand for a kernel or an initrd; the same each time."""
    return hashlib.shake_256(segment.part.encode()).digest(segment.size)
