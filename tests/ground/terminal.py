"""A program on a pseudo-terminal, its output read as a person would see it arrive."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

ESCAPE = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, modes
    rb"|\x1b[\]P][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC and DCS strings
    rb"|\x1b[ -/]*[0-~]"
)


class Terminal:
    """Runs a program on a terminal of its own, 80 columns by 24 rows.

    Attributes:
        output: Every byte it wrote so far.
    """

    def __init__(
        self, command: Sequence[str | Path], cwd: Path, environment: Mapping[str, str]
    ) -> None:
        self.output = b""
        self._side, program_side = pty.openpty()
        fcntl.ioctl(program_side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._program = subprocess.Popen(
            command,
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
        os.close(self._side)

    @property
    def text(self) -> str:
        """The output without escape sequences."""
        return ESCAPE.sub(b" ", self.output).decode(errors="replace")

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

    def leave(self, seconds: float) -> int | None:
        """Read to the end and answer the exit code; None when it is late."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass
        try:
            return self._program.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return None

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
