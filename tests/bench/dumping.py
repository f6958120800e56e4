"""What keeps a crash image up to date: building its header, and comparing it after an event.

The header is held against a program in C that fills the same bytes; an event's comparison against
the first, whole one of the same machine.
"""

import subprocess
import time
from array import array
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from kho_console.abi import elfcorehdr
from kho_console.abi.elfcorehdr import Described
from kho_console.engine.crash.recheck import recheck
from kho_console.engine.observe import observe
from kho_console.model.crash import CoreLoad, Coverage, LoadKind
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs
from tests.bench import reference
from tests.bench.large_machine import LargeMachine
from tests.bench.table import Row, milliseconds

CPUS = 8192
RANGES = 8000
BLOCKS = 49152
ROUNDS = 20

HEADER_TARGET = 10
EVENT_TARGET = 0.1

PROGRAM = Path(__file__).with_name("core_header.c")


def rows(
    folder: Path,
    cpus: int = CPUS,
    ranges: int = RANGES,
    blocks: int = BLOCKS,
    rounds: int = ROUNDS,
) -> Iterator[Row]:
    """Both of it."""
    yield _header(folder, cpus, ranges, rounds)
    yield _event(blocks, rounds)


def described(cpus: int, ranges: int) -> Described:
    """The machine of the program in C."""
    starts = array("Q", ((1 << 32) + (at << 28) for at in range(ranges)))
    return Described(
        machine=62,
        notes=array("Q", ((1 << 30) + at * 512 for at in range(cpus))),
        note_size=368,
        vmcoreinfo=MemoryRange((1 << 30) - 4096, 4132),
        text=CoreLoad(MemoryRange(0x110000000, 16 << 20), 0xFFFF_FFFF_8100_0000, LoadKind.TEXT),
        memory=Runs(starts, array("Q", (start + (1 << 27) for start in starts))),
        direct_map=0xFF11_0000_0000_0000,
    )


def theirs(folder: Path, cpus: int, ranges: int, rounds: int) -> tuple[list[float], bytes]:
    """Seconds of each round of the program in C, and the header that it fills."""
    program = reference.build(folder, PROGRAM)
    file = folder / "elfcorehdr"
    words = [str(program), str(cpus), str(ranges), str(rounds), str(file)]
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=120)
    return [int(line) / 1e9 for line in done.stdout.split()], file.read_bytes()


def _header(folder: Path, cpus: int, ranges: int, rounds: int) -> Row:
    machine = described(cpus, ranges)
    name = f"core header of {cpus:,} CPUs and {ranges:,} ranges"
    taken = []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        made = elfcorehdr.build(machine)
        taken.append(time.perf_counter() - started)
    ours = median(taken[1:])
    if reference.compiler() is None:
        said = milliseconds(ours)
        return Row(name, ours=said, note=f"no {reference.COMPILER} here to build the reference")
    seconds, wanted = theirs(folder, cpus, ranges, rounds + 1)
    if made != wanted:
        raise AssertionError("the headers differ")
    filling = median(seconds[1:])
    return Row(name, milliseconds(filling), milliseconds(ours), ours / filling, HEADER_TARGET)


def _event(blocks: int, rounds: int) -> Row:
    machine = LargeMachine(blocks)
    before = time.perf_counter()
    snapshot = observe(machine)
    whole = time.perf_counter() - before
    taken = []
    for _ in range(rounds):
        happened = machine.online()
        before = time.perf_counter()
        snapshot = recheck(machine, snapshot, [happened])
        taken.append(time.perf_counter() - before)
    contains = snapshot.crash.coverage
    if not isinstance(contains, Coverage) or contains.missing or contains.stale:
        raise AssertionError(f"the dump is not complete: {contains}")
    name = f"an event's comparison, {blocks:,} blocks"
    event = median(taken)
    said = milliseconds(whole), milliseconds(event)
    return Row(name, f"the first {said[0]}", said[1], event / whole, EVENT_TARGET)
