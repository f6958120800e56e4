"""Writes answers of a machine as a fixture folder, format 1."""

import errno
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from kho_console.abi.error import FormatError
from kho_console.model.event import Event, EventsLost
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass
from kho_console.source.protocol import HostFacts, Process, SourceError
from kho_console.source.recording import answers
from kho_console.source.recording.answers import FILE, FOLDER, LINK, PAGE, PAGE_FLAGS, STANDS
from kho_console.source.recording.tree import RecordedTree

T = TypeVar("T")

_GONE = (Cause.ABSENT, Cause.NOT_RECORDED)
_OTHER = "other"
"""For the subsystem of an event of which the number alone was kept."""

_DEVICE = b"mode=0o20000 rdev=0:0\n"
"""Which device it is cannot be asked for without opening it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment of a machine, ready to be written.

    Attributes:
        facts: The machine.
        clock: Seconds of its monotonic clock.
        captured: When it was.
        answers: What it answered, in the form of a recording.
        events: The events before it.
    """

    facts: HostFacts
    clock: float
    captured: datetime
    answers: Mapping[bytes, bytes]
    events: tuple[Event | EventsLost, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """How many files below `root/`, and pages of memory, a folder has."""

    files: int
    pages: int


def write(moment: Moment, folder: Path) -> Written:
    """Write a fixture folder, for nobody else to read.

    Raises:
        OSError: It cannot be written, or is there and not empty.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(folder))
    return _Folder(moment, folder).write()


class _Folder:
    """One folder being written."""

    def __init__(self, moment: Moment, folder: Path) -> None:
        self._moment = moment
        self._folder = folder
        self._tree = RecordedTree(moment.answers)
        self._links: dict[str, str] = {}
        self._unreadable: dict[str, int] = {}
        self._files: dict[str, bytes] = {}
        self._folders: dict[str, tuple[str, ...]] = {}

    def write(self) -> Written:
        for key, value in sorted(self._moment.answers.items()):
            if key[:1] in (FILE, FOLDER, LINK, STANDS):
                self._path(key[:1], os.fsdecode(key[1:]), value)
        self._processes()
        self._times()
        self._name_what_was_only_listed()
        for path, content in self._files.items():
            self._put("root" + path, content)
        for path, names in self._folders.items():
            self._make(path, bool(names))
        pages = self._memory()
        self._beside()
        self._manifest()
        return Written(len(self._files), pages)

    def _path(self, letter: bytes, path: str, value: bytes) -> None:
        try:
            where = self._tree.resolved(path, follow_last=letter in (FILE, FOLDER))
            content = answers.answer(value)
        except answers.Unanswered as failure:
            if failure.unknown.cause not in _GONE and letter != LINK:
                self._refused(where, failure)
            return
        except (SourceError, FormatError):
            return
        if letter == FILE:
            self._files[where] = content
        elif letter == FOLDER:
            self._folders[where] = answers.read_names(content)
        elif letter == LINK:
            self._links[where] = os.fsdecode(content)
        elif content == b"1":
            self._standing(where)

    def _refused(self, where: str, failure: answers.Unanswered) -> None:
        if failure.number == errno.EISDIR:
            self._folders.setdefault(where, ())
        elif failure.number not in (errno.ENOENT, errno.ENOTDIR, errno.EINVAL):
            self._unreadable[where] = failure.number or errno.EIO

    def _standing(self, where: str) -> None:
        """What stands somewhere, and was not read: a device, or what looks like a directory."""
        keys = (answers.path_key(letter, where) for letter in (FILE, FOLDER, LINK))
        if where.startswith("/dev/"):
            self._files[f"{where}.stat"] = _DEVICE
        elif not any(key in self._moment.answers for key in keys):
            self._folders.setdefault(where, ())

    def _processes(self) -> None:
        found = self._told(answers.PROCESSES, answers.read_processes)
        for item in () if isinstance(found, Unknown) else found:
            self._process(item)

    def _process(self, process: Process) -> None:
        folder = f"/proc/{process.pid}"
        self._folders.setdefault(folder, ())
        self._files.setdefault(f"{folder}/cmdline", process.command)
        if isinstance(process.descriptors, Unknown):
            denied = process.descriptors.cause is Cause.NOT_PERMITTED
            self._unreadable[f"{folder}/fd"] = errno.EACCES if denied else errno.EIO
            return
        for number, target in process.descriptors.items():
            self._links[f"{folder}/fd/{number}"] = os.fsdecode(target)

    def _times(self) -> None:
        """`/proc/uptime`, which tells clock and boot time, and MemTotal where it was not read."""
        booted = self._told(answers.BOOT_TIME, answers.read_time)
        uptime = self._moment.clock
        if not isinstance(booted, Unknown):
            uptime = max((self._moment.captured - booted).total_seconds(), 0.0)
        self._files.setdefault("/proc/uptime", f"{uptime!r} 0.00\n".encode())
        total = self._told(answers.MEMORY_TOTAL, answers.read_number)
        if not isinstance(total, Unknown):
            self._files.setdefault("/proc/meminfo", b"MemTotal: %d kB\n" % (total >> 10))

    def _name_what_was_only_listed(self) -> None:
        """A name in a list is kept, though what it stands for was not asked for."""
        held: set[str] = set()
        for path in (*self._files, *self._folders, *self._links, *self._unreadable):
            while path and path not in held:
                held.add(path)
                path = path.rpartition("/")[0]
        for folder, names in self._folders.items():
            for name in names if folder != "/dev" else ():
                path = f"{folder.rstrip('/')}/{name}"
                if path not in held:
                    self._unreadable[path] = errno.EIO

    def _make(self, path: str, has_names: bool) -> None:
        place = self._below(f"root{path}")
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not has_names and not any(place.iterdir()):
            self._put(f"root{path}/.empty", b"")

    def _memory(self) -> int:
        """Pages of memory, adjacent ones joined; how many there are."""
        found = sorted(
            (int.from_bytes(key[1:], "big"), value[1:])
            for key, value in self._moment.answers.items()
            if key.startswith(PAGE) and len(value) == self._moment.facts.page_size + 1
        )
        parts: list[bytes] = []
        start, end = 0, -1
        for address, data in found:
            if address != end and parts:
                self._put(f"physmem/0x{start:x}.bin", b"".join(parts))
                parts = []
            if not parts:
                start = address
            parts.append(data)
            end = address + len(data)
        if parts:
            self._put(f"physmem/0x{start:x}.bin", b"".join(parts))
        return len(found)

    def _beside(self) -> None:
        log = self._told(answers.KERNEL_LOG, answers.read_text)
        if not isinstance(log, Unknown):
            self._put("kmsg.txt", log.encode("utf-8", "surrogateescape"))
        lines = [line for item in self._moment.events for line in _event(item)]
        if lines:
            self._put("events.jsonl", b"".join(lines))

    def _manifest(self) -> None:
        facts = self._moment.facts
        keys = {
            "format": 1,
            "release": facts.release,
            "machine": facts.machine,
            "page_size": facts.page_size,
            "captured_at": self._moment.captured.astimezone(UTC).isoformat(),
            "hostname": facts.hostname,
            "description": facts.description,
            "links": self._links,
            "page_flags": dict(self._page_flags()),
            "unreadable": [
                {"path": path, "errno": number}
                for path, number in sorted(self._unreadable.items())
                if path not in self._files and path != "/"
            ],
        }
        self._put("manifest.json", json.dumps(keys, indent=1).encode() + b"\n")

    def _page_flags(self) -> Iterable[tuple[str, str]]:
        for key in self._moment.answers:
            if key.startswith(PAGE_FLAGS):
                flags = self._told(key, answers.read_number)
                if not isinstance(flags, Unknown):
                    yield hex(int.from_bytes(key[1:], "big")), hex(flags)

    def _told(self, key: bytes, read: Callable[[bytes], T]) -> Maybe[T]:
        return answers.told(self._moment.answers.get(key), read, "it is")

    def _put(self, name: str, content: bytes) -> None:
        place = self._below(name)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(place, flags, 0o600), "wb") as file:
            file.write(content)

    def _below(self, name: str) -> Path:
        return Path(os.fsdecode(os.fsencode(f"{self._folder}/{name}")))


def _event(event: Event | EventsLost) -> Iterator[bytes]:
    """Its line of `events.jsonl`, behind one for the event of another subsystem that it followed.

    A loss stands there as a line that says so and is no event.
    """
    if isinstance(event, EventsLost):
        yield _line(event.monotonic, lost=event.reason)
        return
    if event.follows is not None:
        other = {"SUBSYSTEM": _OTHER, "SEQNUM": str(event.follows)}
        yield _line(event.monotonic, env=other)
    variables = {
        "ACTION": event.action,
        "SUBSYSTEM": event.subsystem,
        "DEVPATH": f"/devices/system/{event.subsystem}/{event.device}",
        "SEQNUM": None if event.sequence is None else str(event.sequence),
    }
    yield _line(event.monotonic, env=variables)


def _line(monotonic: float, **told: object) -> bytes:
    return json.dumps({"monotonic": monotonic, "kind": "uevent", **told}).encode() + b"\n"
