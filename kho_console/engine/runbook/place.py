"""Whether a folder outlives the running kernel: what lies in memory is gone after a kexec."""

import ctypes
import os
import re
from collections.abc import Callable
from pathlib import Path

_IN_MEMORY = {0x01021994: "tmpfs", 0x858458F6: "ramfs"}
"""`f_type` of statfs (include/uapi/linux/magic.h); an initramfs as root is one of these."""

_OVERLAY = 0x794C7630
_RAM_DISKS = ("ram", "zram")
_DEEPEST = 8
"""Disks and folders that lie upon each other."""

_DEVICES = Path("/sys/dev/block")
_MOUNTS = Path("/proc/self/mountinfo")

Kind = Callable[[Path], int]


def in_memory(folder: Path, kind: Kind | None = None) -> str | None:
    """Why what is written to a folder does not outlive the kernel; None where it does.

    Args:
        folder: The folder, or one that will be made there.
        kind: Tells `f_type` of the file system that a folder is on.

    Raises:
        OSError: It cannot be told.
    """
    why = _why(_nearest(folder), kind or filesystem, _DEEPEST)
    return None if why is None else f"{folder} is on {why}"


def filesystem(folder: Path) -> int:
    """`f_type` of the file system that a folder is on.

    Raises:
        OSError: It cannot be told.
    """
    library = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(512)
    if library.statfs(os.fsencode(folder), buffer):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(folder))
    # The first field of struct statfs: a long, but an int on s390.
    width = ctypes.c_uint if os.uname().machine.startswith("s390") else ctypes.c_ulong
    return width.from_buffer(buffer).value & 0xFFFFFFFF


def _why(place: Path, kind: Kind, deeper: int) -> str | None:
    """What in memory a folder or a file lies on."""
    if not deeper:
        return "more disks upon each other than are followed: it may be in memory"
    found = kind(place)
    if found == _OVERLAY:
        # What an overlay keeps lies in its upper folder, which need not be reachable from here.
        upper = _upper(place)
        if upper is None or not upper.is_dir():
            return "an overlay whose upper folder cannot be seen: it may be in memory"
        why = _why(upper, kind, deeper - 1)
        return None if why is None else f"an overlay over {why}"
    if found in _IN_MEMORY:
        return f"{_IN_MEMORY[found]}, which is in memory and gone after the kexec"
    device = place.stat().st_dev
    return _disk(f"{os.major(device)}:{os.minor(device)}", kind, deeper - 1)


def _disk(number: str, kind: Kind, deeper: int) -> str | None:
    """What in memory a disk lies on: it may be a file's, or made of other disks."""
    disk = (_DEVICES / number).resolve()
    if (disk / "partition").exists():
        disk = disk.parent
    if disk.name.rstrip("0123456789") in _RAM_DISKS:
        return f"{disk.name}, a disk in memory, which is gone after the kexec"
    if not deeper:
        return "more disks upon each other than are followed: it may be in memory"
    below = disk / "loop" / "backing_file"
    if below.is_file():
        file = Path(os.fsdecode(below.read_bytes()).removesuffix("\n"))
        if not file.exists():
            return f"{disk.name}, a disk whose file cannot be seen: it may be in memory"
        why = _why(file, kind, deeper)
        return None if why is None else f"{disk.name} over {why}"
    for other in sorted(disk.glob("slaves/*/dev")):
        if why := _disk(other.read_text().strip(), kind, deeper - 1):
            return f"{disk.name} over {why}"
    return None


def _upper(folder: Path) -> Path | None:
    device = folder.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in _MOUNTS.read_text(errors="surrogateescape").splitlines():
        words = line.split(" ")
        if len(words) > 2 and words[2] == wanted:
            for option in words[-1].split(","):
                name, _, value = option.partition("=")
                if name == "upperdir":
                    return Path(_plain(value))
    return None


def _plain(word: str) -> str:
    """A word of mountinfo without its escapes: spaces are octal there."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), word)


def _nearest(folder: Path) -> Path:
    """The folder, or what there is of the way to it."""
    folder = folder.absolute()
    return next(item for item in (folder, *folder.parents) if item.is_dir())
