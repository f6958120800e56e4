"""A source that notes in the log what it could not read."""

import logging
from collections.abc import Callable
from typing import TypeVar

from kho_console.model.unknown import Cause
from kho_console.source.forwarding import ForwardingSource
from kho_console.source.protocol import (
    SMALL_FILE,
    Source,
    SourceError,
)

T = TypeVar("T")

_log = logging.getLogger(__name__)


class NotedSource(ForwardingSource):
    """Answers as another source does, and notes each path once that it could not read.

    What is not there is a detail: no kernel has all the files that are looked for.
    """

    def __init__(self, source: Source) -> None:
        """Note what `source` cannot read."""
        super().__init__(source)
        self._noted: set[str] = set()

    def read(self, path: str, limit: int = SMALL_FILE) -> bytes:
        """See `Source.read`."""
        return self._noting(path, lambda: self._source.read(path, limit))

    def list(self, path: str) -> tuple[str, ...]:
        """See `Source.list`."""
        return self._noting(path, lambda: self._source.list(path))

    def link(self, path: str) -> str:
        """See `Source.link`."""
        return self._noting(path, lambda: self._source.link(path))

    def _noting(self, path: str, answer: Callable[[], T]) -> T:
        try:
            return answer()
        except SourceError as error:
            if path not in self._noted:
                self._noted.add(path)
                absent = error.unknown.cause is Cause.ABSENT
                _log.log(logging.DEBUG if absent else logging.WARNING, error.unknown.reason)
            raise


def behind(source: Source) -> Source:
    """The source itself, where what it cannot read is noted."""
    return source.source if isinstance(source, NotedSource) else source
