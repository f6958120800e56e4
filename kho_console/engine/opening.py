"""Opens the source that an operator names."""

from pathlib import Path

from kho_console import resources
from kho_console.source.protocol import Source

__all__ = ["DEMO", "LIVE", "CannotOpenError", "Source", "open_source", "shipped"]

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


def shipped() -> tuple[str, ...]:
    """Names of the recordings that come with the console."""
    folder = resources.fixtures_folder()
    return tuple(
        sorted(
            str(found.parent.relative_to(folder))
            for found in folder.glob("linux-*/*/manifest.json")
        )
    )


def _shipped(word: str) -> Path:
    names = shipped()
    if word in names:
        return resources.fixtures_folder() / word
    from difflib import get_close_matches

    nearest = get_close_matches(word, names, n=1, cutoff=0.0)
    words = f"{word}: no such folder, and no recording of that name comes with the console"
    raise CannotOpenError(words, tuple(dict.fromkeys((*nearest, *names))))
