"""Memory blocks and CPUs going on and off line."""

import errno
import re

from kho_console.abi import number_list
from kho_console.abi.error import FormatError
from kho_console.model.memory import MemoryRange
from kho_console.source.protocol import SMALL_FILE, SourceError
from kho_console.twin.crash import armed
from kho_console.twin.crash.machine import Event
from kho_console.twin.kernel import Kernel
from kho_console.twin.refused import Refused
from kho_console.twin.tracker import all_ranges

_MEMORY = "/sys/devices/system/memory"
_CPU = "/sys/devices/system/cpu"
_BLOCK = re.compile(rf"{_MEMORY}/memory(\d{{1,9}})/(state|online)")
_PROCESSOR = re.compile(rf"{_CPU}/cpu(\d{{1,6}})/online")
_ON = (b"online", b"online_kernel", b"online_movable")


def write(kernel: Kernel, path: str, data: bytes) -> tuple[str, str, str]:
    """A write to a file of sysfs: action, subsystem and device of the event that it makes.

    Raises:
        Refused: ENOENT, EACCES for a file nobody writes, EINVAL, EBUSY for memory that cannot
            be moved.
    """
    if not kernel.hardware.files.stands(path):
        raise Refused(errno.ENOENT, path)
    block, processor = _BLOCK.fullmatch(path), _PROCESSOR.fullmatch(path)
    word = data.removesuffix(b"\n")
    if block:
        on = _memory(kernel, int(block[1]), block[2], word)
        _tell(kernel, Event(on, memory=_range(kernel, int(block[1]))))
        return ("online" if on else "offline", "memory", f"memory{block[1]}")
    if processor:
        on = _cpu(kernel, int(processor[1]), word)
        _tell(kernel, Event(on, cpu=int(processor[1])))
        return ("online" if on else "offline", "cpu", f"cpu{processor[1]}")
    raise Refused(errno.EACCES, path)


def _memory(kernel: Kernel, number: int, file: str, word: bytes) -> bool:
    on = {b"1": True, b"0": False}.get(word) if file == "online" else _state(word)
    if on is None:
        raise Refused(errno.EINVAL, "neither on nor off")
    files, folder = kernel.hardware.files, f"{_MEMORY}/memory{number}"
    before, after = _read(kernel, f"{folder}/state"), b"online\n" if on else b"offline\n"
    if file == "state" and before == after:
        # drivers/base/memory.c, state_store, 6.16 to 7.3; the file `online` takes it.
        raise Refused(errno.EINVAL, "the block is so already")
    if not on and before != after:
        _check_movable(kernel, number)
    files.put(f"{folder}/state", after)
    if files.stands(f"{folder}/online"):
        files.put(f"{folder}/online", b"1\n" if on else b"0\n")
    return on


def _state(word: bytes) -> bool | None:
    return True if word in _ON else False if word == b"offline" else None


def _check_movable(kernel: Kernel, number: int) -> None:
    """Memory that the kernel holds on to stays: its own, scratch, what is preserved."""
    block = _range(kernel, number)
    held = [*kernel.hardware.kept, *kernel.hardware.crash]
    hand, inline = kernel.handover, kernel.inline
    if inline is not None:
        held.append(inline.scratch)
        if inline.preserved.touches(block):
            raise Refused(errno.EBUSY, "preserved memory lies in the block")
    if hand is not None:
        held += [*hand.scratch, *hand.preserver.tracker.structure()]
        if all_ranges(hand.preserver.tracker.blocks()).touches(block):
            raise Refused(errno.EBUSY, "preserved memory lies in the block")
    if kernel.came.touches(block) or any(item.size and item.overlaps(block) for item in held):
        raise Refused(errno.EBUSY, "memory of the block cannot be moved")


def _range(kernel: Kernel, number: int) -> MemoryRange:
    """The memory of a block."""
    try:
        size = number_list.hexadecimal(_read(kernel, f"{_MEMORY}/block_size_bytes"))
    except FormatError as error:
        raise Refused(errno.EIO, str(error)) from error
    return MemoryRange(number * size, size)


def _tell(kernel: Kernel, event: Event) -> None:
    """The kernel keeps the header of its crash image up."""
    if kernel.crash is not None:
        kernel.said += armed.answer(kernel.hardware, event)


def _cpu(kernel: Kernel, number: int, word: bytes) -> bool:
    on = {b"1": True, b"0": False}.get(word)
    if on is None:
        raise Refused(errno.EINVAL, "neither on nor off")
    files = kernel.hardware.files
    try:
        online = set(number_list.numbers(_read(kernel, f"{_CPU}/online")))
    except FormatError as error:
        raise Refused(errno.EIO, str(error)) from error
    online = online | {number} if on else online - {number}
    files.put(f"{_CPU}/cpu{number}/online", b"1\n" if on else b"0\n")
    files.put(f"{_CPU}/online", b",".join(b"%d" % item for item in sorted(online)) + b"\n")
    return on


def _read(kernel: Kernel, path: str) -> bytes:
    try:
        return kernel.hardware.files.read(path, SMALL_FILE)
    except SourceError as error:
        raise Refused(error.errno or errno.EIO, path) from error
