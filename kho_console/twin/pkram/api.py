"""The calls of PKRAM, with their answers in the order in which the kernel makes its checks.

Errnos are raised as `Refused`; what would stop the kernel is a `KernelBug` or `NullDereference`,
and what would make it use freed memory is `UsedAfterFree`. Defects that the posted series have
are kept, each where the code has it.
"""

import errno
import re

from kho_console.abi.pkram.layout import PAGE, SHIFT
from kho_console.model.memory import MemoryRange
from kho_console.twin.pkram.loading import Loading
from kho_console.twin.pkram.node import IDLE
from kho_console.twin.pkram.saving import Saving
from kho_console.twin.refused import Refused

_ZERO = re.compile(r"[+-]?(?:0[xX]0+|0+)\n?")
"""What `kstrtoint` of any base takes for 0."""


class Pkram(Saving, Loading):
    """PKRAM of one kernel."""

    @property
    def sysfs(self) -> str:
        """What `/sys/kernel/pkram` reads."""
        return f"{self.super_block or 0:x}\n"

    def write_sysfs(self, text: str) -> None:
        """Write to `/sys/kernel/pkram`: 0 destroys every node that is neither saved nor loaded.

        Raises:
            Refused: EINVAL for anything but 0.
        """
        if not _ZERO.fullmatch(text):
            raise Refused(errno.EINVAL, "only 0 may be written")
        for node in [item for item in self.nodes if item.flags == IDLE]:
            self._destroy(node)

    def load_image(self, segments: list[MemoryRange]) -> None:
        """Load an image of kexec: the destinations of its segments are banned.

        Raises:
            Refused: EADDRNOTAVAIL where a segment would land on a preserved page.
        """
        for item in segments:
            first, end = item.start >> SHIFT, -(-item.end // PAGE)
            if self.frames.has(first, end):
                raise Refused(errno.EADDRNOTAVAIL, f"0x{item.start:x} is preserved")
        for item in segments:
            self.frames.ban(item)
