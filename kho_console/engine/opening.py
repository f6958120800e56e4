"""Opens the source that an operator names."""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeGuard

from kho_console import resources
from kho_console.source.protocol import Source
from kho_console.source.writable import WritableSource

__all__ = [
    "DEMO",
    "LIVE",
    "RECORDING",
    "CannotOpenError",
    "Source",
    "fixture",
    "open_source",
    "open_twin",
    "recording_of",
    "rehearse",
    "shipped",
    "writable",
]

LIVE = "live"
RECORDING = "recording"
"""The kind of a source that is a moment of a recording."""

DEMO = "linux-7.3.4/sessions"
"""The recording that `demo` opens: three sessions and three memory files on a real 7.3.4."""


class CannotOpenError(Exception):
    """A source that is not there or cannot serve, with what is wrong and what to do.

    Attributes:
        recordings: What could be opened instead, where a name was not found; the nearest first.
    """

    def __init__(self, words: str, recordings: tuple[str, ...] = ()) -> None:
        super().__init__(words)
        self.recordings = recordings


def open_source(word: str, at: str | None = None) -> Source:
    """The source behind `live`, a fixture's or recording's path, or the name of a shipped one.

    Args:
        word: The name; behind that of a recording may stand `@` and the moment.
        at: The moment of a recording, as `kho_console.engine.moments` reads it; None for its last.

    Raises:
        CannotOpenError: There is no such source, or no such moment.
    """
    if at is None and "@" in word and not Path(word).exists():
        word, _, at = word.rpartition("@")
    place = Path(word)
    if word != LIVE and not place.exists():
        place = _shipped(word)
    if place.is_file():
        return _recorded(place, at)
    if at is not None:
        raise CannotOpenError(f"{word} has one moment only: --at is for a recording")
    if word == LIVE:
        from kho_console.source.live import LiveSource

        return LiveSource()
    from kho_console.source.fixture import FixtureError, FixtureSource

    try:
        return FixtureSource(place)
    except FixtureError as error:
        raise CannotOpenError(str(error)) from error


def _recorded(path: Path, at: str | None) -> Source:
    from kho_console.engine.evidence.bundle import is_bundle
    from kho_console.engine.moments import END, NoMomentError, find
    from kho_console.source.recording import Recording, RecordingError

    if is_bundle(path):
        return _bundled(path, at)
    try:
        recording = Recording(path)
        return recording.at(find(recording, END if at is None else at))
    except (RecordingError, NoMomentError) as error:
        raise CannotOpenError(str(error)) from error


def _bundled(path: Path, at: str | None) -> Source:
    from kho_console.engine.evidence.manifest import BundleError
    from kho_console.engine.evidence.opened import opened
    from kho_console.engine.moments import END, NoMomentError, find

    try:
        found = opened(path, lambda found: found.at(find(found, END if at is None else at)))
    except (BundleError, NoMomentError) as error:
        raise CannotOpenError(f"{path}: {error}") from error
    except OSError as error:
        raise CannotOpenError(f"{path}: {error.strerror or error}") from error
    if at is not None and found.kind != RECORDING:
        raise CannotOpenError(f"{path} has one moment only: --at is for a recording")
    return found


def recording_of(word: str) -> Path | None:
    """The file of the recording that a source's name means; None for any other source."""
    from kho_console.engine.evidence.bundle import is_bundle

    if "@" in word and not Path(word).exists():
        word = word.rpartition("@")[0]
    place = Path(word)
    if not place.exists():
        place = _all_shipped().get(word, place)
    return place if place.is_file() and not is_bundle(place) else None


def fixture(word: str) -> Source | None:
    """The fixture that a folder or the name of a shipped one means; None for anything else.

    Raises:
        CannotOpenError: The folder is no fixture.
    """
    place = Path(word) if Path(word).exists() else _all_shipped().get(word)
    return open_source(word) if place is not None and place.is_dir() else None


