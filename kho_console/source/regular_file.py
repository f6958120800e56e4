"""A regular file as a `Reader`: read by offset, never as a whole."""

import errno
import os
from types import TracebackType

from kho_console.source.protocol import SourceError
from kho_console.source.regular import identity, open_regular


class RegularFile:
    """An open regular file.

    Attributes:
        identity: Which file it is, as it was when it was opened.
        size: Its bytes then.
    """

    def __init__(self, path: str) -> None:
        """Open the file at `path`.

        Raises:
            SourceError: It is not there, may not be read, or is no regular file.
        """
        self._path = path
        self._descriptor = open_regular(path, path)
        # Taken before the first byte is read: what is written meanwhile makes it another one.
        self.identity = identity(self._descriptor)
        self.size = self.identity.size

    def read(self, offset: int, size: int) -> bytes:
        """See `Reader.read`.

        Raises:
            SourceError: It cannot be read.
        """
        if offset >= self.size:
            return b""
        try:
            return os.pread(self._descriptor, size, offset)
        except OSError as error:
            raise SourceError.from_errno(self._path, error.errno or errno.EIO) from error

    def __enter__(self) -> "RegularFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)
