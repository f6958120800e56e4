"""The source over a twin: it reads like any machine, and can be changed."""

import dataclasses
import os
import re
from contextlib import suppress
from datetime import datetime

from kho_console.abi.memory import PhysicalMemory
from kho_console.model.change import Change, Execute, Load, Unload, Write
from kho_console.model.event import Event, EventsLost
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import (
    SMALL_FILE,
    EventStream,
    HostFacts,
    Process,
    SourceError,
    SourceKind,
)
from kho_console.twin.machine import Twin

_NUMBER = re.compile("[0-9]{1,10}")
_MEM_TOTAL = re.compile(rb"^MemTotal:[ \t]+([0-9]{1,15}) kB$", re.MULTILINE)
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
            raise SourceError.from_errno(_object_of(change), error.errno or 0) from error

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
        try:
            names = self.list("/proc")
        except SourceError as error:
            return _not_recorded(error)
        pids = sorted(int(name) for name in names if _NUMBER.fullmatch(name))
        return tuple(Process(pid, self._command(pid), self._descriptors(pid)) for pid in pids)

    def memory_total(self) -> Maybe[int]:
        """See `Source.memory_total`."""
        if not self.twin.boots:
            return self._dead() or self.twin.base.memory_total()
        try:
            found = _MEM_TOTAL.search(self.read("/proc/meminfo"))
        except SourceError as error:
            return _not_recorded(error)
        if found is None:
            return Unknown(Cause.INVALID, "/proc/meminfo has no MemTotal")
        return int(found[1]) * 1024

    def page_flags(self, address: int) -> Maybe[int]:
        """See `Source.page_flags`; those of a kernel of the twin's own are not simulated."""
        if self.twin.boots:
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
        lines = self.twin.kernel.log
        if lines is None:
            return self.twin.base.kernel_log()
        return "".join(f"[    0.000000] {line}\n" for line in lines)

    def events(self) -> EventStream:
        """See `Source.events`: what was recorded, then what happens on the twin."""
        return _Events(self.twin)

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

    def _command(self, pid: int) -> bytes:
        command = b""
        with suppress(SourceError):
            command = self.read(f"/proc/{pid}/cmdline").rstrip(b"\0").replace(b"\0", b" ")
        with suppress(SourceError):
            command = command or self.read(f"/proc/{pid}/comm").removesuffix(b"\n")
        return command

    def _descriptors(self, pid: int) -> Maybe[dict[int, bytes]]:
        folder = f"/proc/{pid}/fd"
        try:
            names = self.list(folder)
        except SourceError as error:
            return {} if error.unknown.cause is Cause.ABSENT else error.unknown
        targets: dict[int, bytes] = {}
        for name in names:
            if _NUMBER.fullmatch(name):
                with suppress(SourceError):
                    targets[int(name)] = os.fsencode(self.link(f"{folder}/{name}"))
        return dict(sorted(targets.items()))


class _Events:
    """The recorded events, and those of the twin since."""

    def __init__(self, twin: Twin) -> None:
        self._recorded = twin.base.events()
        self._twin = twin
        self._seen = 0

    def poll(self, timeout: float) -> list[Event | EventsLost]:
        """See `EventStream.poll`."""
        happened = self._twin.events[self._seen :]
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


def _not_recorded(error: SourceError) -> Unknown:
    if error.unknown.cause is Cause.ABSENT:
        return Unknown(Cause.NOT_RECORDED, f"{error.path} is not recorded")
    return error.unknown
