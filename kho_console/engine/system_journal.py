"""A copy for the journal of the system, where there is one (systemd-journald's native protocol)."""

import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

SOCKET = Path("/run/systemd/journal/socket")
_NOTICE = "5"


def tell(message: str, fields: Mapping[str, str], place: Path = SOCKET) -> None:
    """Send one entry; where nobody listens, it is left out.

    Args:
        message: What happened.
        fields: Further fields, by names that journald takes.
        place: Its socket.
    """
    entry = {
        "MESSAGE": message,
        "PRIORITY": _NOTICE,
        "SYSLOG_IDENTIFIER": "kho-console",
        **fields,
    }
    data = "".join(f"{name}={_line(value)}\n" for name, value in entry.items()).encode()
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(data, str(place))


def _line(value: str) -> str:
    """A newline would begin another field."""
    return "".join(letter if letter.isprintable() else "?" for letter in value)
