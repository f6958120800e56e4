"""Decoding PKRAM and kstate, against a program in C over the same bytes."""

import contextlib
import shutil
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from statistics import median

from kho_console.abi.kstate.stream import Walk
from kho_console.abi.pkram.chain import Frames
from kho_console.abi.pkram.links import Links
from kho_console.abi.pkram.touched import Touched
from kho_console.cli.main import main
from kho_console.model.kstate import KstateVersion
from kho_console.source.regular_file import RegularFile
from tests.bench.prepared import BASE, PAGE, FileMemory
from tests.bench.table import Row, milliseconds

SOURCE = Path(__file__).with_name("mechanisms.c")
COMPILER = "gcc"
PAGES = 100 << 18
"""Of 4 KiB: 100 GiB."""

ENTRIES = 1_000_000
ROUNDS = 3
_PER_LINK = 448
_STRIDES = {"of one kind": (24,), "of three kinds": (30, 13, 54), "of any size": ()}


def rows(
    folder: Path, pages: int = PAGES, entries: int = ENTRIES, rounds: int = ROUNDS
) -> Iterator[Row]:
    """Time of both formats; scattered pages and scattered links are only reported."""
    program = build(folder)
    for name, order, target in (
        ("in order", (), 3.0),
        ("pages anywhere", ("pages",), None),
        ("links anywhere", ("links",), None),
    ):
        file = folder / "pkram"
        head = pkram(file, pages, order)
        words: tuple[str, ...] = ("pkram", str(file), str(BASE), str(head))
        title = f"PKRAM, {pages << 12 >> 20} MiB in 4 KiB pages, {name}"
        yield _row(title, program, words, rounds, target, lambda: counted(file, head))  # noqa: B023
    for name, sizes in _STRIDES.items():
        file = folder / "kstate"
        kstate(file, entries, sizes)
        title = f"kstate, {entries} entries {name}"
        words = ("kstate", str(file))
        yield _row(title, program, words, rounds, 20.0, lambda: walked(file))  # noqa: B023
    file, printed = folder / "kstate", folder / "printed"
    descriptions = described(folder / "descriptions")
    typed(file, entries)
    title = f"kstate, {entries} entries by a description, printed"
    words = ("fields", str(file), str(printed))
    yield _row(title, program, words, rounds, 20.0, lambda: shown(file, descriptions, folder))
    if program is not None and printed.read_bytes() != (folder / "shown").read_bytes():
        raise AssertionError(f"{title}: the two do not print the same")


def build(folder: Path) -> Path | None:
    """The program in C, None where there is no compiler."""
    if shutil.which(COMPILER) is None:
        return None
    program = folder / "mechanisms"
    flags = ("-O2", "-Wall", "-Wextra", "-Werror", "-o")
    subprocess.run([COMPILER, *flags, str(program), str(SOURCE)], check=True, timeout=60)
    return program


def pkram(file: Path, pages: int, scattered: tuple[str, ...] = ()) -> int:
    """Links of so many pages from address `BASE` on; the frame of the first."""
    import numpy as np

    count = -(-pages // _PER_LINK)
    chance = np.random.default_rng(8)
    frames = np.arange(count, dtype=np.uint64) + np.uint64(BASE // PAGE)
    if "links" in scattered:
        chance.shuffle(frames)
    data = np.arange(pages, dtype=np.uint64)
    if "pages" in scattered:
        chance.shuffle(data)
    data = (data + np.uint64(1 << 24)) << np.uint64(12)
    links = np.zeros((count, PAGE // 8), np.uint64)
    places = (frames - np.uint64(BASE // PAGE)).astype(np.int64)
    links[places, 0] = np.append(frames[1:], np.uint64(0))
    links[places, 1] = np.arange(count) * _PER_LINK
    links[places, 2 : 2 + _PER_LINK] = np.resize(data, count * _PER_LINK).reshape(count, -1)
    links[places[-1], 2 + pages - (count - 1) * _PER_LINK :] = 0
    links.tofile(file)
    return int(frames[0])


def kstate(file: Path, entries: int, sizes: tuple[int, ...]) -> None:
    """A stream of v2 whose sizes repeat, or are anything where there are none to repeat."""
    chance = Random(8)
    with file.open("wb") as stream:
        for at in range(entries):
            size = sizes[at % len(sizes)] if sizes else chance.randrange(8, 64)
            words = (9, 1, at + 1, size)
            stream.write(b"".join(word.to_bytes(4, "little") for word in words) + bytes(size))
        stream.write(b"\xff" * 4)


def described(file: Path) -> Path:
    """A description of what `typed` writes."""
    fields = {"i": "i32", "s": "char[10]", "l": "u64", "k": "u32", "a": "u64"}
    lines = [f'[[description.field]]\nname = "{name}"\ntype = "{fields[name]}"' for name in fields]
    head = 'version = "v2"\n[[description]]\nname = "own"\nid = 9\nversion = 1\n'
    file.write_text(head + "\n".join(lines))
    return file


def typed(file: Path, entries: int) -> None:
    """A stream of v2 whose entries have the fields of `described`."""
    pack = struct.Struct("<iiiii10sQIQ").pack
    with file.open("wb") as stream:
        for at in range(entries):
            stream.write(
                pack(9, 1, at + 1, 34, -at, b"a\\\x01%d" % (at % 97), at << 40, 7, at << 12)
            )
        stream.write(b"\xff" * 4)


def shown(file: Path, descriptions: Path, folder: Path) -> int:
    """How many entries our verb prints."""
    options = ["--version", "v2", "--descriptions", str(descriptions)]
    with (folder / "shown").open("w") as output, contextlib.redirect_stdout(output):
        if main(["decode", "kstate", str(file), *options]):
            raise AssertionError("decoding is no success")
    with (folder / "shown").open() as printed:
        return sum(line.startswith("0x") for line in printed) - 1


def counted(file: Path, head: int) -> int:
    """How many pages our decoder finds."""
    with FileMemory(file) as memory:
        found = Links(memory, head, Frames(), Touched(None), "link")
    if found.faults:
        raise AssertionError(found.faults)
    return sum(found.blocks.values())


def walked(file: Path) -> int:
    """How many entries our decoder finds."""
    with RegularFile(str(file)) as reader:
        walk = Walk(reader, KstateVersion.V2)
        number = sum(len(found.offsets) for found in walk.headers())
    if not walk.terminated:
        raise AssertionError(walk.faults)
    return number


def _row(
    title: str,
    program: Path | None,
    words: tuple[str, ...],
    rounds: int,
    target: float | None,
    ours: Callable[[], int],
) -> Row:
    taken, theirs = [], []
    for _ in range(rounds):
        started = time.perf_counter()
        number = ours()
        taken.append(time.perf_counter() - started)
        if program is None:
            continue
        done = subprocess.run(
            [program, *words], check=True, capture_output=True, text=True, timeout=120
        )
        nanoseconds, count, _ = map(int, done.stdout.split())
        if count != number:
            raise AssertionError(f"{title}: {count} there, {number} here")
        theirs.append(nanoseconds / 1e9)
    said = milliseconds(median(taken))
    if not theirs:
        return Row(title, ours=said, note=f"no {COMPILER} here to build the reference")
    ratio = median(our / their for our, their in zip(taken, theirs, strict=True))
    return Row(title, milliseconds(median(theirs)), said, ratio, target)
