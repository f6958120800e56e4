"""What `/proc` of a machine that is no live one tells: its processes and its memory."""

import os
import re
from contextlib import suppress

from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Process, Source, SourceError

_NUMBER = re.compile("[0-9]{1,10}")
_MEM_TOTAL = re.compile(rb"^MemTotal:[ \t]+([0-9]{1,15}) kB$", re.MULTILINE)


def processes(source: Source) -> Maybe[tuple[Process, ...]]:
    """See `Source.processes`."""
    try:
        names = source.list("/proc")
    except SourceError as error:
        return not_recorded(error)
    pids = sorted(int(name) for name in names if _NUMBER.fullmatch(name))
    return tuple(Process(pid, _command(source, pid), _descriptors(source, pid)) for pid in pids)


def memory_total(source: Source) -> Maybe[int]:
    """See `Source.memory_total`."""
    path = "/proc/meminfo"
    try:
        found = _MEM_TOTAL.search(source.read(path))
    except SourceError as error:
        return not_recorded(error)
    if found is None:
        return Unknown(Cause.INVALID, f"{path} has no MemTotal")
    return int(found[1]) * 1024


def not_recorded(error: SourceError) -> Unknown:
    """Why a file is not there: a recording that lacks it says nothing of the machine."""
    if error.unknown.cause is Cause.ABSENT:
        return Unknown(Cause.NOT_RECORDED, f"{error.path} is not recorded")
    return error.unknown


def _command(source: Source, pid: int) -> bytes:
    command = b""
    with suppress(SourceError):
        command = source.read(f"/proc/{pid}/cmdline").rstrip(b"\0").replace(b"\0", b" ")
    with suppress(SourceError):
        command = command or source.read(f"/proc/{pid}/comm").removesuffix(b"\n")
    return command


def _descriptors(source: Source, pid: int) -> Maybe[dict[int, bytes]]:
    folder = f"/proc/{pid}/fd"
    try:
        names = source.list(folder)
    except SourceError as error:
        # A capture keeps the descriptors that matter; a process may have none of them.
        return {} if error.unknown.cause is Cause.ABSENT else error.unknown
    targets: dict[int, bytes] = {}
    for name in names:
        if _NUMBER.fullmatch(name):
            with suppress(SourceError):
                targets[int(name)] = os.fsencode(source.link(f"{folder}/{name}"))
    return dict(sorted(targets.items()))
