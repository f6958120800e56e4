"""Decoding the maps of the largest hosts, against a program in C that goes bit by bit.

Ours runs in a process of its own, for its memory: the peak is VmHWM, which unlike ru_maxrss does
not remember the process that started it. Pages of the map are read one by one from the prepared
file, so the file itself never counts; the C program has read it before its clock starts.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import reference
from tests.bench.prepared import EVERY_PAGE, EVERY_SECOND_PAGE, FORMS, Prepared
from tests.bench.table import Row, mebibytes, milliseconds

CHECKOUT = Path(__file__).parents[2]
ROUNDS = 3

RANGE = 16
SPARE = 64 << 20
"""Bytes allowed for each range, and for everything else."""


@dataclass(frozen=True, slots=True)
class Host:
    """A host with preserved pages of order 0.

    Attributes:
        name: In the table.
        bitmaps: One for each 128 MiB.
        bitmap: What is in each of them.
        target: For decoding into runs; for the totals it is 1.
    """

    name: str
    bitmaps: int
    bitmap: bytes
    target: float


HOSTS = (
    Host("1 TiB, every page", 8192, EVERY_PAGE, 1),
    Host("64 GiB, every second page", 512, EVERY_SECOND_PAGE, 3),
)


def rows(folder: Path, hosts: tuple[Host, ...] = HOSTS, rounds: int = ROUNDS) -> Iterator[Row]:
    """Time of runs and totals in both formats, peak memory, and how time grows with the host."""
    program = reference.build(folder) if reference.compiler() else None
    for host in hosts:
        for form in FORMS:
            yield from _form(folder, program, host, form, rounds)
        yield _growth(folder, host, rounds)


def prepare(folder: Path, form: str, host: Host, part: int = 1) -> Prepared:
    """The map of a host, or of one that is a `part`-th as large."""
    count = host.bitmaps // part
    return FORMS[form](folder / f"{form}-{count}", repeat(host.bitmap, count))


def ours(prepared: Prepared, what: str) -> dict[str, Any]:
    """What `tests.bench.decode` says of a map in a new process."""
    command = [sys.executable, "-m", "tests.bench.decode", prepared.form, str(prepared.file)]
    command += [str(prepared.head), what]
    done = subprocess.run(
        command, cwd=CHECKOUT, check=True, capture_output=True, text=True, timeout=120
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _form(folder: Path, program: Path | None, host: Host, form: str, rounds: int) -> Iterator[Row]:
    prepared = prepare(folder, form, host)
    for what, target in (("runs", host.target), ("totals", 1.0)):
        name = f"{host.name}: {form}, {what}"
        taken, theirs = [], []
        for _ in range(rounds):
            found = ours(prepared, what)
            taken.append(found["seconds"])
            if program is not None:
                theirs.append(_compared(program, prepared, what, found))
        if program is None:
            said = milliseconds(median(taken))
            yield Row(name, ours=said, note=f"no {reference.COMPILER} here to build the reference")
        else:
            ratio = median(our / their for our, their in zip(taken, theirs, strict=True))
            yield Row(
                name, milliseconds(median(theirs)), milliseconds(median(taken)), ratio, target
            )
        if what == "runs":
            allowed = RANGE * found["ranges"] + SPARE
            used = found["peak"] - found["before"]
            name = f"{host.name}: {form}, peak memory"
            yield Row(name, mebibytes(allowed), mebibytes(used), used / allowed, 1)


def _compared(program: Path, prepared: Prepared, what: str, found: dict[str, Any]) -> float:
    walk = reference.walk(program, prepared, what)
    for key in ("bytes", "ranges"):
        if getattr(walk, key) != found[key]:
            raise AssertionError(f"{key}: {getattr(walk, key)} there, {found[key]} here")
    return walk.seconds


def _growth(folder: Path, host: Host, rounds: int) -> Row:
    """Time of the whole host, by four times that of a quarter of it."""
    taken = {
        part: median(
            ours(prepared, "runs")["seconds"]
            for prepared in repeat(prepare(folder, "radix", host, part), rounds)
        )
        for part in (4, 2, 1)
    }
    quarter, half, whole = (milliseconds(taken[part]) for part in (4, 2, 1))
    steps = f"4 x {quarter}, 2 x {half}"
    return Row(f"{host.name}: radix, growth", steps, whole, taken[1] / (4 * taken[4]))
