"""The program in C that our decoding is held against; built when it is needed."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.bench.prepared import BASE, Prepared

SOURCE = Path(__file__).with_name("reference.c")
COMPILER = "gcc"


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk over a map.

    Attributes:
        seconds: How long it took, by the program's own clock.
        bytes: What it found, as are the other two.
        ranges: Runs, across no orders.
        blocks_by_order: Blocks of each order.
    """

    seconds: float
    bytes: int
    ranges: int
    blocks_by_order: dict[int, int]


def compiler() -> str | None:
    """The compiler of this machine, None where it has none."""
    return shutil.which(COMPILER)


def build(folder: Path, source: Path = SOURCE) -> Path:
    """A program, built in `folder`."""
    program = folder / source.stem
    flags = ("-O2", "-Wall", "-Wextra", "-Werror", "-o")
    subprocess.run([COMPILER, *flags, str(program), str(source)], check=True, timeout=60)
    return program


def walk(program: Path, prepared: Prepared, what: str) -> Walk:
    """Walk a map once; `what` is `runs` or `totals`."""
    first, *others = _run(program, prepared, what)
    nanoseconds, size, ranges = map(int, first.split())
    orders = re.findall(r"order (\d+): (\d+)", "\n".join(others))
    return Walk(nanoseconds / 1e9, size, ranges, {int(at): int(n) for at, n in orders})


def runs(program: Path, prepared: Prepared) -> dict[int, list[tuple[int, int]]]:
    """Start and end of every run, by order."""
    found: dict[int, list[tuple[int, int]]] = {}
    for line in _run(program, prepared, "runs", "list"):
        if listed := re.fullmatch(r"(\d+) 0x([0-9a-f]+) 0x([0-9a-f]+)", line):
            run = (int(listed[2], 16), int(listed[3], 16))
            found.setdefault(int(listed[1]), []).append(run)
    return found


def _run(program: Path, prepared: Prepared, *words: str) -> list[str]:
    places = (str(prepared.file), str(BASE), str(prepared.head))
    command = [str(program), prepared.form, *places, "1", *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return done.stdout.splitlines()
