"""Runs every bench and prints one table; `python -m tests.bench`.

Whether something is over its target does not change the exit code, as machines are noisy. It is 1
where a bench broke; the others run all the same.
"""

import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench import (
    checking,
    decoding,
    dumping,
    mechanisms,
    recording,
    rehearsing,
    scrolling,
    starting,
    storms,
)
from tests.bench.table import Row, table

Bench = Callable[[Path], Iterator[Row]]

BENCHES: dict[str, Bench] = {
    "decoding": decoding.rows,
    "mechanisms": mechanisms.rows,
    "starting": starting.rows,
    "checking": checking.rows,
    "recording": recording.rows,
    "dumping": dumping.rows,
    "rehearsing": lambda folder: rehearsing.rows(),
    "scrolling": lambda folder: scrolling.rows(),
    "storms": lambda folder: storms.rows(),
}


def main(benches: dict[str, Bench] = BENCHES) -> int:
    """Run them, and answer the exit code."""
    rows: list[Row] = []
    broken = 0
    for name, bench in benches.items():
        sys.stderr.write(f"{name} ..\n")
        with tempfile.TemporaryDirectory(prefix="kho-bench-") as folder:
            try:
                rows.extend(bench(Path(folder)))
            except Exception as error:
                broken = 1
                traceback.print_exc()
                rows.append(Row(name, note=f"it broke: {type(error).__name__}"))
    sys.stdout.write(table(rows) + "\n")
    return broken


if __name__ == "__main__":
    sys.exit(main())
