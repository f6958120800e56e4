"""Symbolic links of a recorded machine, followed as its kernel followed them."""

import errno
from collections.abc import Callable

from kho_console.source.fixture.containment import parts_of
from kho_console.source.protocol import SourceError

_MOST_HOPS = 40
"""As many symbolic links as the kernel follows along one path."""


def resolved(path: str, target: Callable[[str], str | None], *, follow_last: bool) -> str:
    """`path` with its links followed.

    Args:
        path: An absolute path.
        target: Where a path leads that may be a link; None for one that is none.
        follow_last: Whether the path itself may be a link.

    Raises:
        SourceError: It is no absolute path, its links have no end, or `target` says so.
    """
    pending = parts_of(path)[::-1]
    here = ""
    hops = 0
    while pending:
        part = pending.pop()
        if part in ("", "."):
            continue
        if part == "..":
            here = here.rpartition("/")[0]
            continue
        step = f"{here}/{part}"
        leads_to = target(step) if pending or follow_last else None
        if leads_to is None:
            here = step
            continue
        hops += 1
        if hops > _MOST_HOPS:
            raise SourceError.from_errno(path, errno.ELOOP)
        if leads_to.startswith("/"):
            here = ""
        pending.extend(reversed(leads_to.split("/")))
    return here or "/"
