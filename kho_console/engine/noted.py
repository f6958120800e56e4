"""A source that notes in the log what it could not read."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from kho_console.abi.memory import PhysicalMemory
from kho_console.model.unknown import Cause, Maybe
from kho_console.source.protocol import (
    SMALL_FILE,
    EventStream,
    HostFacts,
    Process,
    Source,
    SourceError,
    SourceKind,
)

T = TypeVar("T")

_log = logging.getLogger(__name__)


class NotedSource:
    """Answers as another source does, and notes each path once that it could not read.

    What is not there is a detail: no kernel has all the files that are looked for.
    """

    def __init__(self, source: Source) -> None:
        """Note what `source` cannot read."""
        self._source = source
        self._noted: set[str] = set()

    @property
    def source(self) -> Source:
        """The source that it asks."""
        return self._source

    @property
    def kind(self) -> SourceKind:
        """See `Source.kind`."""
        return self._source.kind

    @property
    def name(self) -> str:
        """See `Source.name`."""
        return self._source.name

    @property
    def memory(self) -> PhysicalMemory:
        """See `Source.memory`."""
        return self._source.memory

    def facts(self) -> HostFacts:
        """See `Source.facts`."""
        return self._source.facts()

    def read(self, path: str, limit: int = SMALL_FILE) -> bytes:
        """See `Source.read`."""
        return self._noting(path, lambda: self._source.read(path, limit))

    def list(self, path: str) -> tuple[str, ...]:
        """See `Source.list`."""
        return self._noting(path, lambda: self._source.list(path))

    def link(self, path: str) -> str:
        """See `Source.link`."""
        return self._noting(path, lambda: self._source.link(path))

    def exists(self, path: str) -> Maybe[bool]:
        """See `Source.exists`."""
        return self._source.exists(path)

    def processes(self) -> Maybe[tuple[Process, ...]]:
        """See `Source.processes`."""
        return self._source.processes()

    def memory_total(self) -> Maybe[int]:
        """See `Source.memory_total`."""
        return self._source.memory_total()

    def page_flags(self, address: int) -> Maybe[int]:
        """See `Source.page_flags`."""
        return self._source.page_flags(address)

    def boot_time(self) -> Maybe[datetime]:
        """See `Source.boot_time`."""
        return self._source.boot_time()

    def kernel_log(self) -> Maybe[str]:
        """See `Source.kernel_log`."""
        return self._source.kernel_log()

    def events(self) -> EventStream:
        """See `Source.events`."""
        return self._source.events()

    def clock(self) -> float:
        """See `Source.clock`."""
        return self._source.clock()

    def _noting(self, path: str, answer: Callable[[], T]) -> T:
        try:
            return answer()
        except SourceError as error:
            if path not in self._noted:
                self._noted.add(path)
                absent = error.unknown.cause is Cause.ABSENT
                _log.log(logging.DEBUG if absent else logging.WARNING, error.unknown.reason)
            raise