def rehearse(source: Source, faults: Iterable[str] = ()) -> Source:
    """A twin of a source, that may be changed; nothing of it is kept.

    Args:
        source: The machine.
        faults: What shall go wrong on it, as `kho_console.engine.rehearsal.fault` reads it.

    Raises:
        CannotOpenError: How its kernel behaves is not known.
        ValueError: A word is no fault.
    """
    from kho_console.engine import rehearsal
    from kho_console.twin.keep import KeptError

    wanted = tuple(rehearsal.fault(word) for word in faults)
    try:
        return rehearsal.rehearsed(source, wanted)
    except (KeptError, rehearsal.CannotSimulate) as error:
        raise CannotOpenError(f"no twin of {source.name}: {error}") from error


def open_twin(file: Path, word: str | None = None, faults: Iterable[str] = ()) -> Source:
    """The twin that is kept in a file, made from a source where there is no file yet.

    Args:
        file: Its file.
        word: The source that it begins with; None to go on with what the file says.
        faults: See `rehearse`.

    Raises:
        CannotOpenError: The file holds no twin, or there is nothing to begin with.
        ValueError: A word is no fault.
    """
    from kho_console.engine import kept_twin, rehearsal
    from kho_console.twin.keep import KeptError

    wanted = tuple(rehearsal.fault(item) for item in faults)
    try:
        found = kept_twin.kept(file)
        if found is None:
            began = _beginning(file, word)
            try:
                return kept_twin.begun(open_source(began), began, file, wanted)
            except FileExistsError:
                # Somebody else was first; it goes on from there.
                found = kept_twin.kept(file)
        if found is None:
            raise CannotOpenError(f"{file}: something is there that cannot be read")
        if word is not None and found.source not in (word, str(Path(word).absolute())):
            raise CannotOpenError(f"{file} holds a twin of {found.source}, not of {word}")
        return kept_twin.restored(found, open_source(found.source), file, wanted)
    except (KeptError, rehearsal.CannotSimulate) as error:
        raise CannotOpenError(f"{file}: {error}") from error
    except OSError as error:
        raise CannotOpenError(f"{file}: {error.strerror or error}") from error


def _beginning(file: Path, word: str | None) -> str:
    """The word for the source that a twin is known by, wherever the next command is run."""
    if word is None or word == LIVE:
        raise CannotOpenError(
            f"{file} is not there yet; it begins with a recording: give --source PATH"
        )
    return str(Path(word).absolute()) if Path(word).exists() else word


def writable(source: Source) -> WritableSource | None:
    """The source as one that can be changed; None for a recording."""
    from kho_console.engine.noted import behind

    inner = behind(source)
    return inner if _changes(inner) else None


def shipped() -> tuple[str, ...]:
    """Names of the fixtures and recordings that come with the console; real kernels first."""
    return tuple(_all_shipped())


def _all_shipped() -> dict[str, Path]:
    """The folder or the file of each, by name."""
    folder = resources.fixtures_folder()
    found = [item.parent for item in folder.glob("linux-*/*/manifest.json")]
    found += folder.glob("linux-*/*.khorec")
    # What the console's own writers made comes last, and what is damaged on purpose goes by path.
    other = [item.parent for item in folder.glob("made/*/manifest.json")]
    other = [item for item in other if not item.name.startswith("hostile-")]
    return {_name(item, folder): item for item in (*sorted(found), *sorted(other))}


def _name(item: Path, folder: Path) -> str:
    return str(item.relative_to(folder)).removesuffix(".khorec")


def _changes(source: Source) -> TypeGuard[WritableSource]:
    return hasattr(source, "change")


def _shipped(word: str) -> Path:
    known = _all_shipped()
    if word in known:
        return known[word]
    from difflib import get_close_matches

    names = tuple(known)
    nearest = get_close_matches(word, names, n=1, cutoff=0.0)
    words = f"{word}: no such folder, and no recording of that name comes with the console"
    raise CannotOpenError(words, tuple(dict.fromkeys((*nearest, *names))))
