r"""The kernel log out of `/dev/kmsg`.

Each read gives one record (Documentation/ABI/testing/dev-kmsg, since 3.5):
`priority,sequence,microseconds,flags;text\n KEY=value\n...`, where bytes that are not printable
ASCII stand as `\xNN`.
"""

import os
from collections import deque

_LONGEST_RECORD = 1 << 14  # the kernel refuses buffers shorter than the record; it writes 8 KiB
_LARGEST_LOG = 16 << 20
_MOST_RECORDS = 1 << 20  # a log that is written faster than it is read has no end
_NEWLINE = "\\x0a"
_INDENT = " " * len("[    0.000000] ")


def read_log(place: str) -> str:
    """The log as dmesg prints it; beyond 16 MiB the oldest lines go, as in the kernel's own ring.

    Raises:
        OSError: It cannot be opened or read.
    """
    descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        return read_records(descriptor)
    finally:
        os.close(descriptor)


def read_records(descriptor: int) -> str:
    """The records that can be read without waiting, as lines."""
    lines: deque[str] = deque()
    size = 0
    for _ in range(_MOST_RECORDS):
        try:
            record = os.read(descriptor, _LONGEST_RECORD)
        except BlockingIOError:
            break
        except BrokenPipeError:
            continue  # the record was overwritten before it was read; the next one is the oldest
        if not record:
            break
        lines.append(as_dmesg(record))
        size += len(lines[-1])
        while size > _LARGEST_LOG:
            size -= len(lines.popleft())
    return "".join(lines)


def as_dmesg(record: bytes) -> str:
    """One record as a line with its time; further lines of its text are indented below it."""
    head, _, rest = record.decode("ascii", "backslashreplace").partition(";")
    text = rest.partition("\n")[0]
    fields = head.split(",")
    if len(fields) < 4 or not fields[2].isdecimal():
        return record.decode("ascii", "backslashreplace").rstrip("\n") + "\n"
    seconds, micros = divmod(int(fields[2][:20]), 1_000_000)
    lines = text.replace(_NEWLINE, "\n" + _INDENT)
    return f"[{seconds:5d}.{micros:06d}] {lines}\n"
