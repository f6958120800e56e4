"""The memory, the start and the processes of a machine, with psutil over its procfs.

psutil keeps the place of procfs in a module variable, so every question names it first.
"""

import errno
import os
from contextlib import suppress
from functools import partial

import psutil

from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.live.files import DeadlineReader
from kho_console.source.protocol import Process, SourceError


def memory_total(proc: str) -> int:
    """MemTotal of the procfs at `proc`, bytes.

    Raises:
        OSError: It cannot be read.
        LookupError: It is not told there.
    """
    psutil.PROCFS_PATH = proc
    return psutil.virtual_memory().total


def boot_time(proc: str) -> float:
    """Seconds since the epoch at which the machine of the procfs at `proc` booted.

    Raises:
        OSError: It cannot be read.
        RuntimeError: It is not told there.
    """
    psutil.PROCFS_PATH = proc
    return psutil.boot_time()


def walk(proc: str, reader: DeadlineReader) -> tuple[Process, ...]:
    """Every process of the procfs at `proc`, by ascending pid.

    A process that ends meanwhile is left out. `cmdline` of a
    process whose memory is locked can block for ever: each process is its own mount to the reader,
    and one that is late is left out too.

    Raises:
        SourceError: The processes cannot be listed.
    """
    found: list[Process] = []
    for pid in reader.run("/proc", lambda: _pids(proc)):
        with suppress(SourceError):
            mount = f"/proc/{pid}"
            command = reader.run(mount, partial(_command, proc, pid), mount)
            descriptors = _descriptors(proc, pid, reader)
            gone = isinstance(descriptors, Unknown) and descriptors.cause is Cause.ABSENT
            if command is not None and not gone:
                found.append(Process(pid, command, descriptors))
    return tuple(found)


def _pids(proc: str) -> list[int]:
    psutil.PROCFS_PATH = proc
    return sorted(psutil.pids())


def _command(proc: str, pid: int) -> bytes | None:
    """The command line, or the name of a process without one; None for one that is gone."""
    psutil.PROCFS_PATH = proc
    words: list[str] = []
    try:
        process = psutil.Process(pid)
        with suppress(psutil.AccessDenied, psutil.ZombieProcess):
            words = process.cmdline()
        return os.fsencode(" ".join(words) or process.name())
    except psutil.Error:
        return None


def _descriptors(proc: str, pid: int, reader: DeadlineReader) -> Maybe[dict[int, bytes]]:
    path = f"/proc/{pid}/fd"
    try:
        return reader.run(path, lambda: _links(f"{proc}/{pid}/fd"), f"/proc/{pid}")
    except SourceError as error:
        return error.unknown
    except OSError as error:
        return SourceError.from_errno(path, error.errno or errno.EIO).unknown


def _links(folder: str) -> dict[int, bytes]:
    targets: dict[int, bytes] = {}
    for name in os.listdir(folder):  # noqa: PTH208 - thousands of short names
        with suppress(OSError):
            targets[int(name)] = os.readlink(os.fsencode(f"{folder}/{name}"))  # noqa: PTH115
    return dict(sorted(targets.items()))
