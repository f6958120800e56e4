"""Appends moments to a recording; the format is that of `kho_console.abi.recording`."""

import errno
import fcntl
import os
import stat
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

from kho_console.abi.recording import bodies, content, framing
from kho_console.abi.recording.bodies import TABLES, Checkpoint, Counts, Entry, Index, Mark, Moment
from kho_console.abi.recording.framing import HEADER, Kind
from kho_console.model.value import dataclass
from kho_console.source.recording import answers
from kho_console.source.recording.error import RecordingError
from kho_console.source.recording.file import RecordingFile, counted
from kho_console.source.recording.timeline import At, Timeline, table_of

CHECKPOINT_EVERY = 64
"""Moments; a jump reads at most so many."""
_CHECKPOINT_BYTES = 4 << 20
INDEX_EVERY = 32
"""Checkpoints."""
_MOST_DIGESTS = 1 << 16


@dataclass(frozen=True, slots=True)
class _Value:
    """What a key has: where it lies, on how many others it rests, and it itself to rest on."""

    place: int
    digest: bytes
    chain: int
    data: bytes | None


class RecordingWriter:
    """One open recording, locked against other writers.

    What one call writes is written at once: whoever is killed loses that at most. After an error
    the file ends where it ended before the call, and nothing more can be written.

    Attributes:
        size: Bytes of the file.
        first: Its first moment; None before there is one.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file, mode 0600; behind what is torn at its end it goes on.

        Raises:
            OSError: It cannot be opened or made.
            RecordingError: It is a link, somebody else's, in use, or something else.
        """
        self._path = path
        self._descriptor = _opened(path)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._make_sure_of_name()
            self._continue()
            os.fchmod(self._descriptor, stat.S_IRUSR | stat.S_IWUSR)
        except (BlockingIOError, FileNotFoundError) as error:
            os.close(self._descriptor)
            raise RecordingError(path, "somebody else records into it") from error
        except BaseException:
            os.close(self._descriptor)
            raise

    def _make_sure_of_name(self) -> None:
        """Whoever had the lock before may have given the file another name meanwhile."""
        there = self._path.stat(follow_symlinks=False)
        if not os.path.samestat(there, os.fstat(self._descriptor)):
            raise BlockingIOError

    def _continue(self) -> None:
        self._entries: list[Entry] = []
        self._indexes: tuple[Entry, ...] = ()
        self._index = self._before = 0
        self._counts = Counts()
        self.first: At | None = None
        if os.fstat(self._descriptor).st_size < len(HEADER):
            if not HEADER.startswith(os.pread(self._descriptor, len(HEADER), 0)):
                raise RecordingError(self._path, "is no recording")
            os.ftruncate(self._descriptor, 0)
            self.size = 0
            self._pending = [HEADER]
        else:
            found = RecordingFile(self._path)
            self._entries = list(found.recent)
            if found.last_index is not None:
                first, self._index = found.last_index.checkpoints[0], found.index_place
                self._indexes = (*found.last_index.indexes, _moved(first, self._index))
            self._before = found.last.entry.place if found.last else 0
            self._counts = found.counts
            self.first = next(Timeline(found).moments(), None)
            os.ftruncate(self._descriptor, found.end)
            self.size = found.end
            self._pending = []
        self._forget()

    def _forget(self) -> None:
        """Know nothing, as at the beginning of a run."""
        self._values: dict[bytes, _Value] = {}
        self._tables: list[dict[bytes, int]] = [{} for _ in range(TABLES)]
        self._written = [0] * TABLES
        self._stale: set[int] = set()
        self._digests: OrderedDict[bytes, tuple[int, int]] = OrderedDict()
        self._since = 0
        self._since_size = 0
        self._last: tuple[float, int] | None = None
        self._run = 0

    @property
    def counts(self) -> Counts:
        """How much of everything the file holds."""
        return self._counts

    def run(self, facts: Mapping[str, object]) -> None:
        """Begin a run: `facts` as `kho_console.abi.recording` has them.

        Raises:
            OSError: It cannot be written.
        """
        self._forget()
        self._run = self._add(Kind.RUN, bodies.run(facts))
        self._write()

    def moment(self, monotonic: float, wall: int, new: Mapping[bytes, bytes | None]) -> None:
        """Add a look.

        Args:
            monotonic: Seconds of the machine's monotonic clock.
            wall: Microseconds since the epoch.
            new: Values by key; None for what is not known any more. What is as before is dropped.

        Raises:
            OSError: It cannot be written.
        """
        changes: dict[bytes, int] = {}
        values: dict[bytes, _Value | None] = {}
        for key, value in new.items():
            old = self._values.get(key)
            if value is None:
                if old is not None:
                    changes[key], values[key] = 0, None
                continue
            digest = blake2b(value, digest_size=16).digest()
            if old is None or old.digest != digest:
                values[key] = found = self._content(key, value, digest, old)
                changes[key] = found.place
        self._add(Kind.MOMENT, bodies.moment(Moment(monotonic, wall, changes), self._end))
        self._write()
        self._keep(values)
        self._last = monotonic, wall
        self.first = self.first or At(0, monotonic, wall)
        self._counts = replace(self._counts, moments=self._counts.moments + 1)
        self._since += 1
        first = self._since == 1 and not any(self._written)
        large = self.size - self._since_size > _CHECKPOINT_BYTES
        if first or large or self._since >= CHECKPOINT_EVERY:
            self._checkpoint()

    def mark(self, mark: Mark) -> None:
        """Add something that happened; the next moment is seen with it.

        Raises:
            OSError: It cannot be written.
        """
        start = self._add(Kind.MARK, bodies.mark(mark))
        record = framing.Frame(Kind.MARK, bytes((mark.kind,)), start, start)
        self._write()
        self._counts = counted(self._counts, record)

    def close(self, rename: Path | None = None) -> None:
        """End with a checkpoint and an index, and close the file.

        Args:
            rename: What it is called from now on, so that nobody else goes on with it.

        Raises:
            OSError: They cannot be written; the file is closed all the same.
        """
        if self._descriptor < 0:
            return
        try:
            if self._since:
                self._checkpoint()
            if self._entries:
                self._write_index()
            if rename is not None:
                self._path.replace(rename)
        finally:
            self._shut()

    @property
    def _end(self) -> int:
        return self.size + sum(map(len, self._pending))

    def _content(self, key: bytes, value: bytes, digest: bytes, old: _Value | None) -> _Value:
        """Where a value lies, which is written where it lies nowhere."""
        # Pages are many and seldom alike: they are not kept here to rest others on.
        data = None if key.startswith(answers.PAGE) else value
        there = self._digests.get(digest)
        if there is not None:
            self._digests.move_to_end(digest)
            return _Value(there[0], digest, there[1], data)
        start = self._end
        body, chain = content.pack(value, start), 0
        if old is not None and old.data is not None and old.chain < content.LONGEST_CHAIN - 1:
            small = content.pack(value, start, old.place, old.data)
            if len(small) < len(body):
                body, chain = small, old.chain + 1
        self._add(Kind.CONTENT, body)
        self._digests[digest] = start, chain
        if len(self._digests) > _MOST_DIGESTS:
            self._digests.popitem(last=False)
        return _Value(start, digest, chain, data)

    def _keep(self, values: Mapping[bytes, _Value | None]) -> None:
        for key, value in values.items():
            number = table_of(key)
            self._stale.add(number)
            if value is None:
                del self._values[key]
                del self._tables[number][key]
            else:
                self._values[key] = value
                self._tables[number][key] = value.place

    def _checkpoint(self) -> None:
        assert self._last is not None
        for number in sorted(self._stale):
            table = self._tables[number]
            start = self._end
            self._written[number] = start if table else 0
            if table:
                self._add(Kind.TABLE, bodies.table(table, start))
        entry = Entry(self._end, self._counts, *self._last)
        found = Checkpoint(entry, self._run, self._before, self._index, tuple(self._written))
        self._add(Kind.CHECKPOINT, bodies.checkpoint(found))
        self._write()
        os.fdatasync(self._descriptor)
        self._stale.clear()
        self._entries.append(entry)
        self._before = entry.place
        self._since, self._since_size = 0, self.size
        if len(self._entries) >= INDEX_EVERY:
            self._write_index()

    def _write_index(self) -> None:
        found = Index(tuple(self._entries), self._indexes)
        place = self._add(Kind.INDEX, bodies.index(found, self._end))
        self._write()
        self._index = place
        self._indexes = (*self._indexes, _moved(self._entries[0], place))
        self._entries = []

    def _add(self, kind: Kind, body: bytes) -> int:
        """Have a record written with the next write; its offset."""
        start = self._end
        if len(body) > framing.LARGEST_BODY:
            self._pending.clear()
            raise OSError(errno.EFBIG, f"{len(body)} bytes are too many for one record")
        self._pending.append(framing.frame(kind, body))
        return start

    def _write(self) -> None:
        if self._descriptor < 0:
            raise OSError(errno.EBADF, "the recording is closed")
        data = memoryview(b"".join(self._pending))
        self._pending = []
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except BaseException:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self.size)
            self._shut()
            raise
        self.size += written

    def _shut(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)


def _opened(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    try:
        descriptor = os.open(
            path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY, stat.S_IRUSR | stat.S_IWUSR
        )
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise RecordingError(path, "is a symbolic link: name the file itself") from error
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            raise RecordingError(path, "is no file with one name")
        if found.st_uid != os.geteuid():
            raise RecordingError(path, "belongs to somebody else")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _moved(entry: Entry, place: int) -> Entry:
    return replace(entry, place=place)
