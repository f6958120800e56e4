"""The header and the machine that are measured are what they are said to be."""

from pathlib import Path

import pytest

from kho_console.abi import elfcorehdr
from kho_console.engine.observe import observe
from kho_console.model import few
from kho_console.model.crash import Coverage
from tests.bench import reference
from tests.bench.dumping import described, rows, theirs
from tests.bench.large_machine import BLOCK, LargeMachine

needs_compiler = pytest.mark.skipif(
    reference.compiler() is None, reason=f"{reference.COMPILER} is not installed"
)


@needs_compiler
@pytest.mark.parametrize("most", [1 << 20, 0])
def test_our_header_is_that_of_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(few, "FEW", most)
    _, wanted = theirs(tmp_path, 300, 200, 1)
    assert elfcorehdr.build(described(300, 200)) == wanted


def test_a_dump_of_the_large_machine_is_complete() -> None:
    machine = LargeMachine(40)
    machine.online()
    contains = observe(machine).crash.coverage
    assert isinstance(contains, Coverage) and not contains.missing and not contains.stale
    assert contains.expected == 41 * BLOCK - (1 << 20) - (256 << 20)


@needs_compiler
def test_rows_are_made(tmp_path: Path) -> None:
    header, event = rows(tmp_path, cpus=2, ranges=2, blocks=40, rounds=1)
    assert header.ratio is not None and event.ratio is not None
