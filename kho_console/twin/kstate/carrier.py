"""How a stream comes to the next kernel: in a segment of an image (v1, v2) or a folio (v3)."""

import errno
from collections.abc import Iterable, Iterator

from kho_console.abi.kstate import command_line
from kho_console.abi.kstate.stream import END_MARK
from kho_console.abi.memory import PhysicalMemory
from kho_console.model.kstate import KstateVersion
from kho_console.model.memory import MemoryRange
from kho_console.model.value import dataclass
from kho_console.twin.allocator import Allocator
from kho_console.twin.handover import Handover
from kho_console.twin.kstate.kernel import Kstate
from kho_console.twin.kstate.later import KstateV3
from kho_console.twin.refused import Refused

_PAGE = 4096
_V1_SEGMENT = 8 << 20


@dataclass(frozen=True, slots=True)
class Handed:
    """What a kernel leaves.

    Attributes:
        place: Memory of the stream.
        used: Bytes of the stream itself.
        words: The command line of the next kernel; empty in v3.
        out: The page that says where the stream is (v3), else 0.
    """

    place: MemoryRange
    used: int
    words: bytes = b""
    out: int = 0

    def found(self, memory: PhysicalMemory, version: KstateVersion) -> bytes | None:
        """The stream as a kernel of a series finds it; None where it knows of none.

        Of the segment of v1 the zeros are left out that come after those of one page.
        """
        option = command_line.OPTIONS.get(version)
        if option is None:
            if not self.out:
                return None
            address = int.from_bytes(memory.read(self.out, 8), "little")
            return memory.read(address, self.place.size)
        name, _, value = self.words.split(b" ")[0].partition(b"=")
        said = command_line.parse(value, version)
        if name != option or said.address is None:
            return None
        size = said.size
        if version is KstateVersion.V1:
            size = min(-(-self.used // _PAGE) * _PAGE + _PAGE, self.place.size)
        return memory.read(said.address, size)


def through_segment(kernel: Kstate, allocator: Allocator) -> Handed:
    """Save into a segment of the image: at once (v1), or by a buffer that is loaded (v2).

    Raises:
        KernelFault: As `Kstate.save`.
        Refused: ENOMEM.
    """
    memory = allocator.memory
    if kernel.version is KstateVersion.V1:
        # Loaded early, bottom up and all zeros; states are saved straight into it.
        place = MemoryRange(allocator.pages(_V1_SEGMENT // _PAGE), _V1_SEGMENT)
        stream = kernel.save()
        memory.write(place.start, stream)
    else:
        stream = kernel.save()
        buffer = MemoryRange(allocator.pages(len(stream) // _PAGE), len(stream))
        memory.write(buffer.start, stream)
        place = _top_down(allocator, len(stream))
        memory.write(place.start, memory.read(buffer.start, buffer.size))
        allocator.give_back(buffer)
    words = kernel.command_line(b"", place.start, place.size)
    return Handed(place, len(stream), words)


def through_handover(kernel: KstateV3, hand: Handover, *, fixed: bool) -> Handed:
    """Save into a folio that the handover preserves, and say in a page of its own where it is.

    Raises:
        KernelFault: As `KstateV3.save`.
        Refused: ENOMEM, or the handover takes no folio.
    """
    memory, allocator = hand.hardware.memory, hand.allocator
    stream = kernel.save(fixed=fixed)
    place = MemoryRange(allocator.block(0), _PAGE)
    written = 0
    for at, size in _growths(kernel.pieces):
        memory.write(place.start + written, stream[written:at])
        larger = MemoryRange(allocator.block(_order(size)), size)
        memory.write(larger.start, memory.read(place.start, at))
        allocator.give_back(place)
        place, written = larger, at
    memory.write(place.start + written, stream[written:])
    hand.preserver.folio(place.start, _order(place.size))
    out = allocator.pages()
    hand.preserver.folio(out, 0)
    memory.write(out, place.start.to_bytes(8, "little"))
    return Handed(place, len(stream), out=out)


def _growths(pieces: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Behind how many bytes the folio grows, and to how many: by one order above that place."""
    room, at = _PAGE, 0
    for size in pieces:
        if at + size + len(END_MARK) >= room:
            room = _PAGE << (max(at - 1, 0) // _PAGE).bit_length() + 1
            yield at, room
        at += size


def _order(size: int) -> int:
    return (size // _PAGE - 1).bit_length()


def _top_down(allocator: Allocator, size: int) -> MemoryRange:
    for hole in reversed(allocator.free()):
        if hole.size >= size:
            found = MemoryRange(hole.end - size, size)
            allocator.take(found)
            return found
    raise Refused(errno.ENOMEM, f"no {size} bytes in a row are free")
