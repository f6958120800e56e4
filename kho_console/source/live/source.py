"""The source over the running machine: sysfs, debugfs, procfs, `/proc/kcore`, netlink."""

import errno
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from kho_console.abi import page_flags
from kho_console.model.change import Change, Execute, Execution, Load, Unload, Write
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.live.files import DEADLINE, DeadlineReader
from kho_console.source.live.kcore import KcoreMemory
from kho_console.source.live.kmsg import read_log
from kho_console.source.protocol import (
    SMALL_FILE,
    EventStream,
    HostFacts,
    Process,
    SourceError,
    SourceKind,
)
from kho_console.source.regular import checked_path, read_at, read_regular

T = TypeVar("T")


class LiveSource:
    """The machine this program runs on; every answer comes within a deadline.

    psutil and pyudev are imported only when they are asked something.
    """

    kind = SourceKind.LIVE

    def __init__(self, root: Path = Path("/"), deadline: float = DEADLINE) -> None:
        """Read below `root`.

        Args:
            root: Where `/` is; another one than the machine's own serves tests.
            deadline: Seconds after which a read is late.
        """
        self._root = "" if root == Path("/") else str(root)
        self._reader = DeadlineReader(deadline)
        self._memory = KcoreMemory(self._place("/proc/kcore"), self._reader)

    @property
    def name(self) -> str:
        """The host's name."""
        return os.uname().nodename

    @property
    def memory(self) -> KcoreMemory:
        """Physical memory, through `/proc/kcore`."""
        return self._memory

    def facts(self) -> HostFacts:
        """See `Source.facts`."""
        uname = os.uname()
        page_size = os.sysconf("SC_PAGE_SIZE")
        return HostFacts(uname.nodename, uname.release, uname.machine, page_size)

    def read(self, path: str, limit: int = SMALL_FILE) -> bytes:
        """See `Source.read`; devices are never opened."""
        place = self._place(path)
        return self._ask(path, lambda: read_regular(place, path, limit))

    def list(self, path: str) -> tuple[str, ...]:
        """See `Source.list`."""
        place = self._place(path)
        return tuple(sorted(self._ask(path, lambda: os.listdir(place))))  # noqa: PTH208

    def link(self, path: str) -> str:
        """See `Source.link`."""
        place = self._place(path)
        return self._ask(path, lambda: os.readlink(place))  # noqa: PTH115

    def exists(self, path: str) -> Maybe[bool]:
        """See `Source.exists`; it looks without opening."""
        try:
            place = self._place(path)
            self._ask(path, lambda: os.lstat(place))
        except SourceError as error:
            return False if error.unknown.cause is Cause.ABSENT else error.unknown
        return True

    def processes(self) -> Maybe[tuple[Process, ...]]:
        """See `Source.processes`."""
        from kho_console.source.live import processes

        try:
            return processes.walk(self._place("/proc"), self._reader)
        except SourceError as error:
            return error.unknown
        except OSError as error:
            return SourceError.from_errno("/proc", error.errno or errno.EIO).unknown

    def memory_total(self) -> Maybe[int]:
        """See `Source.memory_total`."""
        from kho_console.source.live import processes

        return self._told("/proc/meminfo", processes.memory_total)

    def page_flags(self, address: int) -> Maybe[int]:
        """See `Source.page_flags`; it needs CAP_SYS_ADMIN."""
        path = "/proc/kpageflags"
        offset = address // os.sysconf("SC_PAGE_SIZE") * page_flags.ENTRY
        try:
            place = self._place(path)
            entry = self._ask(path, lambda: read_at(place, path, offset, page_flags.ENTRY))
        except SourceError as error:
            return error.unknown
        if len(entry) < page_flags.ENTRY:
            return Unknown(Cause.ABSENT, f"{path} has no page at 0x{address:x}")
        return int.from_bytes(entry, sys.byteorder)

    def boot_time(self) -> Maybe[datetime]:
        """See `Source.boot_time`; to the second, as the kernel tells it."""
        from kho_console.source.live import processes

        seconds = self._told("/proc/stat", processes.boot_time)
        return seconds if isinstance(seconds, Unknown) else datetime.fromtimestamp(seconds, UTC)

    def kernel_log(self) -> Maybe[str]:
        """See `Source.kernel_log`."""
        path = "/dev/kmsg"
        place = self._place(path)
        try:
            return self._ask(path, lambda: read_log(place))
        except SourceError as error:
            return error.unknown

    def events(self) -> EventStream:
        """A new stream of the kernel's events."""
        from kho_console.source.live.uevents import UeventStream

        return UeventStream()

    def clock(self) -> float:
        """Seconds of CLOCK_MONOTONIC."""
        return time.monotonic()

    @property
    def kernel_start(self) -> str:
        """See `WritableSource.kernel_start`."""
        return self.read("/proc/sys/kernel/random/boot_id").decode("ascii", "replace").strip()

    def change(self, change: Change) -> None:
        """See `WritableSource.change`; no deadline, since the kernel may work on it for minutes."""
        from kho_console.source.live import changes

        if self._root and not isinstance(change, Write):
            # A tree in a folder is not the machine that these calls would act on.
            raise SourceError.from_errno(changes.FILE_LOAD, errno.ENOSYS)
        match change:
            case Write():
                changes.write(self._place(change.path), change.path, change.data)
            case Load(image):
                initrd = None if image.initrd is None else self._place(image.initrd)
                changes.load(change, self._place(image.kernel), initrd)
            case Unload():
                changes.file_load(-1, -1, int(change.all_flags))
            case Execute(how):
                changes.execute(how)

    def refusal(self, change: Change) -> Unknown | None:
        """See `Guarded.refusal`."""
        from kho_console.source.live import changes

        if isinstance(change, Write):
            return changes.may_write(self._place(change.path), change.path)
        if isinstance(change, Execute) and change.how is Execution.SYSTEMD:
            if os.geteuid() == 0:
                return None
            return Unknown(Cause.NOT_PERMITTED, "systemctl kexec is for root")
        return changes.may_boot(self._place("/proc"))

    def _place(self, path: str) -> str:
        return self._root + checked_path(path)

    def _ask(self, path: str, job: Callable[[], T]) -> T:
        """What `job` gives within the deadline.

        Raises:
            SourceError: It failed, or is late.
        """
        try:
            return self._reader.run(path, job)
        except SourceError:
            raise
        except OSError as error:
            raise SourceError.from_errno(path, error.errno or errno.EIO) from error

    def _told(self, path: str, question: Callable[[str], T]) -> Maybe[T]:
        """The answer of psutil, which reads it from `path`."""
        proc = self._place("/proc")
        try:
            return self._ask(path, lambda: question(proc))
        except SourceError as error:
            return error.unknown
        except (LookupError, ValueError, RuntimeError) as error:
            return Unknown(Cause.INVALID, f"{path} does not tell: {error}")
