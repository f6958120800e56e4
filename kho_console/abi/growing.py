"""A buffer of addresses that may grow to gigabytes and is never there twice."""

import mmap
from contextlib import suppress
from typing import TYPE_CHECKING

from kho_console.model.preserved import view_of

if TYPE_CHECKING:
    from kho_console.model.preserved import Buffer

_ADDRESS = 8
_MOST_AHEAD = 1 << 20
"""Addresses for which there is room ahead of need, at most."""


class GrowingAddresses:
    """Addresses in memory of their own, which the kernel moves by its page tables alone."""

    def __init__(self) -> None:
        """Start with none."""
        self._count = 0
        self._memory = mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        # Millions of addresses take longer to fault in by small pages than to write.
        with suppress(OSError):
            self._memory.madvise(mmap.MADV_HUGEPAGE)

    def __len__(self) -> int:
        return self._count

    @property
    def last(self) -> int:
        """The last address; there must be one."""
        return int(self._view()[-1])

    def drop_last(self) -> None:
        """Forget the last address."""
        self._count -= 1

    def extend(self, addresses: "Buffer") -> None:
        """Take more addresses, a buffer of u64."""
        content = view_of(addresses)
        before, self._count = self._count, self._count + len(content)
        if self._count * _ADDRESS > len(self._memory):
            ahead = min(self._count // 4, _MOST_AHEAD)
            self._memory.resize((self._count + ahead) * _ADDRESS)
        self._memory[before * _ADDRESS : self._count * _ADDRESS] = content

    def finish(self) -> memoryview:
        """All addresses. Nothing can be taken any more."""
        if self._count:
            self._memory.resize(self._count * _ADDRESS)
        return self._view()

    def _view(self) -> memoryview:
        """All addresses so far; it must be let go before more are taken."""
        return memoryview(self._memory).cast("Q")[: self._count]
