"""A source that asks another one: what stands before a source adds to some of its answers."""

from datetime import datetime

from kho_console.abi.memory import PhysicalMemory
from kho_console.model.unknown import Maybe
from kho_console.source.protocol import (
    SMALL_FILE,
    EventStream,
    HostFacts,
    Process,
    Source,
    SourceKind,
)


class ForwardingSource:
    """Answers as another source does."""

    def __init__(self, source: Source) -> None:
        """Ask `source`."""
        self._source = source

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
        return self._source.read(path, limit)

    def list(self, path: str) -> tuple[str, ...]:
        """See `Source.list`."""
        return self._source.list(path)

    def link(self, path: str) -> str:
        """See `Source.link`."""
        return self._source.link(path)

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
