"""User space of a twin: processes that hold the live-update device and sessions."""

import errno
from collections.abc import Mapping
from contextlib import suppress

from kho_console.twin.files import Folder, Link
from kho_console.twin.history import Call, Deed, Malformed
from kho_console.twin.kernel import DEVICE, Kernel
from kho_console.twin.luo import Outgoing
from kho_console.twin.luo_incoming import Incoming
from kho_console.twin.memfd import MemoryFile
from kho_console.twin.refused import Refused

_SESSION = "anon_inode:[luo_session] "
_FIRST_DESCRIPTOR = 3

_CALLS: Mapping[str, tuple[type, ...]] = {
    "process": (int, bytes),
    "open_device": (int,),
    "close_device": (),
    "create_session": (int, bytes),
    "memory_file": (int,),
    "preserve": (bytes, int, int),
    "close_session": (bytes,),
    "retrieve_session": (int, bytes),
    "retrieve_file": (bytes, int),
    "finish": (bytes,),
    "close_incoming": (bytes,),
}
"""Calls that can be made again, with the types of their arguments."""


class UserSpace:
    """The calls that a live-update agent makes.

    Attributes:
        device_holder: Who holds /dev/liveupdate, None for nobody.
        held: Holder and descriptor of each session, by its name and whether it came in.
        files: Its memory files.
    """

    def __init__(self, kernel: Kernel, history: list[Deed]) -> None:
        """Nobody holds anything; calls are remembered in `history`."""
        self._kernel = kernel
        self._history = history
        self.files: list[MemoryFile] = []
        self.device_holder: tuple[int, int] | None = None
        self.held: dict[tuple[bytes, bool], tuple[int, int]] = {}

    def process(self, pid: int, command: bytes) -> None:
        """Start a process."""
        self._note("process", pid, command)
        files = self._kernel.hardware.files
        files.put(f"/proc/{pid}/cmdline", command.replace(b" ", b"\0") + b"\0")
        files.put(f"/proc/{pid}/comm", command.partition(b" ")[0][:15] + b"\n")

    def open_device(self, pid: int) -> None:
        """Open /dev/liveupdate; the first time in a boot takes what came in over.

        Raises:
            Refused: ENOENT, EBUSY where somebody has it, EIO.
        """
        self._note("open_device", pid)
        if self._kernel.outgoing is None:
            raise Refused(errno.ENOENT, "live update is off")
        if self.device_holder is not None:
            raise Refused(errno.EBUSY, "somebody has the device")
        if self._kernel.incoming is not None:
            self._kernel.incoming.read()
        self.device_holder = (pid, self._descriptor(pid, DEVICE))

    def close_device(self) -> None:
        """Close it; sessions live on."""
        self._note("close_device")
        if self.device_holder is not None:
            self._gone(*self.device_holder)
            self.device_holder = None

    def create_session(self, pid: int, name: bytes) -> None:
        """CREATE_SESSION by a process; see `Outgoing.create_session`."""
        self._note("create_session", pid, name)
        outgoing = self._outgoing()
        outgoing.create_session(name)
        kept = next(reversed(outgoing.sessions))
        self.held[kept, False] = (pid, self._descriptor(pid, _SESSION, kept))

    def preserve(self, name: bytes, token: int, file: MemoryFile) -> None:
        """PRESERVE_FD; see `Outgoing.preserve`."""
        if file not in self.files:
            self._note("memory_file", file.size)
            self.files.append(file)
        self._note("preserve", name, token, self.files.index(file))
        self._outgoing().preserve(name, token, file)

    def close_session(self, name: bytes) -> None:
        """Close the only descriptor of an outgoing session."""
        self._note("close_session", name)
        self._outgoing().close(name)
        self._gone(*self.held.pop((name, False)))

    def retrieve_session(self, pid: int, name: bytes) -> None:
        """RETRIEVE_SESSION by a process; see `Incoming.retrieve_session`."""
        self._note("retrieve_session", pid, name)
        self._incoming().retrieve_session(name)
        self.held[name, True] = (pid, self._descriptor(pid, _SESSION, name))

    def retrieve_file(self, name: bytes, token: int) -> MemoryFile:
        """RETRIEVE_FD; see `Incoming.retrieve_file`."""
        self._note("retrieve_file", name, token)
        file = self._incoming().retrieve_file(name, token)
        self.files.append(file)
        return file

    def finish(self, name: bytes) -> None:
        """FINISH; see `Incoming.finish`."""
        self._note("finish", name)
        self._incoming().finish(name)

    def close_incoming(self, name: bytes) -> None:
        """Close the only descriptor of an incoming session."""
        self._note("close_incoming", name)
        self._incoming().close(name)
        self._gone(*self.held.pop((name, True)))

    def memory_file(self, size: int) -> MemoryFile:
        """Make a memory file of `size` bytes."""
        self._note("memory_file", size)
        self.files.append(MemoryFile(size))
        return self.files[-1]

    def call(self, deed: Call) -> None:
        """Make a call again; the kernel's answer is the same as then.

        Raises:
            Malformed: There is no such call.
        """
        if deed.name not in _CALLS:
            raise Malformed(f"no call {deed.name!r}")
        given: list[object] = list(deed.arguments)
        kinds = _CALLS[deed.name]
        if len(given) != len(kinds) or not all(map(isinstance, given, kinds)):
            raise Malformed(f"arguments of {deed.name}")
        if deed.name == "preserve":
            index = given[2]
            if not isinstance(index, int) or not 0 <= index < len(self.files):
                raise Malformed("no such memory file")
            given[2] = self.files[index]
        with suppress(OSError):
            getattr(self, deed.name)(*given)

    def wrong_direction(self, name: bytes) -> None:
        """FINISH or RETRIEVE_FD on an outgoing session.

        Raises:
            Refused: EINVAL on releases that look at the direction. 6.19 runs code there that is
                meant for the next kernel, which a twin does not go along with.
        """
        if name not in self._outgoing().sessions:
            raise Refused(errno.ENOENT, "no such outgoing session")
        raise Refused(errno.EINVAL, "the session goes out")

    def stop(self) -> None:
        """Every process is stopped: outgoing sessions are dropped, incoming ones finished."""
        noted = len(self._history)
        for name, incoming in list(self.held):
            if incoming:
                self.close_incoming(name)
            else:
                self.close_session(name)
        self.close_device()
        # Whoever stops the processes is remembered, and that is enough.
        del self._history[noted:]

    def _note(self, name: str, *arguments: int | bytes) -> None:
        self._history.append(Call(name, arguments))

    def _outgoing(self) -> Outgoing:
        if self._kernel.outgoing is None:
            raise Refused(errno.ENOENT, "live update is off")
        return self._kernel.outgoing

    def _incoming(self) -> Incoming:
        if self._kernel.incoming is None:
            raise Refused(errno.ENOENT, "nothing came in")
        return self._kernel.incoming

    def _descriptor(self, pid: int, target: str, name: bytes = b"") -> int:
        files = self._kernel.hardware.files
        number = _FIRST_DESCRIPTOR
        while files.stands(f"/proc/{pid}/fd/{number}"):
            number += 1
        text = target + name.decode("utf-8", "surrogateescape")
        files.put(f"/proc/{pid}/fd", Folder())
        files.put(f"/proc/{pid}/fd/{number}", Link(text))
        return number

    def _gone(self, pid: int, descriptor: int) -> None:
        self._kernel.hardware.files.remove(f"/proc/{pid}/fd/{descriptor}")
