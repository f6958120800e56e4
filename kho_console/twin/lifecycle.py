"""Writing to `out/finalize`: every transition and errno (kho_out_finalize_set, 6.16 to 7.0)."""

import errno
import re

from kho_console.model.memory import MemoryRange
from kho_console.twin.handover import Handover
from kho_console.twin.refused import Refused
from kho_console.twin.tracker import BitmapTracker

_SEEN = 23
"""Bytes of a write that debugfs looks at (fs/libfs.c, simple_attr_write)."""

_NUMBER = re.compile(rb"\+?(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))\n?")


def write(handover: Handover, data: bytes) -> None:
    """What the kernel does when somebody writes `data`.

    Raises:
        Refused: With the errno of the kernel's release and state.
    """
    wanted = bool(_number(data))
    if handover.row.reversible:
        _reversible(handover, wanted)
    elif wanted:
        finalize(handover)
    else:
        raise Refused(errno.EINVAL, "this release cannot take finalize back")


def finalize(handover: Handover) -> None:
    """6.19 and 7.0: write the map down, again and again if asked; it latches.

    Raises:
        Refused: ENOMEM.
    """
    tracker = handover.preserver.tracker
    assert isinstance(tracker, BitmapTracker)
    old, handover.chunks = handover.chunks, []
    chunks = tracker.serialize()
    page = handover.hardware.page_size
    for chunk in old:
        handover.allocator.give_back(MemoryRange(chunk, page))
    handover.chunks = chunks
    handover.map_address = chunks[0] if chunks else 0
    handover.write_tree()
    _set(handover, True)


def _reversible(handover: Handover, wanted: bool) -> None:
    """6.16 to 6.18, and the v6 series."""
    if wanted == handover.finalized:
        raise Refused(errno.EEXIST if wanted else errno.ENOENT, "nothing would change")
    if not wanted:
        _forget(handover)
        _set(handover, False)
        _prune(handover)
        return
    try:
        _build(handover)
    except Refused:
        # The files of blobs stay: only a transition that succeeds prunes them.
        _forget(handover)
        raise
    _set(handover, True)
    handover.preserver.shut = True
    handover.show_tree()


def _build(handover: Handover) -> None:
    handover.pointers = []
    handover.map_address = 0
    handover.preserver.folio(handover.root, 0)
    for producer in handover.producers:
        producer(handover)
    tracker = handover.preserver.tracker
    if handover.row.map is not None and isinstance(tracker, BitmapTracker):
        handover.chunks = tracker.serialize()
        handover.map_address = handover.chunks[0] if handover.chunks else 0
    handover.write_tree()


def _forget(handover: Handover) -> None:
    """Everything preserved is forgotten, before finalize or in it; the tree's page keeps bytes."""
    handover.free_chunks()
    handover.forget_all()
    handover.pointers = []


def _prune(handover: Handover) -> None:
    files, out = handover.hardware.files, f"{handover.hardware.kho}/out"
    files.remove(f"{out}/fdt")
    for name in files.list(f"{out}/sub_fdts"):
        files.remove(f"{out}/sub_fdts/{name}")


def _set(handover: Handover, value: bool) -> None:
    handover.finalized = value
    content = b"1\n" if value else b"0\n"
    handover.hardware.files.put(f"{handover.hardware.kho}/out/finalize", content)


def _number(data: bytes) -> int:
    """An unsigned number of 64 bits in any base that C knows."""
    found = _NUMBER.fullmatch(data[:_SEEN].partition(b"\0")[0])
    if found is None:
        raise Refused(errno.EINVAL, "no number")
    hexadecimal, octal, decimal = found.groups()
    value = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(decimal)
    if value >= 1 << 64:
        raise Refused(errno.ERANGE, "a number of more than 64 bits")
    return value
