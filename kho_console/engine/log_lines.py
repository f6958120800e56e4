"""What of the kernel log is about handover, live update, kexec, crash images or hotplug."""

import re
from collections import deque
from collections.abc import Iterable
from functools import lru_cache

from kho_console.abi import kernel_log, kernel_warning
from kho_console.abi.kernel_log import LogLine
from kho_console.abi.kernel_warning import KernelWarning
from kho_console.engine.handover_code import concerns_handover
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
    """Its lines that name our subjects, oldest first; the latest 2,000 where there are more.

    A warning of the kernel in handover code is there whole.
    """
    log = snapshot.machine.kernel_log
    return log if isinstance(log, Unknown) else _lines(log)


@lru_cache(maxsize=2)
def _lines(log: str) -> tuple[LogLine, ...]:
    kept: deque[LogLine] = deque(maxlen=_MOST)
    for item in kernel_warning.gather(kernel_log.parse(log)):
        kept.extend(_kept(item))
    return tuple(kept)


def _kept(item: LogLine | KernelWarning) -> Iterable[LogLine]:
    if isinstance(item, LogLine):
        return (item,) if _WORDS.search(item.text) else ()
    if concerns_handover(item):
        return item.lines
    return (line for line in item.lines if _WORDS.search(line.text))
