from collections.abc import Mapping
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


class Overlay:
    """A source over another one, with some of its files and all of its memory replaced."""

    def __init__(self, below: Source, files: Mapping[str, bytes], memory: PhysicalMemory) -> None:
        self._below = below
        self._files = files
        self._memory = memory

    @property
    def kind(self) -> SourceKind:
        return self._below.kind

    @property
    def name(self) -> str:
        return self._below.name

    @property
    def memory(self) -> PhysicalMemory:
        return self._memory

    def facts(self) -> HostFacts:
        return self._below.facts()

    def read(self, path: str, limit: int = SMALL_FILE) -> bytes:
        content = self._files.get(path)
        return self._below.read(path, limit) if content is None else content

    def list(self, path: str) -> tuple[str, ...]:
        return self._below.list(path)

    def link(self, path: str) -> str:
        return self._below.link(path)

    def exists(self, path: str) -> Maybe[bool]:
        return self._below.exists(path)

    def processes(self) -> Maybe[tuple[Process, ...]]:
        return self._below.processes()

    def memory_total(self) -> Maybe[int]:
        return self._below.memory_total()

    def page_flags(self, address: int) -> Maybe[int]:
        return self._below.page_flags(address)

    def boot_time(self) -> Maybe[datetime]:
        return self._below.boot_time()

    def kernel_log(self) -> Maybe[str]:
        return self._below.kernel_log()

    def events(self) -> EventStream:
        return self._below.events()

    def clock(self) -> float:
        return self._below.clock()
