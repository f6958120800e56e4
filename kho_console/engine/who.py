"""Who asks for a change, and from where."""

import os
import pwd
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from kho_console.model.record import Who

_NO_LOGIN = 0xFFFFFFFF
"""`loginuid` of a process that no login started."""


def who(environment: Mapping[str, str] = os.environ, proc: Path = Path("/proc")) -> Who:
    """Who runs this process."""
    uid = os.geteuid()
    return Who(
        uid=uid,
        user=_name(uid),
        login=_login(proc) or environment.get("SUDO_USER"),
        tty=_tty(),
        ssh=environment.get("SSH_CONNECTION"),
    )


def _login(proc: Path) -> str | None:
    """By the id that stays the same through su and sudo."""
    with suppress(OSError, ValueError):
        number = int((proc / "self/loginuid").read_text())
        if number != _NO_LOGIN:
            return _name(number)
    return None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _tty() -> str | None:
    for descriptor in range(3):
        with suppress(OSError):
            return os.ttyname(descriptor)
    return None
