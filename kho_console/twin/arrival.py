"""What a booting kernel makes of the handover that its predecessor left in memory.

Nothing here knows what the predecessor wrote: everything is read back from memory, in the way of
the release that boots. A kernel takes exactly its own word; `kho-v1` names several formats all the
same, and a kernel of 6.16 or 6.17 misreads the map of 6.18 and later, and the other way round.
"""

import errno

from kho_console.abi import fdt, luo, luo_session, radix_tree, root_tree, runs
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory
from kho_console.model.blob import LuoHeader
from kho_console.model.generation import MapFormat
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs
from kho_console.model.tree import BlobPointer, RootTree
from kho_console.model.unknown import Unknown
from kho_console.model.value import dataclass
from kho_console.twin.allocator import Allocator
from kho_console.twin.hardware import Hardware
from kho_console.twin.kho2024.carried import Carried2024
from kho_console.twin.loading import Carried
from kho_console.twin.refused import Panic
from kho_console.twin.release import Release
from kho_console.twin.tracker import all_ranges, read_chunks

_PREFIX = "KHO: "


@dataclass(frozen=True, slots=True)
class Arrival:
    """A handover that was taken.

    Attributes:
        tree: The root tree.
        kept: Preserved ranges as this kernel reads the map.
        scratch: The areas that it inherits.
    """

    tree: RootTree
    kept: Runs
    scratch: tuple[MemoryRange, ...]

    def pointer(self, name: bytes) -> BlobPointer | None:
        """Where a blob lies."""
        return self.tree.pointer(name)


class NotTaken(Exception):
    """The handover is refused; the kernel boots without it.

    Attributes:
        errno: Why, as kernels up to 7.0 print it.
        lines: What the kernel says.
    """

    def __init__(self, number: int, *lines: str) -> None:
        """Refuse with an errno and the lines before the last one."""
        super().__init__(number)
        self.errno = number
        self.lines = lines


def take(row: Release, hardware: Hardware, carried: Carried | Carried2024) -> Arrival:
    """Take a handover over.

    Raises:
        NotTaken: It is of another version, damaged, or never finalized.
        Panic: The map names memory that does not exist.
    """
    channel = carried.channel(hardware.page_size)
    tree = _tree(row, hardware, channel["fdt"])
    if isinstance(carried, Carried2024):
        # x86 has the scratch area where the array of areas is looked for; so early in the boot
        # no more than 256 KiB can be mapped at once.
        area = channel["scratch"]
        where = f"(phys=0x{area.start:x}, len={area.size})"
        raise NotTaken(errno.EFAULT, f"{_PREFIX}setup: failed to memremap scratch {where}")
    kept = _kept(row, hardware, tree)
    ram = runs.of_ranges((item.start, item.end) for item in hardware.ram)
    if any(kept.touches(hole) for hole in runs.holes(ram)):
        raise Panic("the map of preserved memory was misread: it names memory that does not exist")
    pairs = len(carried.content) // 16
    numbers = [
        int.from_bytes(carried.content[at : at + 8], "little") for at in range(0, pairs * 16, 8)
    ]
    scratch = tuple(
        MemoryRange(start, size) for start, size in zip(numbers[::2], numbers[1::2], strict=True)
    )
    return Arrival(tree, kept, scratch)


def _tree(row: Release, hardware: Hardware, where: MemoryRange) -> RootTree:
    at = f"{_PREFIX}setup: handover FDT (0x{where.start:x})"
    try:
        content = hardware.memory.read(where.start, where.size)
        tree = root_tree.read(content, address=where.start, window=False)
    except (FormatError, MissingMemory) as error:
        raise NotTaken(errno.EINVAL, f"{at} is invalid: -9") from error
    assert row.word is not None
    if tree.compatible != row.word:
        line = f"{at} is incompatible with '{row.word.decode()}': 1"
        raise NotTaken(errno.EINVAL, line)
    return tree


def _kept(row: Release, hardware: Hardware, tree: RootTree) -> Runs:
    head = tree.map_address
    if isinstance(head, Unknown):
        if row.zero_map_refused or row.stateless:
            raise NotTaken(errno.ENOENT)
        return runs.empty()
    if not head:
        if row.zero_map_refused or row.stateless:
            raise NotTaken(errno.ENOENT)
        return runs.empty()
    try:
        return _ranges(row, hardware, head)
    except (FormatError, MissingMemory) as error:
        raise Panic(f"the map of preserved memory could not be read: {error}") from error


def _ranges(row: Release, hardware: Hardware, head: int) -> Runs:
    if row.map is MapFormat.RADIX:
        return radix_tree.read(hardware.memory, head, hardware.page_size).ranges
    assert row.map is not None
    reader = Allocator(hardware.memory, (), ())
    found: dict[int, Runs] = {}
    for number, (_, blocks, _) in enumerate(read_chunks(reader, head, row.map)):
        found[number] = blocks
    return all_ranges(found)


def live_update(row: Release, hardware: Hardware, arrival: Arrival) -> LuoHeader | None:
    """The live-update blob that came in; None where none did.

    Raises:
        Panic: It is of another version, or its records do not hold together: by design no kernel
            goes on and loses them.
    """
    pointer = arrival.pointer(luo.NAME)
    if pointer is None or isinstance(pointer.address, Unknown):
        return None
    try:
        content = hardware.memory.read(pointer.address, hardware.page_size)
        header = _header(row, content)
        if row.luo_struct:
            luo_session.read(hardware.memory, header, hardware.page_size)
    except (FormatError, MissingMemory) as error:
        raise Panic(f"luo: failed to set up live update data: {error}") from error
    return header


def _header(row: Release, content: bytes) -> LuoHeader:
    if row.luo_struct:
        word = luo.struct_word(content)
        if word is None or word.partition(b";")[0] != row.luo:
            raise FormatError(0, f"incompatible, this kernel speaks {(row.luo or b'').decode()}")
        return luo.decode_struct(content)[0]
    header, _ = luo.decode_tree(fdt.read(content))
    if header.compatible != row.luo:
        raise FormatError(0, "incompatible")
    if row.flb and isinstance(header.flbs, Unknown):
        raise FormatError(0, "no luo-flb node (-ENOENT)")
    return header
