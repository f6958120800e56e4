"""Completes the names of image files on the operator's disk, and of kernels that a twin has."""

import os
from itertools import takewhile
from pathlib import Path

from kho_console.model.change import SIMULATED
from kho_console.model.value import dataclass

_MOST = 10_000
"""Names of a folder that are looked at."""


@dataclass(frozen=True, slots=True)
class Completed:
    """What somebody typed, completed.

    Attributes:
        text: What stands there then.
        names: What it could become, where that is not settled; folders end in a slash.
    """

    text: str
    names: tuple[str, ...] = ()


def completed(typed: str, *, simulated: bool = False) -> Completed:
    """Complete a path as far as there is one way to go on.

    Args:
        typed: The beginning of a path; a leading `~` is the home of the user.
        simulated: Whether kernels that only a twin has may be named.
    """
    if simulated and typed.startswith(SIMULATED):
        return _chosen(typed, "", _simulated())
    folder, slash, start = typed.rpartition("/")
    try:
        with os.scandir(whole(folder + slash or ".")) as entries:
            found = [_name(entry) for entry, _ in zip(entries, range(_MOST), strict=False)]
    except OSError:
        return Completed(typed)
    # What cannot be typed is not offered, and hidden names only to who asks for them.
    names = [name for name in found if name.isprintable() and name.isascii()]
    shown = [name for name in names if not name.startswith(".") or start.startswith(".")]
    return _chosen(start, folder + slash, shown)


def whole(typed: str) -> str:
    """The whole path of what was typed; a kernel that only a twin has keeps its name."""
    if typed.startswith(SIMULATED):
        return typed
    try:
        return str(Path(typed).expanduser().absolute())
    except RuntimeError:
        return str(Path(typed).absolute())


def _same(letters: tuple[str, ...]) -> bool:
    return len(set(letters)) == 1


def _simulated() -> list[str]:
    # A machine without a twin has no use for what makes one.
    from kho_console.twin.release import RELEASES

    return [f"{SIMULATED}{name}" for name in RELEASES]


def _name(entry: "os.DirEntry[str]") -> str:
    try:
        return f"{entry.name}/" if entry.is_dir() else entry.name
    except OSError:
        return entry.name


def _chosen(start: str, before: str, names: list[str]) -> Completed:
    fitting = sorted(name for name in names if name.startswith(start))
    if not fitting:
        return Completed(before + start)
    common = "".join(letters[0] for letters in takewhile(_same, zip(*fitting, strict=False)))
    return Completed(before + common, () if len(fitting) == 1 else tuple(fitting))
