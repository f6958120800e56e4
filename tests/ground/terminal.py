"""A program on a pseudo-terminal, its output read as a person would see it arrive."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

ESCAPE = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, modes
    rb"|\x1b[\]P][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC and DCS strings
    rb"|\x1b[ -/]*[0-~]"
)

_MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
_ON_AT_REST = {b"7", b"25"}
"""Modes that a terminal has on while no program draws on it: wrapping, and the cursor shown."""

_CONTROLLED = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)"
_AS_USUAL = "import signal; [signal.signal(it, signal.SIG_DFL) for it in (1, 2, 3, 15)]"
"""A job in the background, as a test may be, hands ignored signals down."""

_EXECUTE = "os.execv(sys.argv[1], sys.argv[1:])"


class Terminal:
    """Runs a program on a terminal of its own, the one that controls it.

    Attributes:
        output: Every byte it wrote so far.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        cwd: Path,
        environment: Mapping[str, str],
        *,
        columns: int = 80,
        rows: int = 24,
        before: str = "",
    ) -> None:
        """Start it; `before` is a line of Python to run in its process."""
        self.output = b""
        self._side, program_side = pty.openpty()
        self._hung_up = False
        self._set_size(columns, rows)
        self.settings_before = self.settings()
        self._program = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                "-c",
                "\n".join((_CONTROLLED, _AS_USUAL, before, _EXECUTE)),
                *command,
            ],
            cwd=cwd,
            env=dict(environment),
            stdin=program_side,
            stdout=program_side,
            stderr=program_side,
            start_new_session=True,
        )
        os.close(program_side)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._program.kill()
        self._program.wait()
        if not self._hung_up:
            os.close(self._side)

    @property
    def pid(self) -> int:
        """The program's process."""
        return self._program.pid

    @property
    def text(self) -> str:
        """The output without escape sequences."""
        return ESCAPE.sub(b" ", self.output).decode(errors="replace")

    @property
    def modes_left(self) -> set[bytes]:
        """The modes that are not as they are while no program draws."""
        last = {mode: on for modes, on in _MODE.findall(self.output) for mode in modes.split(b";")}
        return {mode for mode, on in last.items() if (on == b"h") != (mode in _ON_AT_REST)}

    def settings(self) -> list[Any]:
        """How the terminal is set: echo, lines, signals."""
        return termios.tcgetattr(self._side)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size as a window does; the program is told."""
        self._set_size(columns, rows)

    def send(self, number: int) -> None:
        """Send a signal."""
        self._program.send_signal(number)

    def stopped(self) -> bool:
        """Wait until the program is stopped; False where it ended instead."""
        _, status = os.waitpid(self._program.pid, os.WUNTRACED)
        return os.WIFSTOPPED(status)

    def hang_up(self) -> None:
        """Take the terminal away."""
        os.close(self._side)
        self._hung_up = True

    def read_for(self, seconds: float) -> bytes:
        """What arrives within a time."""
        before, deadline = len(self.output), time.monotonic() + seconds
        while self._read(deadline):
            pass
        return self.output[before:]

    def wait(self, seconds: float) -> int | None:
        """The exit code, without reading; None when it is late."""
        try:
            return self._program.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self._side, keys)

    def read_until(self, pattern: str, seconds: float) -> bool:
        """Read until `pattern` stands in the text; False when it ends or is late before that."""
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            if not self._read(deadline):
                return False
        return True

    def answer(self, keys: bytes, pause: float, seconds: float) -> bytes:
        """Type, and read until something came and then nothing for `pause` seconds."""
        before, deadline = len(self.output), time.monotonic() + seconds
        self.press(keys)
        while len(self.output) == before:
            if not self._read(deadline):
                return b""
        self.read_until_quiet(pause, deadline - time.monotonic())
        return self.output[before:]

    def read_until_quiet(self, pause: float, seconds: float) -> bool:
        """Read until nothing came for `pause` seconds; False when that is late."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.read_for(pause):
                return True
        return False

    def leave(self, seconds: float) -> int | None:
        """Read to the end and answer the exit code; None when it is late."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass
        return self.wait(max(0.0, deadline - time.monotonic()))

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._side], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._side, 65536)
        except OSError:  # Linux answers EIO once the program's side is closed.
            return False
        self.output += data
        return bool(data)
