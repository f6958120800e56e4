"""Lines of JSON over a unix socket, each wait with a deadline."""

import json
import socket
import time
from pathlib import Path
from typing import Any


class SilentError(Exception):
    """Nothing came before the deadline, or the other end has gone."""


class Channel:
    """One end of such a socket."""

    def __init__(self, path: Path, seconds: float) -> None:
        """Connect as soon as the other end listens.

        Raises:
            SilentError: It does not.
        """
        self._path = path
        self._buffer = b""
        until = time.monotonic() + seconds
        while True:
            self._socket = socket.socket(socket.AF_UNIX)
            try:
                self._socket.connect(str(path))
                return
            except OSError as error:
                self._socket.close()
                if time.monotonic() > until:
                    raise SilentError(f"{path.name}: {error}") from None
                time.sleep(0.05)

    def send(self, message: dict[str, Any]) -> None:
        """Send a line."""
        try:
            self._socket.settimeout(10)
            self._socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise SilentError(f"{self._path.name}: {error}") from None

    def receive(self, seconds: float) -> dict[str, Any]:
        """The next line that is JSON."""
        until = time.monotonic() + seconds
        while True:
            line, found, rest = self._buffer.partition(b"\n")
            if found:
                self._buffer = rest
                try:
                    return dict(json.loads(line))
                except ValueError:
                    continue  # cut in two by the kexec of the other end
            self._fill(until)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _fill(self, until: float) -> None:
        self._socket.settimeout(max(0.01, until - time.monotonic()))
        try:
            more = self._socket.recv(1 << 16)
        except TimeoutError:
            raise SilentError(f"{self._path.name}: no answer in time") from None
        except OSError as error:
            raise SilentError(f"{self._path.name}: {error}") from None
        if not more:
            raise SilentError(f"{self._path.name}: the other end has gone")
        self._buffer += more
