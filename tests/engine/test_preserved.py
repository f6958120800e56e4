from pathlib import Path

import pytest

from kho_console.abi import root_tree
from kho_console.engine import preserved
from kho_console.engine.generation import Recognised
from kho_console.model.finding import Evidence
from kho_console.model.generation import Finalize, Generation, MapFormat, Protocol, State
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import PreservedMap
from kho_console.model.snapshot import Side
from kho_console.model.tree import RootTree
from kho_console.model.unknown import Cause, Maybe, Unknown
from tests.abi import kernel_trees
from tests.abi.kernel_maps import bitmap, chunk
from tests.fixture_folder import FixtureFolder

HEAD = 0x900000


def recognised(
    finalize: Finalize = Finalize.REVERSIBLE,
    state: State = State.FINALIZED,
    protocol: Protocol = Protocol.KHO_V1,
    unavailable: Unknown | None = None,
) -> Recognised:
    return Recognised(
        Generation(protocol, finalize, "some releases", "/kho/out"),
        state,
        Evidence("/kho/out/finalize", "as made"),
        unavailable,
    )


def tree_at(address: int | None) -> RootTree:
    return root_tree.read(kernel_trees.root("kho-v1", address))


def machine(place: Path, release: str) -> FixtureFolder:
    """A list that fits both bitmap sizes: bits 7 and 5000 of one page."""
    made = FixtureFolder(place, release)
    made.pages(
        {HEAD: chunk(0, 0, [(0, HEAD + 0x1000)], 4096), HEAD + 0x1000: bitmap(4096, 7, 5000)}
    )
    return made


def outgoing(
    made: FixtureFolder,
    what: Recognised,
    tree: Maybe[RootTree],
    ram: Maybe[tuple[MemoryRange, ...]] = (),
) -> Maybe[PreservedMap]:
    return preserved.outgoing(made.open(), what, Side(tree, (), preserved.NOT_FINALIZED), ram)


@pytest.mark.parametrize(
    ("release", "form"),
    [
        ("6.16.4", MapFormat.CHUNKS_512),
        ("6.17.8", MapFormat.CHUNKS_512),
        ("6.18.15", MapFormat.CHUNKS_PAGE),
        ("6.19.0", MapFormat.CHUNKS_PAGE),
        ("7.0.14-43-generic", MapFormat.CHUNKS_PAGE),
        ("unheard-of", MapFormat.CHUNKS_PAGE),
    ],
)
def test_the_release_decides_a_tie(tmp_path: Path, release: str, form: MapFormat) -> None:
    found = outgoing(machine(tmp_path, release), recognised(), tree_at(HEAD))
    assert isinstance(found, PreservedMap)
    assert found.format is form
    assert found.tie is not None
    assert form.value in found.tie


def test_the_machines_memory_decides_before_the_release(tmp_path: Path) -> None:
    ram = (MemoryRange(0, 16 << 20),)
    found = outgoing(machine(tmp_path, "6.18.15"), recognised(), tree_at(HEAD), ram)
    assert isinstance(found, PreservedMap)
    assert (found.format, found.tie) == (MapFormat.CHUNKS_512, None)


GONE = Unknown(Cause.ABSENT, "not there")
DENIED = Unknown(Cause.NOT_PERMITTED, "no right")


@pytest.mark.parametrize(
    ("what", "tree", "cause"),
    [
        (recognised(unavailable=DENIED), tree_at(HEAD), Cause.NOT_PERMITTED),
        (recognised(state=State.OPEN), tree_at(HEAD), Cause.NOT_YET),
        (recognised(Finalize.LATCHING, State.OPEN), tree_at(0), Cause.NOT_YET),
        (recognised(Finalize.LATCHING, State.OPEN), tree_at(HEAD), Cause.NOT_YET),
        (recognised(Finalize.NONE, State.STATELESS), tree_at(0), Cause.INVALID),
        (recognised(protocol=Protocol.UNKNOWN), tree_at(HEAD), Cause.UNSUPPORTED),
        (recognised(protocol=Protocol.RFC_2024), GONE, Cause.ABSENT),
        (recognised(state=State.OPEN, protocol=Protocol.RFC_2024), GONE, Cause.NOT_YET),
        (recognised(), tree_at(None), Cause.ABSENT),
        (recognised(), GONE, Cause.ABSENT),
        (recognised(), DENIED, Cause.NOT_PERMITTED),
        (recognised(), tree_at(HEAD + 8), Cause.INVALID),
        (recognised(), tree_at(HEAD + 0x5000), Cause.NOT_RECORDED),
    ],
)
def test_why_there_is_no_map(
    tmp_path: Path, what: Recognised, tree: Maybe[RootTree], cause: Cause
) -> None:
    found = outgoing(machine(tmp_path, "6.18.15"), what, tree)
    assert isinstance(found, Unknown)
    assert found.cause is cause
    assert found.reason


def test_a_finalized_kernel_that_preserves_nothing(tmp_path: Path) -> None:
    """Up to 6.18 address 0 is an empty map (kho-abi 9)."""
    found = outgoing(machine(tmp_path, "6.18.15"), recognised(), tree_at(0))
    assert isinstance(found, PreservedMap)
    assert (found.bytes, found.blocks_by_order) == (0, {})
