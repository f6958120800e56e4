"""Whole recordings: their own numbers, counted from their files."""

from collections import Counter

import pytest

from kho_console.engine.observe import observe
from kho_console.model.blob import MemblockTree
from kho_console.model.generation import Finalize, MapFormat, Protocol, State
from kho_console.model.memory import ScratchRole
from kho_console.model.owner import OwnerKind
from kho_console.model.preserved import PreservedMap
from kho_console.model.session import Direction
from kho_console.model.snapshot import Side, Snapshot
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureSource
from tests.engine.answers import kind_of, map_of, names, tree_of, unknown
from tests.recordings import RECORDINGS, folder


def recorded(name: str) -> Snapshot:
    return observe(FixtureSource(folder(name)))


def test_7_3_4_with_sessions() -> None:
    snapshot = recorded("linux-7.3.4/sessions")
    assert kind_of(snapshot) == (Protocol.KHO_V4, Finalize.NONE, State.STATELESS, "7.2 and 7.3")
    found = map_of(snapshot)
    assert (found.bytes, len(found.ranges)) == (15_896_576, 49)
    assert found.blocks_by_order == {0: 2603, **dict.fromkeys(range(1, 8), 1), 10: 1}
    assert names(snapshot.outgoing) == [b"LUO", b"kexec-metadata", b"memblock"]
    memblock = snapshot.outgoing.blob(b"memblock")
    assert memblock is not None
    assert isinstance(memblock.payload, MemblockTree)
    assert [(item.name, item.size) for item in memblock.payload.regions] == [
        (b"oops", 4 << 20),
        (b"trace", 1 << 20),
    ]
    assert not isinstance(snapshot.scratch, Unknown)
    assert [(item.role, item.node, item.size) for item in snapshot.scratch] == [
        (ScratchRole.LOWMEM, None, 780_140_544),
        (ScratchRole.GLOBAL, None, 0),
        (ScratchRole.NODE, 0, 37_748_736),
        (ScratchRole.NODE, 1, 58_720_256),
    ]
    tree = tree_of(snapshot.outgoing)
    assert (tree.flat.totalsize, tree.window, tree.window_truncated) == (345, 233, True)
    assert tree.flat.faults == ()
    assert [item.name for item in tree.pointers] == [b"memblock", b"LUO", b"kexec-metadata"]
    assert (snapshot.kexec_count, snapshot.booted_through_handover) == (0, False)


def test_6_18_15_finalized() -> None:
    snapshot = recorded("linux-6.18.15/finalized")
    assert kind_of(snapshot) == (
        Protocol.KHO_V1,
        Finalize.REVERSIBLE,
        State.FINALIZED,
        "6.16 to 6.18",
    )
    found = map_of(snapshot)
    assert (found.bytes, len(found.ranges), found.tie) == (5_251_072, 3, None)
    assert found.blocks_by_order == {0: 6, **dict.fromkeys(range(1, 8), 2), 8: 1, 9: 1}
    assert found.format is MapFormat.CHUNKS_PAGE
    tree = tree_of(snapshot.outgoing)
    assert (tree.window, tree.window_truncated, tree.address) == (196, False, 0x406DD000)
    assert unknown(snapshot.kexec_count).cause is Cause.ABSENT


def test_7_1_13_restored() -> None:
    snapshot = recorded("linux-7.1.13/restored")
    assert kind_of(snapshot) == (Protocol.KHO_V3, Finalize.NONE, State.STATELESS, "7.1")
    assert snapshot.booted_through_handover is True
    assert (snapshot.previous_release, snapshot.kexec_count) == (b"7.1.13", 1)
    sessions = snapshot.inventory.sessions
    assert not isinstance(sessions, Unknown)
    assert [item.name for item in sessions] == [b"vm-web", b"vm-db", b"empty"]
    assert {item.direction for item in sessions} == {Direction.INCOMING}
    files = [
        [(found.token, found.size) for found in item.files]
        for item in sessions
        if not isinstance(item.files, Unknown)
    ]
    assert files == [[(0x1001, 2 << 20), (0x1002, 64 << 10)], [(0x2001, 8 << 20)], []]
    assert unknown(snapshot.inventory.preserved).cause is Cause.ABSENT
    assert isinstance(snapshot.incoming, Side)
    assert unknown(snapshot.incoming.preserved).reason == "released by the kernel at boot"


RESERVED = (4 << 20) + (1 << 20)
MEMFDS = (2 << 20) + (64 << 10) + (5 << 20)


@pytest.mark.parametrize(
    ("name", "kind", "format_"),
    [
        (
            "linux-6.17.8/finalized",
            (Protocol.KHO_V1, Finalize.REVERSIBLE, State.FINALIZED, "6.16 to 6.18"),
            MapFormat.CHUNKS_512,
        ),
        (
            "linux-6.19.11/finalized",
            (Protocol.KHO_V1, Finalize.LATCHING, State.FINALIZED, "6.19 and 7.0"),
            MapFormat.CHUNKS_PAGE,
        ),
        (
            "linux-7.2.13/sessions",
            (Protocol.KHO_V4, Finalize.NONE, State.STATELESS, "7.2 and 7.3"),
            MapFormat.RADIX,
        ),
    ],
)
def test_what_was_preserved_by_hand_is_found(
    name: str, kind: tuple[object, ...], format_: MapFormat
) -> None:
    """Each machine preserved two `reserve_mem=` regions, and three memfds where it can."""
    snapshot = recorded(name)
    assert kind_of(snapshot) == kind
    assert map_of(snapshot).format is format_
    ownership = snapshot.inventory.ownership
    assert not isinstance(ownership, Unknown)
    by_kind: Counter[OwnerKind] = Counter()
    for owner, size in ownership.bytes_by_owner().items():
        by_kind[owner.kind] += size
    assert by_kind[OwnerKind.RESERVE_MEM] == RESERVED
    assert by_kind[OwnerKind.MEMFD] == (0 if "6.17" in name else MEMFDS)


def test_records_that_were_freed_when_they_were_read_wait_no_more() -> None:
    """6.19.11: the page's bytes were still those of the records, its flags those of a heap page."""
    waiting = recorded("linux-6.19.11/restored").inventory.waiting
    assert waiting == 3
    gone = unknown(recorded("linux-6.19.11/retrieved").inventory.waiting)
    assert gone.cause is Cause.RELEASED


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_recording(name: str) -> None:
    snapshot = recorded(name)
    _, _, moment = name.rpartition("/")
    assert snapshot.booted_through_handover is (moment in ("restored", "retrieved"))
    assert snapshot.offered is snapshot.booted_through_handover
    assert snapshot.unavailable is None
    assert snapshot.machine.release == name.partition("/")[0].removeprefix("linux-")
    assert snapshot.source.kind == "fixture"
    preserved = snapshot.inventory.preserved
    if isinstance(preserved, PreservedMap):
        ownership = snapshot.inventory.ownership
        assert not isinstance(ownership, Unknown)
        assert sum(ownership.bytes_by_owner().values()) == preserved.bytes


def test_the_costly_part_is_kept() -> None:
    source = FixtureSource(folder("linux-7.3.4/sessions"))
    first = observe(source)
    second = observe(source, first)
    assert second.inventory is first.inventory
    assert tree_of(second.outgoing).address == tree_of(first.outgoing).address
