"""Regular files, read to their end under a cap."""

import errno
import os
import stat

from kho_console.model.file_identity import FileIdentity
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.protocol import SourceError

_CHUNK = 1 << 16


def checked_path(path: str) -> str:
    """`path` itself, when it is an absolute path that a file system can be asked for.

    Raises:
        SourceError: It is relative, holds a NUL, or cannot be encoded.
    """
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError:
        name = b""
    if not name.startswith(b"/") or b"\0" in name:
        raise SourceError(
            path, Unknown(Cause.INVALID, f"{path!r} is no absolute path"), errno.EINVAL
        )
    return path


def open_regular(place: str, path: str) -> int:
    """A descriptor of the regular file at `place`.

    The kind is looked up before the file is opened: opening a device can act on it, and opening a
    FIFO waits for its other end.

    Args:
        place: Where the file lies.
        path: What to call it in errors.

    Raises:
        SourceError: It is not there, may not be read, or is no regular file.
    """
    try:
        _refuse_irregular(os.stat(place), path)  # noqa: PTH116 - places need not be UTF-8
        descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            _refuse_irregular(os.fstat(descriptor), path)
        except BaseException:
            os.close(descriptor)
            raise
    except SourceError:
        raise
    except OSError as error:
        raise SourceError.from_errno(path, error.errno or errno.EIO) from error
    return descriptor


def identity(descriptor: int) -> FileIdentity:
    """Which file an open descriptor is of, as it is now.

    Raises:
        OSError: It cannot be told.
    """
    found = os.fstat(descriptor)
    return FileIdentity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def read_regular(place: str, path: str, limit: int) -> bytes:
    """The whole regular file at `place`.

    It is read to its end, not to its size: sysfs and debugfs files tell no true size.

    Raises:
        SourceError: It cannot be opened or read, or is longer than `limit` bytes.
    """
    descriptor = open_regular(place, path)
    try:
        return _read_to_end(descriptor, path, limit)
    except SourceError:
        raise
    except OSError as error:
        raise SourceError.from_errno(path, error.errno or errno.EIO) from error
    finally:
        os.close(descriptor)


def read_at(place: str, path: str, offset: int, size: int) -> bytes:
    """Up to `size` bytes of the regular file at `place` from `offset` on; fewer at its end.

    Raises:
        SourceError: It cannot be opened or read.
    """
    descriptor = open_regular(place, path)
    try:
        return os.pread(descriptor, size, offset)
    except OSError as error:
        raise SourceError.from_errno(path, error.errno or errno.EIO) from error
    finally:
        os.close(descriptor)


def _read_to_end(descriptor: int, path: str, limit: int) -> bytes:
    parts: list[bytes] = []
    room = limit + 1
    while room > 0:
        part = os.read(descriptor, min(room, _CHUNK))
        if not part:
            return b"".join(parts)
        parts.append(part)
        room -= len(part)
    unknown = Unknown(Cause.UNREADABLE, f"{path} is longer than {limit} bytes")
    raise SourceError(path, unknown, errno.EFBIG)


def _refuse_irregular(status: os.stat_result, path: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise SourceError.from_errno(path, errno.EISDIR)
    if not stat.S_ISREG(status.st_mode):
        unknown = Unknown(Cause.UNREADABLE, f"{path} is no regular file")
        raise SourceError(path, unknown, errno.EINVAL)
