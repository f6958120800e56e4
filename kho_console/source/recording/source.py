"""The source over one moment of a recording."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory
from kho_console.abi.recording import bodies
from kho_console.abi.recording.bodies import Happened, Mark
from kho_console.abi.recording.framing import Kind
from kho_console.model.event import Event, EventsLost
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.fixture.events import RecordedEvents
from kho_console.source.fixture.manifest import PAGE_SIZES
from kho_console.source.protocol import (
    LARGEST_MEMORY_READ,
    SMALL_FILE,
    HostFacts,
    Process,
    SourceKind,
)
from kho_console.source.recording import answers
from kho_console.source.recording.answers import Unanswered
from kho_console.source.recording.error import RecordingError
from kho_console.source.recording.file import RecordingFile
from kho_console.source.recording.timeline import At, Known, Marked, Timeline
from kho_console.source.recording.tree import RecordedTree

T = TypeVar("T")

_EPOCH = datetime.fromtimestamp(0, UTC)


class Recording:
    """A recording: a machine at many moments."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            RecordingError: It is no recording, or holds no moment.
        """
        self.path = path
        self.timeline = Timeline(RecordingFile(path))
        if not len(self.timeline):
            raise RecordingError(path, "there is no whole moment in this recording")

    def __len__(self) -> int:
        """How many moments it has."""
        return len(self.timeline)

    def moments(self, first: int = 0) -> Iterator[At]:
        """All moments from one on."""
        return self.timeline.moments(first)

    def marks(self, kind: Happened, first: int = 0) -> Iterator[Marked]:
        """All that happened of a kind from one on."""
        return self.timeline.marks(kind, first)

    def at(self, number: int) -> "RecordedSource":
        """The machine at a moment, counted from 0.

        Raises:
            RecordingError: There is no such moment, or it is damaged.
        """
        return RecordedSource(self, self.timeline.known(number))


class RecordedSource:
    """A machine at one moment of a recording."""

    kind = SourceKind.RECORDING

    def __init__(self, recording: Recording, known: Known) -> None:
        """Answer what `known` holds.

        Raises:
            RecordingError: It does not tell whose moment it is.
        """
        self.recording = recording
        self._known = known
        self._facts = _facts(recording.path, recording.timeline.file, known)
        self._tree = RecordedTree(known)
        self.memory = RecordedMemory(known, self._facts.page_size)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.recording.path.name

    @property
    def at(self) -> At:
        """The moment."""
        return self._known.at

    @property
    def known(self) -> Known:
        """All that was known at the moment."""
        return self._known

    def facts(self) -> HostFacts:
        """See `Source.facts`; it was captured at the moment."""
        return self._facts

    def read(self, path: str, limit: int = SMALL_FILE) -> bytes:
        """See `Source.read`."""
        return self._tree.read(path, limit)

    def list(self, path: str) -> tuple[str, ...]:
        """See `Source.list`."""
        return self._tree.list(path)

    def link(self, path: str) -> str:
        """See `Source.link`."""
        return self._tree.link(path)

    def exists(self, path: str) -> Maybe[bool]:
        """See `Source.exists`."""
        return self._tree.exists(path)

    def processes(self) -> Maybe[tuple[Process, ...]]:
        """See `Source.processes`."""
        return self._told(answers.PROCESSES, "processes are", answers.read_processes)

    def memory_total(self) -> Maybe[int]:
        """See `Source.memory_total`."""
        return self._told(answers.MEMORY_TOTAL, "MemTotal is", answers.read_number)

    def page_flags(self, address: int) -> Maybe[int]:
        """See `Source.page_flags`."""
        page = address // self._facts.page_size * self._facts.page_size
        if not 0 <= page < 1 << 64:
            return Unknown(Cause.ABSENT, f"there is no page at 0x{address:x}")
        key = answers.address_key(answers.PAGE_FLAGS, page)
        return self._told(key, f"the flags of the page 0x{page:x} are", answers.read_number)

    def boot_time(self) -> Maybe[datetime]:
        """See `Source.boot_time`."""
        return self._told(answers.BOOT_TIME, "the boot time is", answers.read_time)

    def kernel_log(self) -> Maybe[str]:
        """See `Source.kernel_log`."""
        return self._told(answers.KERNEL_LOG, "the kernel log is", answers.read_text)

    def events(self) -> RecordedEvents:
        """A stream that gives all events up to the moment at once."""
        found = self.recording.timeline.marks_before(self._known, Happened.EVENT)
        return RecordedEvents([_event(mark) for mark in found])

    def clock(self) -> float:
        """See `Source.clock`."""
        return self.at.monotonic

    def _told(self, key: bytes, what: str, read: Callable[[bytes], T]) -> Maybe[T]:
        try:
            value = self._known.get(key)
        except FormatError as failure:
            return Unknown(Cause.INVALID, f"the recording is damaged: {failure}")
        return answers.told(value, read, what)


class RecordedMemory:
    """The pages of physical memory that a recording has at a moment."""

    def __init__(self, known: Known, page_size: int) -> None:
        """Take the pages of what was known."""
        self._known = known
        self._page_size = page_size

    def read(self, address: int, size: int) -> bytes:
        """Exactly `size` bytes; see `PhysicalMemory.read`."""
        if size > LARGEST_MEMORY_READ:
            raise MissingMemory(address, f"{size} bytes at once are too many")
        parts: list[bytes] = []
        at, end = address, address + size
        while at < end:
            offset = at % self._page_size
            part = self._page(at - offset, at)[offset : offset + end - at]
            parts.append(part)
            at += len(part)
        return b"".join(parts)

    def _page(self, page: int, address: int) -> bytes:
        if not 0 <= page < 1 << 64:
            raise MissingMemory(address, "not recorded")
        try:
            value = self._known.get(answers.address_key(answers.PAGE, page))
            if value is None:
                raise MissingMemory(address, "not recorded")
            data = answers.answer(value)
        except Unanswered as failure:
            permission = failure.unknown.cause is Cause.NOT_PERMITTED
            raise MissingMemory(address, failure.unknown.reason, permission=permission) from failure
        except FormatError as failure:
            raise MissingMemory(address, f"the recording is damaged: {failure}") from failure
        if len(data) != self._page_size:
            raise MissingMemory(address, "the recording has no whole page of it")
        return data


def event_content(event: Event | EventsLost) -> object:
    """What a mark says of an event."""
    if isinstance(event, EventsLost):
        return {"lost": event.reason}
    return {
        "action": event.action,
        "subsystem": event.subsystem,
        "device": event.device,
        "sequence": event.sequence,
        "follows": event.follows,
    }


def _event(mark: Mark) -> Event | EventsLost:
    found = mark.content
    if isinstance(found, dict):
        if isinstance(found.get("lost"), str):
            return EventsLost(mark.monotonic, found["lost"])
        words = [found.get(name) for name in ("action", "subsystem", "device")]
        numbers = [found.get(name) for name in ("sequence", "follows")]
        if all(isinstance(word, str) and word for word in words) and all(
            number is None or type(number) is int for number in numbers
        ):
            action, subsystem, device = map(str, words)
            return Event(mark.monotonic, action, subsystem, device, *numbers)
    return EventsLost(mark.monotonic, "an event of the recording is damaged")


def _facts(path: Path, file: RecordingFile, known: Known) -> HostFacts:
    try:
        found = bodies.read_run(file.frame(known.run, Kind.RUN))
    except FormatError as failure:
        raise RecordingError(
            path, f"damaged at 0x{failure.offset:x}: {failure.reason}"
        ) from failure
    words = [found.get(name) for name in ("host", "release", "machine", "description")]
    page_size = found.get("page_size")
    if type(page_size) is not int or page_size not in PAGE_SIZES:
        raise RecordingError(path, f"pages of {page_size!r:.40} bytes are of no known machine")
    if not all(isinstance(word, str) for word in words):
        raise RecordingError(path, "it does not tell whose machine it is of")
    host, release, machine, description = map(str, words)
    captured = _EPOCH + timedelta(microseconds=known.at.wall)
    return HostFacts(host, release, machine, page_size, captured, description)
