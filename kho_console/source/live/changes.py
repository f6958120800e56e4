"""What changes the running machine: one write, or one system call.

Never `kexec_load(2)`: an image that it loads carries no handover (kernel/kexec.c, 6.16 to 7.3).
"""

import errno
import os
import platform
import shutil
import signal
import stat
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from kho_console.model.change import Execution, Load
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.live import kexec_call
from kho_console.source.protocol import NotAskedError, SourceError
from kho_console.source.regular import identity, open_regular

FILE_LOAD = "kexec_file_load"
SYSTEMCTL = "systemctl kexec"

_NUMBERS = {
    "x86_64": 320,
    "aarch64": 294,
    "riscv64": 294,
    "loongarch64": 294,
    "s390x": 381,
    "ppc64": 382,
    "ppc64le": 382,
}
"""Of `kexec_file_load`, by `uname -m`, for 64-bit processes."""

_CAP_SYS_BOOT = 22
_WHOLE_USER_SPACE = ["0", "0", "4294967295"]


def write(place: str, path: str, data: bytes) -> None:
    """Write all of `data` to a file that is there, in one call.

    Args:
        place: Where the file lies.
        path: What to call it in errors.
        data: What is written.

    Raises:
        SourceError: The file cannot be opened, or the kernel refused.
    """
    descriptor = _opened(place, path)
    try:
        written = os.write(descriptor, data)
    except OSError as error:
        raise SourceError.from_errno(path, error.errno or errno.EIO) from error
    finally:
        os.close(descriptor)
    if written != len(data):
        why = Unknown(Cause.UNREADABLE, f"{path} took {written} of {len(data)} bytes")
        raise SourceError(path, why, errno.EIO)


def load(change: Load, kernel: str, initrd: str | None) -> None:
    """`kexec_file_load` in a child process.

    Args:
        change: What is loaded.
        kernel: Where its kernel lies.
        initrd: Where its initial RAM disk lies.

    Raises:
        SourceError: A file cannot be read, or the kernel refused.
        NotAskedError: A file is not the one that was validated.
    """
    image = change.image
    with ExitStack() as opened:
        files = [-1, -1]
        names = (image.kernel, kernel), (image.initrd or "", initrd)
        for at, (path, place) in enumerate(names):
            if place is not None:
                files[at] = open_regular(place, path)
                opened.callback(os.close, files[at])
        # Of the very descriptors that the kernel gets: a path may lead elsewhere by now.
        now = Load(image, *(None if item < 0 else identity(item) for item in files))
        if why := change.exchanged(now):
            raise NotAskedError(why)
        file_load(files[0], files[1], int(image.all_flags), image.command_line)


def file_load(kernel: int, initrd: int, flags: int, command_line: bytes = b"") -> None:
    """`kexec_file_load` of open files, -1 for none; with the flag UNLOAD it drops what is loaded.

    Raises:
        SourceError: The kernel refused.
    """
    number = _NUMBERS.get(platform.machine())
    if number is None or sys.maxsize < 1 << 32:
        raise SourceError.from_errno(FILE_LOAD, errno.ENOSYS)
    files = [item for item in (kernel, initrd) if item >= 0]
    words = ["load", *map(str, (number, kernel, initrd, flags))]
    _answered(FILE_LOAD, _child(words, files, command_line))


def execute(how: Execution) -> None:
    """Start the loaded image.

    With systemd this returns when the shutdown has begun; after the system call it does not return.

    Raises:
        SourceError: It was refused.
    """
    if how is Execution.SYSTEM_CALL:
        _answered(how, _child(["reboot"], [], b""))
        return
    place = shutil.which("systemctl", path="/usr/bin:/bin:/usr/sbin:/sbin")
    if place is None:
        raise SourceError.from_errno("systemctl", errno.ENOENT)
    done = subprocess.run(
        [place, "--no-ask-password", "kexec"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "backslashreplace").strip() or str(done.returncode)
        raise SourceError(SYSTEMCTL, Unknown(Cause.UNREADABLE, f"{SYSTEMCTL}: {said}"), errno.EIO)


def may_write(place: str, path: str) -> Unknown | None:
    """Why this process may not write to a file; found by opening it, which changes nothing."""
    try:
        os.close(_opened(place, path))
    except SourceError as error:
        return error.unknown
    return None


def may_boot(proc: str) -> Unknown | None:
    """Why this process may not load or start images: CAP_SYS_BOOT of the machine, not of a part."""
    try:
        status = Path(f"{proc}/self/status").read_text()
        users = _users(proc)
        line = next(item for item in status.splitlines() if item.startswith("CapEff:"))
        capabilities = int(line.split()[1], 16)
    except (OSError, StopIteration, ValueError, IndexError):
        return Unknown(Cause.UNREADABLE, "/proc/self/status does not tell the capabilities")
    if not capabilities >> _CAP_SYS_BOOT & 1:
        return Unknown(Cause.NOT_PERMITTED, "this process has no CAP_SYS_BOOT; run as root")
    if users != _WHOLE_USER_SPACE:
        reason = "CAP_SYS_BOOT holds in a user namespace only; run as root outside of containers"
        return Unknown(Cause.NOT_PERMITTED, reason)
    return None


def _users(proc: str) -> list[str]:
    """The map of users of this process; a kernel without user namespaces has no such file."""
    try:
        return Path(f"{proc}/self/uid_map").read_text().split()
    except FileNotFoundError:
        return _WHOLE_USER_SPACE


def _opened(place: str, path: str) -> int:
    """A descriptor for writing to a regular file; it is neither made nor cut."""
    descriptor = -1
    try:
        if not stat.S_ISREG(os.stat(place).st_mode):  # noqa: PTH116 - places need not be UTF-8
            raise OSError(errno.EINVAL, "no regular file")
        descriptor = os.open(place, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no regular file")
    except OSError as error:
        if descriptor >= 0:
            os.close(descriptor)
        raise SourceError.from_errno(path, error.errno or errno.EIO) from error
    return descriptor


def _child(
    words: list[str], files: list[int], command_line: bytes
) -> subprocess.CompletedProcess[bytes]:
    """Run the call apart from us: not ended by a Ctrl-C that is meant for the console."""
    try:
        process = subprocess.Popen(
            [sys.executable, "-IS", kexec_call.__file__, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=files,
            start_new_session=True,
        )
    except OSError as error:
        raise _broken(f"cannot be started: {error.strerror}") from error
    given: bytes | None = command_line
    while True:
        try:
            out, errors = process.communicate(given)
        except KeyboardInterrupt:
            # A load that ends half way leaves no crash image; what has begun is waited for.
            given = None
        else:
            return subprocess.CompletedProcess(process.args, process.returncode, out, errors)


def _answered(call: str, done: subprocess.CompletedProcess[bytes]) -> None:
    if done.returncode == -signal.SIGKILL:
        reason = f"{call}: the process that called it was killed, as when memory has run out"
        raise SourceError(call, Unknown(Cause.UNREADABLE, reason), errno.ENOMEM)
    answer = done.stdout.strip()
    if done.returncode or not answer.isdigit():
        said = done.stderr.decode("utf-8", "backslashreplace").strip().rpartition("\n")[2]
        raise _broken(f"ended with {done.returncode}: {said}")
    if int(answer):
        raise SourceError.from_errno(call, int(answer))


def _broken(how: str) -> SourceError:
    """The kernel was not asked: named after the interpreter, so that it is not taken for it."""
    reason = f"the process that calls the kernel {how}"
    return SourceError(sys.executable, Unknown(Cause.UNREADABLE, reason), errno.EIO)
