"""The command line of the running kernel, for the next one."""

from kho_console.abi import command_line

_OF_THIS_BOOT = frozenset({b"BOOT_IMAGE", b"initrd", b"elfcorehdr", b"dmcryptkeys"})
"""What the boot loader or a kexec put there for this one boot."""

_NOT_FOR_A_CRASH_KERNEL = frozenset(
    {b"crashkernel", b"hugepages", b"hugepagesz", b"default_hugepagesz", b"hugetlb_cma", b"cma"}
    | {b"kho", b"kho_scratch", b"kho_bootmem", b"liveupdate", b"reserve_mem"}
)
"""What would take memory that a crash kernel does not have."""


def reused(running: bytes, appended: bytes = b"", *, crash: bool = False) -> bytes:
    """The running command line without what was for this boot only, and more behind it.

    Args:
        running: As /proc/cmdline has it.
        appended: What goes behind it; the kernel takes the last one of most options.
        crash: Whether it is for a crash kernel.
    """
    names = _OF_THIS_BOOT | _NOT_FOR_A_CRASH_KERNEL if crash else _OF_THIS_BOOT
    kept = command_line.without(running.rstrip(b"\n"), names)
    return b" ".join(part for part in (kept, appended.strip()) if part)
