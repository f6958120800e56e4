"""How a twin's kernel says no."""

import os


class Refused(OSError):
    """What a system call or a write answered.

    Attributes:
        errno: The kernel's answer.
    """

    def __init__(self, number: int, reason: str = "") -> None:
        """Refuse with errno `number`; `reason` says why, for whoever debugs a twin."""
        super().__init__(number, reason or os.strerror(number))


class Panic(Exception):
    """The kernel that was starting gave up.

    Attributes:
        reason: What its last line says.
    """

    def __init__(self, reason: str) -> None:
        """Panic, with `reason`."""
        super().__init__(reason)
        self.reason = reason
