"""`python -m tests.fuzz`: damages everything that the console reads, for as long as one likes."""

import argparse
import secrets
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz import failure, long, properties
from tests.fuzz.catalogue import target
from tests.fuzz.target import Changes, damaged


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, or replay; 1 where something failed."""
    wanted = _parsed(arguments)
    if wanted.replay:
        name, changes = failure.read(wanted.replay)
        return _again(name, changes) if changes else _case(*failure.origin(wanted.replay))
    if wanted.case:
        name, seed, number = wanted.case
        return _case(name, int(seed), int(number))
    seed = secrets.randbelow(1 << 32) if wanted.seed is None else wanted.seed
    works = long.plan(wanted.cases, wanted.only)
    if not works:
        print(f"no target has {wanted.only!r} in its name", file=sys.stderr)
        return 2
    print(f"seed {seed}, {wanted.processes} processes; Ctrl-C stops", file=sys.stderr)
    begun = time.monotonic()
    report = long.run(works, seed, wanted.processes)
    return _summed_up(report, time.monotonic() - begun, seed)


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=200_000, help="how many (default: 200000)")
    parser.add_argument("--seed", type=int, help="makes the same cases again (default: any)")
    parser.add_argument("--processes", type=int, default=2, help="at once (default: 2)")
    parser.add_argument("--only", default="", help="targets with this in their name")
    parser.add_argument("--case", nargs=3, metavar=("TARGET", "SEED", "NUMBER"), help="one case")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="a case that was written")
    return parser.parse_args(arguments)


def _case(name: str, seed: int, number: int) -> int:
    if name in properties.PROPERTIES:
        properties.run(name, f"{seed} {number}", long.PIECE)
        return 0
    return _again(name, damaged(target(name), seed, number))


def _again(name: str, changes: Changes) -> int:
    error = failure.tried(target(name), changes)
    if error is None:
        print("nothing fails")
        return 0
    traceback.print_exception(error)
    return 1


def _summed_up(report: long.Report, seconds: float, seed: int) -> int:
    print(f"{report.cases:,} cases in {seconds / 60:.1f} min, seed {seed}")
    for name, spent in sorted(report.seconds.items(), key=lambda item: -item[1])[:5]:
        print(f"  {spent:7.1f} s  {name}")
    for spent, name, number in report.slowest:
        print(f"  slowest: {spent:.2f} s  --case '{name}' {seed} {number}")
    for found in report.failures:
        print(f"FAILED: {found.target} {found.number}: {found.where}, in {found.write()}")
    print(f"{len(report.failures)} failures, {report.deaths} processes ended unasked")
    return 1 if report.failures or report.deaths else 0


if __name__ == "__main__":
    sys.exit(main())
