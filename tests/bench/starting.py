"""How long the installed console takes to start, against the least that could be done instead.

Each command runs in turn with what it is held against, so that both meet the same machine.
"""

import re
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from tests.bench.table import Row, mebibytes, milliseconds
from tests.ground.terminal import Terminal

CHECKOUT = Path(__file__).parents[2]
WHEELS = Path(sys.prefix) / "wheels"
RECORDING = ("--source", "linux-7.3.4/sessions")

FRAME_END = r"\bq\s+quit\b"
"""The end of the last line of the first frame: the keys."""

ANSWER = r"7\.3\.4\s+x86_64"
"""What a look at the recording brings to the screen."""

_EMPTY = """
from textual.app import App, ComposeResult
from textual.widgets import Static

class Empty(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("q quit")

Empty().run()
"""
_RESIDENT = 90 << 20
_LATE = 60.0


def rows(folder: Path, rounds: int = 11) -> Iterator[Row]:
    """Start of three commands, and memory of the screen, from a wheel installed in `folder`."""
    if not WHEELS.is_dir():
        for what in ("--version", "status --json", "first frame", "resident memory"):
            yield Row(what, note="no wheels here; `make test` collects them")
        return
    programs = install(folder / "environment")
    home = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "TERM": "xterm-256color"}
    bare = (programs / "python", "-c", "pass")
    console = programs / "kho-console"
    yield _commands("--version", bare, (console, "--version"), home, rounds * 2, 1.5)
    status = (console, "status", "--json", *RECORDING)
    yield _commands("status --json", bare, status, home, rounds, 12)
    yield from _screen(programs, console, home, rounds)


def install(environment: Path) -> Path:
    """A virtual environment with the console and its dependencies; its programs' folder."""
    venv.create(environment)
    programs = environment / "bin"
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install"]
    options = ["--quiet", "--no-index", "--find-links", str(WHEELS)]
    subprocess.run([*pip, *options, str(CHECKOUT)], check=True, timeout=300)
    return programs


def _commands(
    what: str,
    reference: Sequence[str | Path],
    ours: Sequence[str | Path],
    home: dict[str, str],
    rounds: int,
    target: float,
) -> Row:
    def run(command: Sequence[str | Path]) -> float:
        started = time.perf_counter()
        subprocess.run(command, env=home, check=True, capture_output=True, timeout=_LATE)
        return time.perf_counter() - started

    for command in (reference, ours):  # The first run finds nothing in the page cache.
        run(command)
    return _ratio(
        what, "python -c pass", [(run(reference), run(ours)) for _ in range(rounds)], target
    )


def _ratio(what: str, reference: str, pairs: list[tuple[float, float]], target: float) -> Row:
    theirs, taken = (median(times) for times in zip(*pairs, strict=True))
    said = f"{reference} {milliseconds(theirs)}"
    ratio = median(our / their for their, our in pairs)
    return Row(what, said, milliseconds(taken), ratio, target)


def _screen(programs: Path, console: Path, home: dict[str, str], rounds: int) -> Iterator[Row]:
    empty = (programs / "python", "-c", _EMPTY)
    ours = (console, *RECORDING)
    pairs, used = [], []
    for at in range(rounds + 1):
        reference, _ = _frame(empty, home, FRAME_END)
        taken, resident = _frame(ours, home, ANSWER)
        if at:
            pairs.append((reference, taken))
            used.append(resident)
    yield _ratio("first frame of the screen", "an empty app", pairs, 1.3)
    most = max(used)
    yield Row("memory of the screen", mebibytes(_RESIDENT), mebibytes(most), most / _RESIDENT, 1)


def _frame(command: Sequence[str | Path], home: dict[str, str], then: str) -> tuple[float, int]:
    """Seconds to the end of the first frame, and the bytes resident once `then` is shown."""
    started = time.perf_counter()
    with Terminal(command, Path(home["HOME"]), home) as terminal:
        shown = terminal.read_until(FRAME_END, _LATE)
        taken = time.perf_counter() - started
        if not shown or not terminal.read_until(then, _LATE):
            raise AssertionError(f"{command[0]} drew no frame: {terminal.text[-500:]!r}")
        terminal.read_until_quiet(0.5, _LATE)
        return taken, _resident(terminal.pid)


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    if found is None:
        raise LookupError(f"no VmRSS in /proc/{pid}/status")
    return int(found[1]) << 10
