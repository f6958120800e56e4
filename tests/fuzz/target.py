"""What is fuzzed: named pieces of good input, and something to run over them when damaged."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory, as_unknown
from tests.fuzz.guard import limited
from tests.fuzz.mutation import mutated, rewritten

CASES = int(os.environ.get("KHO_FUZZ_CASES", "4000"))
"""How many damaged inputs `make test` tries, over all targets together."""

SEED = 1
"""The seed of `make test`."""

Changes: TypeAlias = Mapping[str, bytes | None]
"""Pieces that are not as they were; None for one that is missing."""

_PAGE = 4096


@dataclass(frozen=True)
class Target:
    """Something that reads hostile input.

    Attributes:
        name: What to call it in reports and on the command line.
        pieces: Good input, by name: inputs of a decoder, pages of memory, files of a recording.
        run: Reads the pieces with some of them changed. It must end, or raise as documented.
        share: How many of the cases of its family are for it.
        favoured: Pieces that are damaged more often than the others.
        pages: Whether pieces are pages of memory, which keep their length.
        expected: How it may refuse its input.
    """

    name: str
    pieces: Mapping[str, bytes]
    run: Callable[[Changes], object]
    share: float = 0
    favoured: tuple[str, ...] = ()
    pages: bool = False
    expected: tuple[type[Exception], ...] = (FormatError, MissingMemory)


def damaged(target: Target, seed: int, number: int) -> dict[str, bytes | None]:
    """The pieces that case `number` changes."""
    chance = Random(f"{seed} {target.name} {number}")
    names = sorted(target.pieces)
    changes: dict[str, bytes | None] = {}
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        pool = target.favoured if target.favoured and chance.random() < 0.6 else names
        name = chance.choice(pool)
        changes[name] = _damaged(target, chance, name)
    return changes


def attempt(target: Target, changes: Changes) -> None:
    """One case.

    Raises:
        BaseException: Whatever is no clear refusal of the input.
    """
    with limited():
        try:
            target.run(changes)
        except target.expected as error:
            check(error)


def check(error: Exception) -> None:
    """That a refusal says what is wrong and, where the format has one, at which offset."""
    if isinstance(error, FormatError | MissingMemory):
        told = as_unknown(error)
        assert told.reason
        assert told.offset is not None
        assert told.offset >= 0
    else:
        assert str(error)


@contextmanager
def refused() -> Iterator[None]:
    """A decoder of several over the same bytes; each may refuse them, none else."""
    try:
        yield
    except FormatError as error:
        check(error)


def _damaged(target: Target, chance: Random, name: str) -> bytes | None:
    good = target.pieces[name]
    if chance.random() < 0.03:
        return None
    others = () if len(target.pieces) == 1 else (target.pieces[_other(target, chance)],)
    if name.endswith(".json") and chance.random() < 0.8:
        return rewritten(chance, good)
    if name.endswith(".jsonl") and chance.random() < 0.5:
        return _rewritten_line(chance, good)
    found = mutated(chance, good, others)
    return found.ljust(_PAGE, b"\0")[:_PAGE] if target.pages else found


def _other(target: Target, chance: Random) -> str:
    return chance.choice(sorted(target.pieces))


def _rewritten_line(chance: Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    if lines:
        at = chance.randrange(len(lines))
        lines[at] = rewritten(chance, lines[at]) + b"\n"
    return b"".join(lines)
