"""What every source answers."""

import errno
import os
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from kho_console.abi.memory import PhysicalMemory
from kho_console.model.event import Event, EventsLost
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass

SMALL_FILE = 1 << 20
"""Default cap of a read, bytes; larger files are refused rather than cut."""

LARGEST_MEMORY_READ = 256 << 20
"""Most bytes of physical memory that one read gives; decoders ask for pages."""


class SourceKind(StrEnum):
    """Where a snapshot comes from."""

    LIVE = "live"
    FIXTURE = "fixture"
    RECORDING = "recording"
    TWIN = "twin"


class SourceError(OSError):
    """A path that could not be read.

    Attributes:
        path: The absolute path as asked for.
        unknown: What to show in place of the value.
    """

    def __init__(self, path: str, unknown: Unknown, number: int | None = None) -> None:
        super().__init__(number or errno.EIO, unknown.reason, path)
        self.path = path
        self.unknown = unknown

    @classmethod
    def from_errno(cls, path: str, number: int) -> "SourceError":
        """The error of a path for which the kernel answered `number`."""
        name = errno.errorcode.get(number, str(number))
        if number in (errno.EACCES, errno.EPERM):
            return cls(
                path, Unknown(Cause.NOT_PERMITTED, f"{path}: not permitted ({name})"), number
            )
        if number in (errno.ENOENT, errno.ENOTDIR):
            return cls(path, Unknown(Cause.ABSENT, f"{path} is not there"), number)
        return cls(
            path, Unknown(Cause.UNREADABLE, f"{path}: {os.strerror(number)} ({name})"), number
        )


class NotAskedError(Exception):
    """A change was not made: the source saw itself that it must not be, and why."""


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What a source says of its machine.

    Attributes:
        hostname: The host's name.
        release: `uname -r`.
        machine: `uname -m`.
        page_size: Bytes of a page of order 0.
        captured_at: When a fixture was taken; None for a live machine.
        description: What a fixture says of itself, else empty.
    """

    hostname: str
    release: str
    machine: str
    page_size: int
    captured_at: datetime | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Process:
    """A process and the open files that could be read.

    Attributes:
        pid: Process id.
        command: Its command line with spaces between the arguments, or its name without one.
        descriptors: Link target of each open descriptor, or why they cannot be seen.
    """

    pid: int
    command: bytes
    descriptors: Maybe[dict[int, bytes]]


class EventStream(Protocol):
    """Kernel events of CPUs and memory blocks as they happen."""

    def poll(self, timeout: float) -> list[Event | EventsLost]:
        """Events that arrived, waiting at most `timeout` seconds for the first; may be empty."""
        ...

    def close(self) -> None:
        """Stop listening."""
        ...


class Source(Protocol):
    """One machine at one moment, or now.

    Paths are absolute; names with bytes that are no UTF-8 come as `os.fsdecode` gives them.
    """

    @property
    def kind(self) -> SourceKind:
        """Live, fixture or twin."""
        ...

    @property
    def name(self) -> str:
        """What to call it: the folder of a fixture, the host's name for a live machine."""
        ...

    @property
    def memory(self) -> PhysicalMemory:
        """Physical memory."""
        ...

    def facts(self) -> HostFacts:
        """Release, machine, page size, name."""
        ...

    def read(self, path: str, limit: int = SMALL_FILE) -> bytes:
        """The whole file.

        Raises:
            SourceError: It cannot be read, is no regular file, is late, or is longer than `limit`.
        """
        ...

    def list(self, path: str) -> tuple[str, ...]:
        """Names in a directory, sorted.

        Raises:
            SourceError: It cannot be listed.
        """
        ...

    def link(self, path: str) -> str:
        """Target of a symbolic link.

        Raises:
            SourceError: It is not there, cannot be read, or is no link.
        """
        ...

    def exists(self, path: str) -> Maybe[bool]:
        """Whether something stands at `path`; unknown where looking is not permitted."""
        ...

    def processes(self) -> Maybe[tuple[Process, ...]]:
        """Processes with their open descriptors, by ascending pid."""
        ...

    def memory_total(self) -> Maybe[int]:
        """Bytes of memory the kernel manages (MemTotal)."""
        ...

    def page_flags(self, address: int) -> Maybe[int]:
        """What `/proc/kpageflags` says of the page at physical `address`."""
        ...

    def boot_time(self) -> Maybe[datetime]:
        """When the machine booted, UTC."""
        ...

    def kernel_log(self) -> Maybe[str]:
        """The kernel log as dmesg prints it."""
        ...

    def events(self) -> EventStream:
        """A new stream of events; a fixture replays its recorded ones at once."""
        ...

    def clock(self) -> float:
        """Seconds of the machine's monotonic clock; a fixture stands still."""
        ...
