"""A failing case as a file: what failed, how to have it again, and the least input that does it."""

import base64
import json
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.target import Changes, Target, attempt

FOLDER = Path("build/fuzz")
_MOST_TRIES = 400
_MOST_SECONDS = 30.0


@dataclass(frozen=True)
class Failure:
    """What went wrong in one case.

    Attributes:
        target: Name of the target.
        seed: Seed of the run.
        number: Number of the case.
        where: The error and the place in the console that it came from, the same for one fault.
        told: The traceback.
        changes: The pieces that bring it about.
    """

    target: str
    seed: int
    number: int
    where: str
    told: str
    changes: Changes

    def write(self) -> Path:
        """Write it into `build/fuzz`, and answer where."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        name = f"{self.target}-{self.seed}-{self.number}".replace("/", "_").replace(" ", "_")
        path = FOLDER / f"{name}.json"
        document = {
            "replay": f"python -m tests.fuzz --replay {path}",
            "target": self.target,
            "seed": self.seed,
            "number": self.number,
            "where": self.where,
            "told": self.told.splitlines(),
            "changes": {
                piece: None if data is None else base64.b64encode(data).decode()
                for piece, data in self.changes.items()
            },
        }
        path.write_text(json.dumps(document, indent=2) + "\n")
        return path


def read(path: Path) -> tuple[str, dict[str, bytes | None]]:
    """The target and the changes of a file that `Failure.write` wrote."""
    document = json.loads(path.read_text())
    return document["target"], {
        piece: None if data is None else base64.b64decode(data)
        for piece, data in document["changes"].items()
    }


def origin(path: Path) -> tuple[str, int, int]:
    """Target, seed and number of the case in such a file."""
    document = json.loads(path.read_text())
    return document["target"], document["seed"], document["number"]


def tried(target: Target, changes: Changes) -> BaseException | None:
    """What goes wrong with these changes, None where nothing does."""
    try:
        attempt(target, changes)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return error
    return None


def place(error: BaseException) -> str:
    """The error and the last line of the console on its way."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/kho_console/" in frame.filename]
    frame = (ours or frames)[-1]
    file = frame.filename.rpartition("/kho_console/")[2].rpartition("/tests/")[2]
    return f"{type(error).__name__} in {file}:{frame.lineno}"


def of(target: Target, seed: int, number: int, changes: Changes, error: BaseException) -> Failure:
    """The failure of a case, its changes as small as could be found in a short time."""
    least = shrunk(target, changes, place(error))
    told = "".join(traceback.format_exception(error))
    return Failure(target.name, seed, number, place(error), told, least)


def shrunk(target: Target, changes: Changes, where: str) -> Changes:
    """The same failure with fewer pieces, fewer bytes that differ, and fewer bytes."""
    until = time.monotonic() + _MOST_SECONDS
    tries = 0

    def fails(candidate: Changes) -> bool:
        nonlocal tries
        tries += 1
        if tries > _MOST_TRIES or time.monotonic() > until:
            return False
        error = tried(target, candidate)
        return error is not None and place(error) == where

    found = dict(changes)
    for piece in list(found):
        without = {name: data for name, data in found.items() if name != piece}
        if without and fails(without):
            found = without
    for piece, data in list(found.items()):
        if data is not None:
            found[piece] = _smaller(data, target.pieces[piece], _in_place(found, piece, fails))
    return found


def _in_place(
    changes: Changes, piece: str, fails: Callable[[Changes], bool]
) -> Callable[[bytes], bool]:
    return lambda data: fails({**changes, piece: data})


def _smaller(data: bytes, good: bytes, fails: Callable[[bytes], bool]) -> bytes:
    """Larger parts first: as they were where the length is the same, else left out."""
    size = len(data)
    while size:
        for start in range((len(data) - 1) // size * size, -1, -size):
            behind = data[start + size :]
            kept = good[start : start + size] if len(data) == len(good) else b""
            candidate = data[:start] + kept + behind
            if candidate != data and fails(candidate):
                data = candidate
        size = min(size // 2, len(data))
    return data
