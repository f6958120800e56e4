"""Whole recordings as targets: all that the console reads of one, damaged on the disk."""

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import copytree

from kho_console.source.fixture import FixtureError, FixtureSource
from kho_console.source.fixture.memory import RecordedMemory
from kho_console.source.protocol import SMALL_FILE, SourceError
from tests.fuzz import screens, shown
from tests.fuzz.target import Changes, Target
from tests.recordings import folder

_BESIDE = ("manifest.json", "events.jsonl", "kmsg.txt")
_HANDOVER = ("/kho/", "setup_data", "@")
_PAGE = 4096
_STRANGE = ("/", "/proc", "/sys/kernel/debug/kho/../x", "/proc/1/fd/3", "proc", "", "/\0", "/dev")


class Watched(FixtureSource):
    """A recording that remembers what was read of it.

    Attributes:
        paths: Files below `root/`.
        places: Address and size of each read of memory.
    """

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.paths: set[str] = set()
        self.places: set[tuple[int, int]] = set()

    def read(self, path: str, limit: int = SMALL_FILE) -> bytes:
        found = super().read(path, limit)
        self.paths.add(path)
        return found

    @property
    def memory(self) -> RecordedMemory:
        return _WatchedMemory(super().memory, self.places)


class _WatchedMemory(RecordedMemory):
    def __init__(self, memory: RecordedMemory, places: set[tuple[int, int]]) -> None:
        self._memory = memory
        self._noted = places

    def read(self, address: int, size: int) -> bytes:
        found = self._memory.read(address, size)
        self._noted.add((address, size))
        return found


@dataclass(frozen=True)
class Copy:
    """A recording of which files can be changed and put back.

    Pieces are files by their path in the folder, and pages of memory as `FILE@OFFSET`.
    """

    place: Path
    pieces: dict[str, bytes]

    def change(self, changes: Changes) -> None:
        """Put damaged pieces in place; a page that is missing is zeros, a file is gone."""
        for name, data in changes.items():
            file, at, offset = name.partition("@")
            place = self.place / file
            if at:
                page = (data or b"").ljust(_PAGE, b"\0")[:_PAGE]
                with suppress(FileNotFoundError), place.open("r+b") as memory:
                    memory.seek(int(offset))
                    memory.write(page)
            elif data is None:
                place.unlink()
            else:
                place.write_bytes(data)

    def restore(self, changes: Changes) -> None:
        """Undo `change`."""
        for name in {name.partition("@")[0] for name in changes}:
            (self.place / name).write_bytes(self.pieces[name])


@cache
def copied(name: str) -> Copy:
    """A copy of a recording, with the pieces that the console reads."""
    top = Path(tempfile.mkdtemp(prefix="kho-fuzz-"))
    place = copytree(folder(name), top / "copy")
    source = Watched(place)
    view = shown.look(source)
    shown.printed(source, view)
    files = [f"root{path}" for path in source.paths]
    files += [name for name in _BESIDE if (place / name).exists()]
    pieces = {file: (place / file).read_bytes() for file in files if (place / file).is_file()}
    for file in sorted((place / "physmem").glob("0x*.bin")):
        key, start, data = f"physmem/{file.name}", int(file.stem, 16), file.read_bytes()
        pages = [at for at in _pages(source.places) if start <= at < start + len(data)]
        if pages:
            pieces[key] = data
        pieces |= {f"{key}@{at - start}": data[at - start :][:_PAGE] for at in pages}
    return Copy(place, pieces)


def read_whole(copy: Copy, changes: Changes, *, drawn: bool) -> None:
    """Open a damaged recording, look at it, and say everything.

    Raises:
        FixtureError: It cannot be opened.
    """
    copy.change(changes)
    try:
        source = FixtureSource(copy.place)
        view = shown.look(source)
        shown.printed(source, view)
        shown.exported(view)
        _asked(source)
        if drawn:
            screens.drawn(view)
    finally:
        copy.restore(changes)


def called(name: str, *, drawn: bool) -> str:
    """The name of a recording's target."""
    return f"screens of {name}" if drawn else name


def target(name: str, *, drawn: bool) -> Target:
    """All that the console says of a recording, on the screens too where it is `drawn`."""
    copy = copied(name)
    return Target(
        name=called(name, drawn=drawn),
        pieces=copy.pieces,
        run=lambda changes: read_whole(copy, changes, drawn=drawn),
        favoured=tuple(
            sorted(item for item in copy.pieces if any(word in item for word in _HANDOVER))
        ),
        expected=(FixtureError,),
    )


def _pages(places: set[tuple[int, int]]) -> list[int]:
    """The pages that were read, ascending."""
    found = {
        at for start, size in places for at in range(start & -_PAGE, start + max(size, 1), _PAGE)
    }
    return sorted(found)


def _asked(source: FixtureSource) -> None:
    """What the source answers to paths that nobody would ask for."""
    for path in _STRANGE:
        for ask in (source.read, source.list, source.link, source.exists):
            with suppress(SourceError):
                ask(path)
