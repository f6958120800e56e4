"""Opens the source that an operator names."""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeGuard

from kho_console import resources
from kho_console.engine.noted import NotedSource
from kho_console.source.protocol import Source
from kho_console.source.writable import WritableSource

__all__ = [
    "DEMO",
    "LIVE",
    "CannotOpenError",
    "Source",
    "open_source",
    "open_twin",
    "rehearse",
    "shipped",
    "writable",
]

LIVE = "live"
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


def open_source(word: str) -> Source:
    """The source behind `live`, a fixture's path, or the name of a shipped recording.

    Raises:
        CannotOpenError: There is no such source.
    """
    if word == LIVE:
        from kho_console.source.live import LiveSource

        return LiveSource()
    from kho_console.source.fixture import FixtureError, FixtureSource

    folder = Path(word)
    if not folder.exists():
        folder = _shipped(word)
    try:
        return FixtureSource(folder)
    except FixtureError as error:
        raise CannotOpenError(str(error)) from error


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
    inner = source.source if isinstance(source, NotedSource) else source
    return inner if _changes(inner) else None


def shipped() -> tuple[str, ...]:
    """Names of the recordings that come with the console."""
    folder = resources.fixtures_folder()
    return tuple(
        sorted(
            str(found.parent.relative_to(folder))
            for found in folder.glob("linux-*/*/manifest.json")
        )
    )


def _changes(source: Source) -> TypeGuard[WritableSource]:
    return hasattr(source, "change")


def _shipped(word: str) -> Path:
    names = shipped()
    if word in names:
        return resources.fixtures_folder() / word
    from difflib import get_close_matches

    nearest = get_close_matches(word, names, n=1, cutoff=0.0)
    words = f"{word}: no such folder, and no recording of that name comes with the console"
    raise CannotOpenError(words, tuple(dict.fromkeys((*nearest, *names))))
