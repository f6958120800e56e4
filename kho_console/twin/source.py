"""The source over a twin: it reads like any machine, and can be changed."""

import dataclasses
from datetime import datetime

from kho_console.abi.memory import PhysicalMemory
from kho_console.model.change import Change, Execute, Load, Unload, Write
from kho_console.model.event import Event, EventsLost
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source import procfs
from kho_console.source.protocol import (
    SMALL_FILE,
    EventStream,
    HostFacts,
    Process,
    SourceError,
    SourceKind,
)
from kho_console.twin.faults import ASKED_FOR
from kho_console.twin.machine import Twin

_JUST_BOOTED = 5.0
"""Seconds that a twin's kernel has been up when somebody looks at it."""


class TwinSource:
    """A twin as a machine to look at."""

    kind = SourceKind.TWIN

    def __init__(self, twin: Twin) -> None:
        """Look at `twin`."""
        self.twin = twin

    @property
    def name(self) -> str:
        """The name of what the twin started from."""
        return self.twin.base.name

    @property
    def memory(self) -> PhysicalMemory:
        """Simulated physical memory."""
        return self.twin.hardware.memory

    @property
    def kernel_start(self) -> str:
        """See `WritableSource.kernel_start`."""
        return self.twin.kernel.boot_id

    def change(self, change: Change) -> None:
        """See `WritableSource.change`."""
        try:
            self.twin.change(change)
        except SourceError:
            raise
        except OSError as error:
            what, number = _object_of(change), error.errno or 0
            if error.strerror == ASKED_FOR:
                raise SourceError(what, Unknown(Cause.UNREADABLE, ASKED_FOR), number) from error
            raise SourceError.from_errno(what, number) from error

    def facts(self) -> HostFacts:
        """See `Source.facts`."""
        facts = self.twin.base.facts()
        return dataclasses.replace(facts, release=self.twin.kernel.release)

    def read(self, path: str, limit: int = SMALL_FILE) -> bytes:
        """See `Source.read`."""
        self._check_alive(path)
        return self.twin.hardware.files.read(path, limit)

    def list(self, path: str) -> tuple[str, ...]:
        """See `Source.list`."""
        self._check_alive(path)
        return self.twin.hardware.files.list(path)

    def link(self, path: str) -> str:
        """See `Source.link`."""
        self._check_alive(path)
        return self.twin.hardware.files.link(path)

    def exists(self, path: str) -> Maybe[bool]:
        """See `Source.exists`."""
        return self._dead() or self.twin.hardware.files.exists(path)

    def processes(self) -> Maybe[tuple[Process, ...]]:
        """See `Source.processes`."""
        return procfs.processes(self)

    def memory_total(self) -> Maybe[int]:
        """See `Source.memory_total`."""
        if not self.twin.boots:
            return self._dead() or self.twin.base.memory_total()
        return procfs.memory_total(self)

    def page_flags(self, address: int) -> Maybe[int]:
        """See `Source.page_flags`; a twin's own kernel tells those of what came in, at most."""
        if self.twin.boots:
            inline = self.twin.kernel.inline
            if inline is not None and inline.arrival is not None:
                return inline.arrival.page_flags(address, inline.allocator)
            return Unknown(Cause.NOT_RECORDED, "a twin keeps no page flags")
        return self.twin.base.page_flags(address)

    def boot_time(self) -> Maybe[datetime]:
        """See `Source.boot_time`."""
        captured = self.twin.base.facts().captured_at
        if not self.twin.boots or captured is None:
            return self.twin.base.boot_time()
        return captured

    def kernel_log(self) -> Maybe[str]:
        """The recorded log up to the first kexec, then the twin's."""
        kernel = self.twin.kernel
        said = "".join(f"[{self.clock():12.6f}] {line}\n" for line in kernel.said)
        if kernel.log is not None:
            return "".join(f"[    0.000000] {line}\n" for line in kernel.log) + said
        recorded = self.twin.base.kernel_log()
        if isinstance(recorded, Unknown) or not said:
            return recorded
        return recorded.rstrip("\n") + "\n" + said

    def events(self) -> EventStream:
        """See `Source.events`: what was recorded, then what happens on the twin."""
        return _Events(self)

    def clock(self) -> float:
        """See `Source.clock`."""
        return self.twin.base.clock() if not self.twin.boots else _JUST_BOOTED

    def _dead(self) -> Unknown | None:
        if self.twin.dead is None:
            return None
        return Unknown(Cause.UNREADABLE, f"the new kernel panicked: {self.twin.dead}")

    def _check_alive(self, path: str) -> None:
        why = self._dead()
        if why is not None:
            raise SourceError(path, why)


class _Events:
    """The recorded events, and those of the twin since."""

    def __init__(self, source: TwinSource) -> None:
        self._recorded = source.twin.base.events()
        self._source = source
        self._seen = 0

    def poll(self, timeout: float) -> list[Event | EventsLost]:
        """See `EventStream.poll`."""
        happened = self._source.twin.events[self._seen :]
        self._seen += len(happened)
        return [*self._recorded.poll(0 if happened else timeout), *happened]

    def close(self) -> None:
        """Stop listening."""
        self._recorded.close()


def _object_of(change: Change) -> str:
    """What an error is about: a path, or the call."""
    if isinstance(change, Write):
        return change.path
    if isinstance(change, Load):
        return change.image.kernel
    if isinstance(change, Unload):
        return "kexec_file_load"
    assert isinstance(change, Execute)
    return change.how.value
