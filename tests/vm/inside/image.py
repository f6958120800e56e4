"""Runs in the guest: `image.py load|load-crash|unload|unload-crash|execute [COMMAND LINE]`.

`load-crash-again` goes on loading until `/run/image.stop` is there; `/run/image.going` tells that
it has begun. With `load-crash-debug` the kernel logs how far it is.
"""

import ctypes
import errno
import os
import sys

KEXEC_FILE_LOAD, REBOOT = 320, 169
"""System calls of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl)."""

UNLOAD, ON_CRASH, DEBUG = 1, 2, 8
MAGIC, MAGIC2, KEXEC = 0xFEE1DEAD, 672274793, 0x45584543
SHARE = "/run/share"


def main() -> None:
    """Do it, or say which errno came back."""
    what, arguments = sys.argv[1], " ".join(sys.argv[2:])
    if what == "execute":
        os.sync()
        _call(REBOOT, MAGIC, MAGIC2, KEXEC, 0)
    elif what.startswith("unload"):
        _call(KEXEC_FILE_LOAD, -1, -1, 0, 0, UNLOAD | (ON_CRASH if "crash" in what else 0))
    else:
        kernel = os.open(f"{SHARE}/bzImage", os.O_RDONLY)
        initrd = os.open(f"{SHARE}/initrd", os.O_RDONLY)
        line = ctypes.create_string_buffer(arguments.encode())
        flags = ON_CRASH if "crash" in what else 0
        if "debug" in what:
            flags |= DEBUG
        while True:
            again = what == "load-crash-again"
            text = ctypes.byref(line)
            _call(KEXEC_FILE_LOAD, kernel, initrd, len(line), text, flags, busy=again)
            if not again or os.path.exists("/run/image.stop"):  # noqa: PTH110
                break
            os.close(os.open("/run/image.going", os.O_CREAT))


def _call(number: int, *arguments: object, busy: bool = False) -> None:
    """Make a system call; `busy` says that the lock may be somebody else's for once."""
    library = ctypes.CDLL(None, use_errno=True)
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    if library.syscall(ctypes.c_long(number), *words) == 0:
        return
    if not busy or ctypes.get_errno() != errno.EBUSY:
        sys.exit(os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    main()
