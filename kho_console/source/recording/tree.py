"""The paths of a recording, as far as they were asked for."""

import errno
import os
from typing import Protocol

from kho_console.abi.error import FormatError
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source import links
from kho_console.source.protocol import SourceError
from kho_console.source.recording import answers
from kho_console.source.recording.answers import FILE, FOLDER, LINK, STANDS, Unanswered
from kho_console.source.regular import checked_path


class Answers(Protocol):
    """Values by the keys of `kho_console.source.recording.answers`."""

    def get(self, key: bytes, /) -> bytes | None:
        """The value of a key; None where it has none."""
        ...


class RecordedTree:
    """What stood at each path that was asked for, at one moment.

    A path that was not asked for itself is reached over the links and directories that were.
    """

    def __init__(self, known: Answers) -> None:
        """Take what was known at a moment."""
        self._known = known

    def read(self, path: str, limit: int) -> bytes:
        """The whole file; see `Source.read`."""
        found = self._asked(FILE, path)
        if found is None:
            where = self.resolved(path, follow_last=True)
            found = self._asked(FILE, where, path)
            if found is None:
                raise self._other(path, where, errno.EISDIR, FOLDER)
        if len(found) > limit:
            unknown = Unknown(Cause.UNREADABLE, f"{path} is longer than {limit} bytes")
            raise SourceError(path, unknown, errno.EFBIG)
        return found

    def list(self, path: str) -> tuple[str, ...]:
        """Names in a directory; see `Source.list`."""
        found = self._asked(FOLDER, path)
        if found is None:
            where = self.resolved(path, follow_last=True)
            found = self._asked(FOLDER, where, path)
            if found is None:
                raise self._other(path, where, errno.ENOTDIR, FILE)
        return answers.read_names(found)

    def link(self, path: str) -> str:
        """Target of a symbolic link; see `Source.link`."""
        found = self._asked(LINK, path)
        if found is None:
            where = self.resolved(path, follow_last=False)
            found = self._asked(LINK, where, path)
            if found is None:
                raise self._other(path, where, errno.EINVAL, FILE, FOLDER)
        return os.fsdecode(found)

    def exists(self, path: str) -> Maybe[bool]:
        """Whether something stands at `path`; see `Source.exists`."""
        try:
            asked = self._asked(STANDS, path)
            if asked is not None:
                return asked == b"1"
            where = self.resolved(path, follow_last=False)
            if any(self._is_known(letter, where) for letter in (FILE, FOLDER, LINK)):
                return True
            listed = self._listed(where)
        except SourceError as failure:
            return False if failure.unknown.cause is Cause.ABSENT else failure.unknown
        return _not_recorded(path) if listed is None else listed

    def _asked(self, letter: bytes, path: str, called: str | None = None) -> bytes | None:
        """The answer for a path; None where it was not asked.

        Raises:
            SourceError: The answer was an error, or is damaged.
        """
        called = path if called is None else called
        try:
            value = self._known.get(answers.path_key(letter, checked_path(path)))
            return None if value is None else answers.answer(value)
        except Unanswered as failure:
            raise SourceError(called, failure.unknown, failure.number or None) from failure
        except FormatError as failure:
            unknown = Unknown(Cause.INVALID, f"{called}: the recording is damaged: {failure}")
            raise SourceError(called, unknown) from failure

    def _is_known(self, letter: bytes, path: str) -> bool:
        try:
            return self._asked(letter, path) is not None
        except SourceError:
            return False

    def _other(self, path: str, where: str, number: int, *letters: bytes) -> SourceError:
        """The error for a path that is something else, is not there, or was not asked for."""
        if any(self._is_known(letter, where) for letter in letters):
            return SourceError.from_errno(path, number)
        if self._listed(where) is False:
            return SourceError.from_errno(path, errno.ENOENT)
        return SourceError(path, _not_recorded(path))

    def _listed(self, where: str) -> bool | None:
        """Whether the directories that were listed have the path; None where they do not tell."""
        below = False
        while where != "/":
            above, _, name = where.rpartition("/")
            above = above or "/"
            if self._is_known(FILE, above):
                return False
            try:
                names = self._asked(FOLDER, above)
            except SourceError as failure:
                return False if failure.unknown.cause is Cause.ABSENT else None
            if names is not None:
                listed = name in answers.read_names(names)
                return None if listed and below else listed
            where, below = above, True
        return None

    def resolved(self, path: str, *, follow_last: bool) -> str:
        """`path` with the recorded links followed.

        Raises:
            SourceError: It is no absolute path, or its links have no end.
        """
        return links.resolved(path, self._target, follow_last=follow_last)

    def _target(self, path: str) -> str | None:
        try:
            found = self._asked(LINK, path)
        except SourceError:
            return None
        return None if found is None else os.fsdecode(found)


def _not_recorded(path: str) -> Unknown:
    return Unknown(Cause.NOT_RECORDED, f"{path} is not recorded")
