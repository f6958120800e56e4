"""Keys and values of a recording: each question to a source, and its answer.

A key is a letter and a path (bytes of the file system), or a letter and an address (u64, big
endian): `F` a file, `L` a directory, `K` a symbolic link, `X` whether a path stands, `P` processes,
`T` MemTotal, `B` the boot time, `G` the kernel log, `A` page flags, `M` a page of memory.

A value begins with `v` and goes on with the answer, or with `u` and a JSON object of `cause`,
`reason`, `offset` and `errno`: why there is none. Names are separated by NUL, numbers are decimal,
times ISO 8601, processes a JSON list of pid, command (a character a byte), and the descriptors as
an object, or why they cannot be seen.
"""

import errno
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from kho_console.abi.error import FormatError
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Process, SourceError

T = TypeVar("T")

PROCESSES, MEMORY_TOTAL, BOOT_TIME, KERNEL_LOG = b"P", b"T", b"B", b"G"
FILE, FOLDER, LINK, STANDS, PAGE_FLAGS, PAGE = b"F", b"L", b"K", b"X", b"A", b"M"

_KNOWN, _UNKNOWN = b"v", b"u"
_MOST_DIGITS = 20


def path_key(letter: bytes, path: str) -> bytes:
    """The key of a question about a path."""
    return letter + os.fsencode(path)


def address_key(letter: bytes, address: int) -> bytes:
    """The key of a question about a page."""
    return letter + address.to_bytes(8, "big")


def known(value: bytes) -> bytes:
    """An answer."""
    return _KNOWN + value


def unknown(why: Unknown, number: int = 0) -> bytes:
    """Why there is no answer."""
    return _UNKNOWN + json.dumps(_reason(why, number)).encode()


def error(failure: SourceError) -> bytes:
    """Why a path could not be read."""
    return unknown(failure.unknown, failure.errno or errno.EIO)


def answer(value: bytes) -> bytes:
    """The answer of a value.

    Raises:
        Unanswered: There is none, and why.
        FormatError: It is no value.
    """
    if value[:1] == _KNOWN:
        return value[1:]
    if value[:1] != _UNKNOWN:
        raise FormatError(0, "no value of a recording")
    raise Unanswered(*_read_reason(_json(value[1:])))


class Unanswered(Exception):
    """A question that the source did not answer.

    Attributes:
        unknown: Why.
        number: The errno, where it was about a path.
    """

    def __init__(self, why: Unknown, number: int) -> None:
        super().__init__(why.reason)
        self.unknown = why
        self.number = number


def told(value: bytes | None, read: Callable[[bytes], T], what: str) -> Maybe[T]:
    """The answer of a value as `read` reads it, or why there is none.

    Args:
        value: The value; None where nobody asked.
        read: Reads the answer, and raises FormatError where it is damaged.
        what: What it is about, for words: `the kernel log is`.
    """
    if value is None:
        return Unknown(Cause.NOT_RECORDED, f"{what} not recorded")
    try:
        return read(answer(value))
    except Unanswered as failure:
        return failure.unknown
    except FormatError as failure:
        return Unknown(Cause.INVALID, f"the recording is damaged: {failure}")


def names(found: tuple[str, ...]) -> bytes:
    """Names of a directory."""
    return known(b"\0".join(map(os.fsencode, found)))


def target(found: str) -> bytes:
    """Target of a symbolic link."""
    return known(os.fsencode(found))


def read_names(data: bytes) -> tuple[str, ...]:
    """The names of a directory, sorted; those that none can have are left out."""
    found = {os.fsdecode(name) for name in data.split(b"\0") if name and b"/" not in name}
    return tuple(sorted(found - {".", ".."}))


def number(value: Maybe[int]) -> bytes:
    """A number, or why there is none."""
    return unknown(value) if isinstance(value, Unknown) else known(b"%d" % value)


def read_number(data: bytes) -> int:
    """A number.

    Raises:
        FormatError: It is none.
    """
    if not data.isdigit() or len(data) > _MOST_DIGITS:
        raise FormatError(0, "no number")
    return int(data)


def time(value: Maybe[datetime]) -> bytes:
    """A time, or why there is none."""
    return unknown(value) if isinstance(value, Unknown) else known(value.isoformat().encode())


def read_time(data: bytes) -> datetime:
    """A time, UTC.

    Raises:
        FormatError: It is none.
    """
    try:
        found = datetime.fromisoformat(data.decode("ascii"))
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        raise FormatError(0, "no time") from fault


def text(value: Maybe[str]) -> bytes:
    """A text, or why there is none."""
    if isinstance(value, Unknown):
        return unknown(value)
    return known(value.encode("utf-8", "surrogateescape"))


def read_text(data: bytes) -> str:
    """A text."""
    return data.decode("utf-8", "surrogateescape")


def processes(found: Maybe[tuple[Process, ...]]) -> bytes:
    """Processes, or why they are not known."""
    if isinstance(found, Unknown):
        return unknown(found)
    listed = [
        [
            item.pid,
            item.command.decode("latin-1"),
            _reason(item.descriptors, 0)
            if isinstance(item.descriptors, Unknown)
            else {"open": {str(at): to.decode("latin-1") for at, to in item.descriptors.items()}},
        ]
        for item in found
    ]
    return known(json.dumps(listed, separators=(",", ":")).encode())


def read_processes(data: bytes) -> tuple[Process, ...]:
    """Processes.

    Raises:
        FormatError: They are damaged.
    """
    listed = _json(data)
    try:
        if not isinstance(listed, list):
            raise TypeError(listed)
        return tuple(_process(*item) for item in listed)
    except (TypeError, ValueError, LookupError, AttributeError) as fault:
        raise FormatError(0, "no list of processes") from fault


def _process(pid: object, command: object, opened: object) -> Process:
    if not isinstance(pid, int) or not isinstance(command, str) or not isinstance(opened, dict):
        raise TypeError(pid)
    if "open" not in opened:
        return Process(pid, command.encode("latin-1"), _read_reason(opened)[0])
    descriptors = {int(at): to.encode("latin-1") for at, to in opened["open"].items()}
    return Process(pid, command.encode("latin-1"), descriptors)


def _reason(why: Unknown, number: int) -> dict[str, object]:
    return {"cause": why.cause.value, "reason": why.reason, "offset": why.offset, "errno": number}


def _read_reason(found: object) -> tuple[Unknown, int]:
    if not isinstance(found, dict):
        raise FormatError(0, "no reason of a recording")
    reason, offset, number = found.get("reason"), found.get("offset"), found.get("errno")
    try:
        cause = Cause(str(found.get("cause")))
    except ValueError as fault:
        raise FormatError(0, "a cause that is none") from fault
    if not isinstance(reason, str) or not isinstance(number, int):
        raise FormatError(0, "no reason of a recording")
    if offset is not None and not isinstance(offset, int):
        raise FormatError(0, "an offset that is none")
    return Unknown(cause, reason, offset), number


def _json(data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as fault:
        raise FormatError(0, "no JSON") from fault
