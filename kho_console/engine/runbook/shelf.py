"""The runbooks that come with the console, and the runs that are kept in a folder."""

from collections.abc import Iterable
from pathlib import Path

from kho_console import resources
from kho_console.engine.runbook import file
from kho_console.engine.runbook.error import RunbookError, RunError
from kho_console.engine.runbook.journal import FILE, RunJournal
from kho_console.engine.runbook.state import State, state
from kho_console.engine.who import who
from kho_console.model.runbook import OVER, Runbook, RunSummary
from kho_console.model.unknown import Cause, Unknown

_SUFFIX = ".toml"


def names() -> tuple[str, ...]:
    """The names of the shipped runbooks."""
    return tuple(sorted(path.stem for path in resources.runbooks_folder().glob(f"*{_SUFFIX}")))


def path(word: str) -> Path:
    """The file of a runbook by its name, or by a path that ends in `.toml`.

    Raises:
        RunbookError: There is no such runbook.
    """
    if word.endswith(_SUFFIX):
        return Path(word)
    if word in names():
        return resources.runbooks_folder() / f"{word}{_SUFFIX}"
    from difflib import get_close_matches

    nearest = get_close_matches(word, names(), n=1, cutoff=0.0)
    words = "".join(f"; the nearest is {name}" for name in nearest)
    raise RunbookError(f"there is no runbook {word}{words}")


def read(word: str) -> Runbook:
    """A runbook by its name or path.

    Raises:
        RunbookError: There is none, or it is not as it must be.
    """
    return file.read(path(word))


def shipped() -> tuple[Runbook, ...]:
    """All that come with the console.

    Raises:
        RunbookError: One is not as it must be.
    """
    return tuple(read(name) for name in names())


def runs(folder: Path) -> tuple[RunSummary, ...]:
    """The runs in a folder, the latest last; none where there is no folder."""
    try:
        found = sorted(item.parent for item in folder.glob(f"*/{FILE}"))
    except OSError:
        return ()
    return tuple(sorted(map(_summary, found), key=lambda item: item.begun))


def open_runs(folder: Path) -> tuple[RunSummary, ...]:
    """Those that go on."""
    return tuple(item for item in runs(folder) if item.over is None and item.damage is None)


def told(folder: Path) -> State:
    """How the run in a folder stands.

    Raises:
        RunError: It is none that can be read.
    """
    return state(folder.name, RunJournal(folder, who()).lines())


def _summary(folder: Path) -> RunSummary:
    try:
        found = told(folder)
    except RunError as error:
        damage = Unknown(Cause.INVALID, str(error))
        return RunSummary(folder.name, "", "", None, 0, 0, "", damage)
    current = found.current
    return RunSummary(
        id=found.id,
        book=found.book.name,
        begun=found.begun,
        over=found.over,
        done=_count(item.standing in OVER for item in found.steps.values()),
        steps=len(found.steps),
        at="" if current is None else current.id,
    )


def _count(found: Iterable[bool]) -> int:
    return sum(found)
