"""The files that a twin shows: what its kernel made or took away, over what was recorded."""

import errno

from kho_console.abi.memory import MissingMemory, PhysicalMemory
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass
from kho_console.source.protocol import Source, SourceError


@dataclass(frozen=True, slots=True)
class Window:
    """A debugfs blob: a length that was fixed when the file was made, over live memory."""

    address: int
    size: int


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link."""

    target: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that is there and answers an errno, as a device does."""

    errno: int


@dataclass(frozen=True, slots=True)
class Folder:
    """A directory, there also while it is empty."""


Answer = bytes | Window | Link | Failure | Folder


class Files:
    """Absolute paths to answers."""

    def __init__(self, base: Source, memory: PhysicalMemory) -> None:
        """Show what `base` shows, until something is put or removed."""
        self._base = base
        self._memory = memory
        self._answers: dict[str, Answer] = {}
        self._removed: set[str] = set()

    def put(self, path: str, answer: Answer) -> None:
        """Make a file, or change it."""
        self._answers[path] = answer

    def remove(self, path: str) -> None:
        """Take a file away, or a directory with all below it."""
        for known in [item for item in self._answers if _is_below(item, path)]:
            del self._answers[known]
        self._removed.add(path)

    def uncover(self, path: str) -> None:
        """Show again what was recorded at a path that was removed."""
        self._removed.discard(path)

    def stands(self, path: str) -> bool:
        """Whether something is there for certain."""
        return self.exists(path) is True

    def read(self, path: str, limit: int) -> bytes:
        """The whole file; see `Source.read`."""
        answer = self._answers.get(path)
        if answer is None:
            if self._has_below(path):
                raise SourceError.from_errno(path, errno.EISDIR)
            if self._is_removed(path):
                raise SourceError.from_errno(path, errno.ENOENT)
            return self._base.read(path, limit)
        content = self._content(path, answer, limit)
        if len(content) > limit:
            reason = f"{path}: more than {limit} bytes"
            raise SourceError(path, Unknown(Cause.UNREADABLE, reason), errno.EFBIG)
        return content

    def list(self, path: str) -> tuple[str, ...]:
        """Names in a directory; see `Source.list`."""
        start = path.rstrip("/") + "/"
        names = {
            item[len(start) :].partition("/")[0] for item in self._answers if item.startswith(start)
        }
        there = bool(names) or isinstance(self._answers.get(path), Folder)
        if not self._is_removed(path):
            try:
                listed = self._base.list(path)
            except SourceError:
                if not there:
                    raise
            else:
                names.update(name for name in listed if not self._hidden(start + name))
        elif not there:
            raise SourceError.from_errno(path, errno.ENOENT)
        return tuple(sorted(names))

    def link(self, path: str) -> str:
        """Target of a symbolic link; see `Source.link`."""
        answer = self._answers.get(path)
        if isinstance(answer, Link):
            return answer.target
        if answer is not None or self._has_below(path):
            raise SourceError.from_errno(path, errno.EINVAL)
        if self._is_removed(path):
            raise SourceError.from_errno(path, errno.ENOENT)
        return self._base.link(path)

    def exists(self, path: str) -> Maybe[bool]:
        """Whether something stands at `path`; see `Source.exists`."""
        if path in self._answers or self._has_below(path):
            return True
        return False if self._is_removed(path) else self._base.exists(path)

    def _content(self, path: str, answer: Answer, limit: int) -> bytes:
        if isinstance(answer, bytes):
            return answer
        if isinstance(answer, Window):
            try:
                return self._memory.read(answer.address, min(answer.size, limit + 1))
            except MissingMemory as error:
                reason = f"{path}: its memory is {error.reason}"
                raise SourceError(path, Unknown(Cause.NOT_RECORDED, reason)) from error
        if isinstance(answer, Failure):
            raise SourceError.from_errno(path, answer.errno)
        if isinstance(answer, Link):
            above = path.rpartition("/")[0]
            target = answer.target if answer.target.startswith("/") else f"{above}/{answer.target}"
            return self.read(target, limit)
        raise SourceError.from_errno(path, errno.EISDIR)

    def _has_below(self, path: str) -> bool:
        start = path.rstrip("/") + "/"
        return any(item.startswith(start) for item in self._answers)

    def _is_removed(self, path: str) -> bool:
        while path:
            if path in self._removed:
                return True
            path = path.rpartition("/")[0]
        return False

    def _hidden(self, path: str) -> bool:
        return self._is_removed(path) and path not in self._answers and not self._has_below(path)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")
