"""What of the kernel log others may see: what the kernel says about handover, kexec and hotplug."""

import os
import re
from collections.abc import Iterable, Iterator

from kho_console.abi import kernel_warning
from kho_console.abi.kernel_log import LogLine
from kho_console.abi.kernel_warning import KernelWarning
from kho_console.engine.log_lines import about_handover
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown

NAMES = re.compile(
    rb"(?<=Comm: )\S+|(?<=Hardware name: ).+|(?<=: )[^\n/]+(?=/\d+$)"
    rb"|(?<=Lockdown: ).+(?=: [^:\n]* is restricted)"
    rb"|(?<=session \[)[^\]\n]+(?=\])|(?<=reservation ')[^'\n]+(?=')",
    re.MULTILINE,
)
"""Where the kernel names a process, a machine, a session or a region of somebody's."""

_PREFIX = re.compile(r"([^\s:]+): ")
"""Who says a line of the log; user space writes there, too, and always with its name."""

_OF_KERNEL = re.compile(
    r"(?i:kho\w*|luo\w*|liveupdate|memfd_luo|kexec\w*|crash_\w+|pkram)|x86/mm|Lockdown|BUG|WARNING"
)

_BARE = re.compile(
    r"crash_?kernel|cannot (?:allocate|reserve) crash_?kernel|Reserving \d+MB of memory |crash hp: "
    r"|(?:Kernel c|C)ommand line: |Unknown kernel command line parameters "
    r"|Malformed early option |Revived memory reservation |No registered handler "
    r"|Freeze failed |Unable to finish session |(?:Off|On)lined Pages "
)
"""How lines of the kernel begin that have no prefix; anybody may write others without one."""

_COMMAND_LINES = re.compile(
    r"(?:(?:Kernel c|C)ommand line: |Unknown kernel command line parameters \")([^\"\n]*)"
)


def lines(snapshot: Snapshot) -> bytes:
    """Lines of the kernel about our subjects; others tell of disks, addresses and users."""
    found = about_handover(snapshot)
    said = () if isinstance(found, Unknown) else _of_kernel(found)
    return os.fsencode("".join(f"{_stamp(item.seconds)}{item.text}\n" for item in said))


def command_lines(snapshot: Snapshot) -> list[bytes]:
    """Command lines as the log has them: what is built into a kernel stands nowhere else."""
    log = snapshot.machine.kernel_log
    return [] if isinstance(log, Unknown) else [*map(os.fsencode, _COMMAND_LINES.findall(log))]


def _of_kernel(found: Iterable[LogLine]) -> Iterator[LogLine]:
    for item in kernel_warning.gather(found):
        if isinstance(item, KernelWarning):
            yield from item.lines
        elif _is_of_kernel(item.text):
            yield item


def _is_of_kernel(line: str) -> bool:
    """Whether the kernel says it; that tells who built the kernel is left out, too."""
    prefix = _PREFIX.match(line)
    found = _BARE.match(line) if prefix is None else _OF_KERNEL.fullmatch(prefix[1])
    return found is not None


def _stamp(seconds: float | None) -> str:
    return "" if seconds is None else f"[{seconds:12.6f}] "
