"""The calls that load or start a kexec image, in a process of their own.

It is run as a file, by `kho_console.source.live.changes`, and uses nothing else of the console: a
load needs much memory, and where there is none left the kernel kills the process that asked. So
that must not be the console.

Arguments: `load NUMBER KERNEL INITRD FLAGS`, with the number of the system call, two open
descriptors (-1 for none) and the flags, and the command line on stdin; or `reboot`. The answer on
stdout is the error number, 0 for success.
"""

import ctypes
import os
import sys
from contextlib import suppress

REBOOT_KEXEC = 0x45584543
"""LINUX_REBOOT_CMD_KEXEC; the C library adds the two magic numbers of reboot(2)."""


def load(number: int, kernel: int, initrd: int, flags: int, command_line: bytes) -> int:
    """`kexec_file_load`, which no C library has a function for; the error number or 0."""
    # The length counts the NUL that must end it; 0 stands for no command line.
    text = command_line + b"\0" if command_line else b""
    return _answer(
        ctypes.c_long(number),
        ctypes.c_long(kernel),
        ctypes.c_long(initrd),
        ctypes.c_ulong(len(text)),
        ctypes.c_char_p(text or None),
        ctypes.c_ulong(flags),
    )


def reboot() -> int:
    """Start the loaded image; the error number where the machine is still there."""
    library = ctypes.CDLL(None, use_errno=True)
    library.reboot(ctypes.c_int(REBOOT_KEXEC))
    return ctypes.get_errno()


def _answer(*arguments: object) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return ctypes.get_errno() if library.syscall(*arguments) < 0 else 0


def _first_to_go() -> None:
    """Where memory runs short, the kernel shall end this process before any other."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
        file.write("1000")


def _main(words: list[str]) -> int:
    if words == ["reboot"]:
        return reboot()
    _first_to_go()
    number, kernel, initrd, flags = map(int, words[1:])
    return load(number, kernel, initrd, flags, os.fdopen(0, "rb").read())


if __name__ == "__main__":
    print(_main(sys.argv[1:]))
