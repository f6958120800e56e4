"""Names in checks: as they are, since the faces escape all that a check says."""

import os
from collections.abc import Sequence

_MOST = 5


def name(raw: bytes | str) -> str:
    """A name; bytes that are no UTF-8 stay what they are."""
    return os.fsdecode(raw)


def listed(names: Sequence[bytes]) -> str:
    """A few names with commas, and how many more there are."""
    shown = ", ".join(map(name, names[:_MOST]))
    more = len(names) - _MOST
    return f"{shown} and {more} more" if more > 0 else shown
