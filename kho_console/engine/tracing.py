"""A source that notes every answer it gives, for a recording or a capture.

So what is recorded is what was looked at: no list says it a second time.
"""

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from kho_console.abi.memory import MissingMemory, PhysicalMemory
from kho_console.engine.crash.header import Reopened
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.forwarding import ForwardingSource
from kho_console.source.protocol import (
    LARGEST_MEMORY_READ,
    SMALL_FILE,
    Process,
    Source,
    SourceError,
)
from kho_console.source.recording import answers

T = TypeVar("T")

_LETTERS = (answers.FILE, answers.FOLDER, answers.LINK)

MOST_PAGES = 1 << 15
"""Pages that one look notes; the rest of them stay unrecorded."""


class TracingSource(ForwardingSource):
    """Answers as another source does, and notes it in the form of a recording.

    Events are no answers, and not noted.
    """

    def __init__(self, source: Source) -> None:
        """Note what `source` answers."""
        super().__init__(source)
        self._answers: dict[bytes, bytes] = {}
        self._memory = _TracingMemory(source, self._answers)

    @property
    def memory(self) -> "_TracingMemory":
        """Its memory, noted page by page."""
        return self._memory

    def taken(self) -> Mapping[bytes, bytes]:
        """What was answered since the last call, the latest answer of each question."""
        found = dict(self._answers)
        self._answers.clear()
        return found

    def take_over(self, found: Mapping[bytes, bytes]) -> None:
        """Note answers that were given to somebody else before."""
        self._answers.update(found)

    def answered(self, key: bytes) -> bool:
        """Whether a question was asked since the last `taken`."""
        return key in self._answers

    def folders(self) -> tuple[str, ...]:
        """The directories that were listed since the last `taken`."""
        letter = answers.FOLDER
        return tuple(os.fsdecode(key[1:]) for key in self._answers if key.startswith(letter))

    def paths(self) -> set[str]:
        """The paths that were read, listed or followed since the last `taken`, and all above."""
        found: set[str] = set()
        for key in self._answers:
            path = os.fsdecode(key[1:]) if key[:1] in _LETTERS else ""
            while path and path not in found:
                found.add(path)
                path = path.rpartition("/")[0]
        return found

    def read(self, path: str, limit: int = SMALL_FILE) -> bytes:
        """See `Source.read`."""
        return self._noting(
            answers.FILE, path, lambda: self._source.read(path, limit), answers.known
        )

    def list(self, path: str) -> tuple[str, ...]:
        """See `Source.list`."""
        return self._noting(answers.FOLDER, path, lambda: self._source.list(path), answers.names)

    def link(self, path: str) -> str:
        """See `Source.link`."""
        return self._noting(answers.LINK, path, lambda: self._source.link(path), answers.target)

    def exists(self, path: str) -> Maybe[bool]:
        """See `Source.exists`."""
        found = self._source.exists(path)
        value = (
            answers.unknown(found) if isinstance(found, Unknown) else answers.known(b"%d" % found)
        )
        self._note(answers.STANDS, path, value)
        return found

    def processes(self) -> Maybe[tuple[Process, ...]]:
        """See `Source.processes`."""
        found = self._source.processes()
        self._answers[answers.PROCESSES] = answers.processes(found)
        return found

    def memory_total(self) -> Maybe[int]:
        """See `Source.memory_total`."""
        found = self._source.memory_total()
        self._answers[answers.MEMORY_TOTAL] = answers.number(found)
        return found

    def page_flags(self, address: int) -> Maybe[int]:
        """See `Source.page_flags`."""
        found = self._source.page_flags(address)
        page = address & -self._source.facts().page_size
        if 0 <= page < 1 << 64:
            key = answers.address_key(answers.PAGE_FLAGS, page)
            self._answers[key] = answers.number(found)
        return found

    def boot_time(self) -> Maybe[datetime]:
        """See `Source.boot_time`."""
        found = self._source.boot_time()
        self._answers[answers.BOOT_TIME] = answers.time(found)
        return found

    def kernel_log(self) -> Maybe[str]:
        """See `Source.kernel_log`."""
        found = self._source.kernel_log()
        self._answers[answers.KERNEL_LOG] = answers.text(found)
        return found

    def _noting(
        self, letter: bytes, path: str, ask: Callable[[], T], write: Callable[[T], bytes]
    ) -> T:
        try:
            found = ask()
        except SourceError as error:
            self._note(letter, path, answers.error(error))
            raise
        self._note(letter, path, write(found))
        return found

    def _note(self, letter: bytes, path: str, value: bytes) -> None:
        try:
            self._answers[answers.path_key(letter, path)] = value
        except UnicodeEncodeError:
            return  # No file system can be asked for it, so the answer is the same everywhere.


class _TracingMemory:
    """Memory that is read and noted in whole pages."""

    def __init__(self, source: Source, noted: dict[bytes, bytes]) -> None:
        self._source = source
        self._noted = noted
        self._page_size = source.facts().page_size

    @property
    def unkept(self) -> PhysicalMemory:
        """See `Kept.unkept`."""
        return self._source.memory

    def reopen(self) -> None:
        """See `Reopened.reopen`."""
        memory = self._source.memory
        if isinstance(memory, Reopened):
            memory.reopen()

    def read(self, address: int, size: int) -> bytes:
        """See `PhysicalMemory.read`."""
        if not 0 < size <= LARGEST_MEMORY_READ or not 0 <= address < 1 << 64:
            return self.unkept.read(address, size)
        start, end = address & -self._page_size, -(-(address + size) // self._page_size)
        try:
            data = self.unkept.read(start, end * self._page_size - start)
        except MissingMemory:
            return self._in_part(address, size)
        self._note(start, data)
        return data[address - start : address - start + size]

    def _in_part(self, address: int, size: int) -> bytes:
        """The bytes alone, where the pages around them cannot be had whole."""
        try:
            return self.unkept.read(address, size)
        except MissingMemory as error:
            page = error.address & -self._page_size
            start = address & -self._page_size
            if 0 <= page < 1 << 64:
                cause = Cause.NOT_PERMITTED if error.permission else Cause.NOT_RECORDED
                key = answers.address_key(answers.PAGE, page)
                self._noted.setdefault(key, answers.unknown(Unknown(cause, error.reason)))
            if start < page:
                self.read(start, page - start)
            raise

    def _note(self, start: int, data: bytes) -> None:
        for at in range(0, len(data), self._page_size):
            if len(self._noted) >= MOST_PAGES:
                return
            key = answers.address_key(answers.PAGE, start + at)
            self._noted[key] = answers.known(data[at : at + self._page_size])
