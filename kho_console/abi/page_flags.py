"""What the kernel says of a page in `/proc/kpageflags`.

The bits are those of include/uapi/linux/kernel-page-flags.h, the same since 4.20; the file has
8 bytes a page frame, native order (fs/proc/page.c).
"""

ENTRY = 8
"""Bytes a page frame."""

_LRU = 1 << 5
_SLAB = 1 << 7
_BUDDY = 1 << 10
_MMAP = 1 << 11
_ANON = 1 << 12
_PGTABLE = 1 << 26
_RESERVED = 1 << 32

_IN_OTHER_HANDS = _LRU | _SLAB | _BUDDY | _MMAP | _ANON | _PGTABLE


def given_away(flags: int) -> bool:
    """Whether the page is free, or in a use that no memory kept for a handover has.

    The reverse proves nothing: a page on a CPU's own list of free pages shows no bit.
    """
    return bool(flags & _IN_OTHER_HANDS)


def free(flags: int) -> bool:
    """Whether the page allocator has the page."""
    return bool(flags & _BUDDY)


def reserved(flags: int) -> bool:
    """Whether the page never was the page allocator's, as memory that nobody has claimed."""
    return bool(flags & _RESERVED)
