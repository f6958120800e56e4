"""`check` of a kernel as large as a distribution's, against `zstd -d` on its payload.

Beyond that, `check` may take the time of its start, which is subtracted from what it took: once
that of the console, which is what `status` of the same machine takes, and once that of the bare
interpreter.
"""

import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from tests.abi.kernel_files import bzimage, vmlinux
from tests.bench.table import Row, milliseconds

PROGRAM = "zstd"
EXPANDED = 60 << 20
RECORDING = "linux-7.3.4/sessions"
COMMAND_LINE = "kho=on liveupdate=on"
ROUNDS = 5
TARGET = 1.5

_NOT_COMPILED = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
_NAME = "check of a compressed bzImage"
_CHECKOUT = Path(__file__).parents[2]


def rows(folder: Path, size: int = EXPANDED, rounds: int = ROUNDS) -> Iterator[Row]:
    """The time of `check` less that of a start, by that of `zstd -d`."""
    program = shutil.which(PROGRAM)
    if program is None:
        yield Row(_NAME, note=f"no {PROGRAM} here to compare with")
        return
    image, payload = prepare(folder, program, size)
    theirs = (program, "-d", "-q", "-c", payload)
    verb = ("check", "--source", RECORDING, "--kernel", image, "--command-line", COMMAND_LINE)
    ours = (sys.executable, "-m", "kho_console", *verb)
    started = (sys.executable, "-m", "kho_console", "status", "--source", RECORDING)
    bare = (sys.executable, "-c", "pass")
    environment = _environment(folder)
    taken = [
        tuple(_seconds(command, environment) for command in (theirs, ours, started, bare))
        for _ in range(rounds + 1)
    ][1:]
    name = f"{_NAME}, {payload.stat().st_size / 1e6:.0f} MB"
    for what, column, target in (("the console's", 2, TARGET), ("the interpreter's", 3, None)):
        ratio = median((row[1] - row[column]) / row[0] for row in taken)
        expanding = median(row[0] for row in taken)
        checking = median(row[1] - row[column] for row in taken)
        said = milliseconds(expanding), milliseconds(checking)
        yield Row(f"{name}, less {what} start", *said, ratio, target)


def prepare(folder: Path, program: str, size: int) -> tuple[Path, Path]:
    """A bzImage and its payload; what is in it compresses like a kernel, four to one."""
    plain, payload, image = (folder / name for name in ("vmlinux", "payload.zst", "bzImage"))
    kernel = vmlinux()
    plain.write_bytes(kernel + like_code(size - len(kernel)))
    subprocess.run([program, "-q", "-f", "-9", str(plain), "-o", str(payload)], check=True)
    image.write_bytes(bzimage(payload.read_bytes() + struct.pack("<I", size)))
    return image, payload


def like_code(size: int) -> bytes:
    """Bytes with the repetition of machine code: few of many short pieces make up most of it."""
    import numpy as np

    chance = np.random.default_rng(5)
    pieces = chance.integers(0, 256, (1 << 16, 8), dtype=np.uint8)
    ranks = chance.zipf(1.25, size // 8 + 1) % len(pieces)
    return pieces[ranks].tobytes()[:size]


def _environment(folder: Path) -> dict[str, str]:
    """As for an installed console: its modules are compiled once, and then kept."""
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_COMPILED}
    paths = {"PYTHONPATH": str(_CHECKOUT), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    return kept | paths | {"KHO_CONSOLE_NO_CONFIG": "1"}


def _seconds(command: Sequence[str | Path], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120
    )
    taken = time.perf_counter() - started
    if done.returncode:
        raise AssertionError(f"{command[0]} {command[1]}: {done.stderr[-500:]!r}")
    return taken
