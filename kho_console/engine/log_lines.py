"""What of the kernel log is about handover, live update, kexec, crash images or hotplug."""

import re
from functools import lru_cache

from kho_console.abi import kernel_log
from kho_console.abi.kernel_log import LogLine
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Maybe, Unknown

__all__ = ["LogLine", "about_handover"]

_MOST = 2000
"""Lines that are kept, the latest ones; a kernel that repeats itself fills its whole log."""

_WORDS = re.compile(
    r"\b(?:kho|kexec|kexec_file|luo\w*|live ?update\w*|memfd_luo|kho_\w+|reserve_mem|crash hp"
    r"|crash_?kernel|crash kernel|elfcorehdr|kdump|purgatory|bootmem|lockdown"
    r"|(?:offlin|onlin)\w+ (?:pages|memory)|memory block)\b|KHO",
    re.IGNORECASE | re.ASCII,
)
"""What such lines have in them: the kernel marks some of them with a prefix only."""


def about_handover(snapshot: Snapshot) -> Maybe[tuple[LogLine, ...]]:
    """Its lines that name our subjects, oldest first; the latest 2,000 where there are more."""
    log = snapshot.machine.kernel_log
    return log if isinstance(log, Unknown) else _lines(log)


@lru_cache(maxsize=2)
def _lines(log: str) -> tuple[LogLine, ...]:
    found = (line for line in kernel_log.parse(log) if _WORDS.search(line.text))
    return tuple(found)[-_MOST:]
