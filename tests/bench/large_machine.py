"""A machine in memory with as many blocks as one likes, to which blocks come one by one."""

import errno
from array import array
from datetime import datetime

from kho_console.abi import elfcorehdr
from kho_console.abi.elfcorehdr import Described
from kho_console.abi.memory import MissingMemory, PhysicalMemory
from kho_console.model.crash import CoreLoad, LoadKind
from kho_console.model.event import Event
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import (
    SMALL_FILE,
    EventStream,
    HostFacts,
    Process,
    SourceError,
    SourceKind,
)

BLOCK = 128 << 20
NODES = 8
CPUS = 256

_REGION = MemoryRange(1 << 30, 256 << 20)
_DIRECT_MAP = 0xFF11_0000_0000_0000
_TEXT = CoreLoad(MemoryRange(16 << 20, 8 << 20), 0xFFFF_FFFF_8100_0000, LoadKind.TEXT)
_VMCOREINFO = MemoryRange(1 << 21, 4132)
_NOTES = array("Q", ((1 << 24) + at * 512 for at in range(CPUS)))
_SYSFS = "/sys/devices/system"
_NONE = Unknown(Cause.ABSENT, "this machine has none")


class LargeMachine:
    """A source: the files that a comparison reads, and the header of an armed crash image."""

    kind = SourceKind.LIVE
    name = "large"

    def __init__(self, blocks: int) -> None:
        """A machine with memory in blocks 0 to `blocks - 1`, shared by its nodes."""
        self.files: dict[str, bytes] = {}
        self.folders: dict[str, set[str]] = {}
        self.blocks = 0
        self._per_node = -(-blocks // NODES)
        self._clock = 0.0
        self._header = b""
        self._put_small()
        for _ in range(blocks):
            self._add()
        self._describe()

    def online(self) -> Event:
        """One block more, which the kernel describes in the header; the event of it."""
        number = self._add()
        self._describe()
        self._clock += 1
        return Event(self._clock, "online", "memory", f"memory{number}", number)

    def _add(self) -> int:
        number = self.blocks
        self.blocks += 1
        self._put(f"{_SYSFS}/memory/memory{number}/state", b"online\n")
        node = min(number // self._per_node, NODES - 1)
        self._put(f"{_SYSFS}/node/node{node}/memory{number}/state", b"online\n")
        return number

    def _put(self, path: str, content: bytes) -> None:
        self.files[path] = content
        while path != "/":
            folder, _, name = path.rpartition("/")
            names = self.folders.setdefault(folder or "/", set())
            if name in names:
                return
            names.add(name)
            path = folder or "/"

    def _put_small(self) -> None:
        cpus = f"0-{CPUS - 1}\n".encode()
        for name in ("possible", "present", "online"):
            self._put(f"{_SYSFS}/cpu/{name}", cpus)
        for number, start in enumerate(_NOTES):
            self._put(f"{_SYSFS}/cpu/cpu{number}/crash_notes", b"%x\n" % start)
        self._put(f"{_SYSFS}/memory/block_size_bytes", b"%x\n" % BLOCK)
        self._put("/sys/kernel/kexec_crash_loaded", b"1\n")
        self._put("/sys/kernel/crash_elfcorehdr_size", b"462448\n")
        self._put("/sys/kernel/vmcoreinfo", b"0x%x %x\n" % (_VMCOREINFO.start, _VMCOREINFO.size))
        self._put("/proc/cmdline", b"crashkernel=256M\n")

    def _describe(self) -> None:
        end = self.blocks * BLOCK
        self._put(
            "/proc/iomem",
            b"00001000-%08x : System RAM\n  %08x-%08x : Crash kernel\n"
            % (end - 1, _REGION.start, _REGION.end - 1),
        )
        memory = Runs(array("Q", (1 << 20, _REGION.end)), array("Q", (_REGION.start, end)))
        described = Described(62, _NOTES, 368, _VMCOREINFO, _TEXT, memory, _DIRECT_MAP)
        self._header = elfcorehdr.build(described)

    @property
    def memory(self) -> PhysicalMemory:
        """The crash kernel's region, as far as there is something in it."""
        return _Region(self._header)

    def facts(self) -> HostFacts:
        return HostFacts("large", "7.3.4", "x86_64", 4096)

    def read(self, path: str, limit: int = SMALL_FILE) -> bytes:
        if path not in self.files:
            raise SourceError.from_errno(path, errno.ENOENT)
        return self.files[path]

    def list(self, path: str) -> tuple[str, ...]:
        if path not in self.folders:
            raise SourceError.from_errno(path, errno.ENOENT)
        return tuple(sorted(self.folders[path]))

    def link(self, path: str) -> str:
        raise SourceError.from_errno(path, errno.ENOENT)

    def exists(self, path: str) -> Maybe[bool]:
        return path in self.files or path in self.folders

    def processes(self) -> Maybe[tuple[Process, ...]]:
        return ()

    def memory_total(self) -> Maybe[int]:
        return self.blocks * BLOCK

    def page_flags(self, address: int) -> Maybe[int]:
        return _NONE

    def boot_time(self) -> Maybe[datetime]:
        return _NONE

    def kernel_log(self) -> Maybe[str]:
        return ""

    def events(self) -> EventStream:
        raise NotImplementedError("events are handed out by `online`")

    def clock(self) -> float:
        return self._clock


class _Region:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, address: int, size: int) -> bytes:
        at = address - _REGION.start
        if at < 0 or at + size > len(self._content):
            raise MissingMemory(address, "nothing is there")
        return self._content[at : at + size]
