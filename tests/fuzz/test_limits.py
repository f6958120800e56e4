"""The limits that floods have led to, each at the first input that is too much."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import fdt, fdt_salvage, kernel_log, scratch, zoneinfo
from kho_console.abi.error import FormatError
from kho_console.abi.fdt_header import MAXIMUM_PROPERTIES
from kho_console.abi.kernel_log import LogKind
from kho_console.abi.memory import MissingMemory
from kho_console.engine import owners, sides
from kho_console.engine.bounded_memory import BoundedMemory
from kho_console.engine.findings.facts import Facts
from kho_console.engine.findings.scratch import overlap
from kho_console.engine.observe import observe
from kho_console.engine.search import search
from kho_console.model.blob import Blob, BlobState, KhoTest, VmallocDescriptor
from kho_console.model.event import Event, EventsLost
from kho_console.model.memory import MemoryRange, merged, without
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureError
from kho_console.source.fixture.events import read_events
from kho_console.source.protocol import SourceError
from tests.abi import kernel_trees
from tests.abi.page_memory import PageMemory, preserved_map
from tests.fixture_folder import KHO, FixtureFolder


def tree_of(properties: int) -> bytes:
    """A tree whose root has so many empty properties."""
    inside = struct.pack(">III", 3, 0, 0) * properties
    structure = struct.pack(">II", 1, 0) + inside + struct.pack(">II", 2, 9)
    end = 56 + len(structure)
    header = (0xD00DFEED, end + 2, 56, end, 40, 17, 16, 0, 2, len(structure))
    return struct.pack(">10I", *header) + bytes(16) + structure + b"a\0"


def test_properties_of_a_tree() -> None:
    found = fdt_salvage.read(tree_of(MAXIMUM_PROPERTIES + 1))
    at = 56 + 8 + 12 * MAXIMUM_PROPERTIES
    assert [(item.offset, item.reason) for item in found.faults] == [
        (at, "more than 262144 properties")
    ]
    assert len(found.root.properties) == MAXIMUM_PROPERTIES


def test_properties_of_a_tree_that_libfdt_takes() -> None:
    with pytest.raises(FormatError, match="more than 262144 properties"):
        fdt.read_whole(tree_of(MAXIMUM_PROPERTIES + 1))


def test_zones() -> None:
    line = b"Node 0, zone Normal\n"
    assert len(zoneinfo.parse(line * 6144)) == 6144
    with pytest.raises(FormatError, match="more than 6144 zones") as caught:
        zoneinfo.parse(line * 6145)
    assert caught.value.offset == len(line) * 6144


def test_scratch_areas() -> None:
    assert len(scratch.parse(b"0x1\n" * 1026, b"0x1\n" * 1026)) == 1026
    with pytest.raises(FormatError, match="more than 1026 areas"):
        scratch.parse(b"0x1\n" * 1027, b"0x1\n" * 1027)


def test_lines_of_the_kernel_log() -> None:
    assert [len(line.text) for line in kernel_log.parse("x" * 8193)] == [8192, 1]
    assert sum(1 for _ in kernel_log.parse("x\n" * 500_001)) == 500_000


def test_facts_of_the_kernel_log() -> None:
    """One message without end does not take the room of another."""
    text = "crash hp: kexec_trylock() failed\n" * 101 + "KHO: exec from: 7.3.4 (count 1)\n"
    found = [fact.kind for fact in kernel_log.facts(kernel_log.parse(text))]
    assert found == [LogKind.CRASH_EVENT_LOST] * 100 + [LogKind.EXEC_FROM]


def test_lines_of_events() -> None:
    line = (
        b'{"kind": "uevent", "monotonic": 1,'
        b' "env": {"SUBSYSTEM": "cpu", "ACTION": "add", "DEVPATH": "/x"}}\n'
    )
    whole = read_events(line * 65536)
    assert len(whole) == 65536
    assert isinstance(whole[-1], Event)
    assert read_events(line * 65537)[65536:] == [
        EventsLost(1.0, "events.jsonl: only its first 65536 lines are read")
    ]


def test_a_manifest_whose_links_stand_in_too_many_folders(tmp_path: Path) -> None:
    made = FixtureFolder(tmp_path, "7.3.4")
    for number in range(1 << 14):
        made.link(f"/x/{number}/link", "y")
    with pytest.raises(FixtureError, match="links stand in more than 16384 folders"):
        made.open()


def test_a_path_longer_than_any(tmp_path: Path) -> None:
    source = FixtureFolder(tmp_path, "7.3.4").open()
    with pytest.raises(SourceError) as caught:
        source.read("/a" * 8193)
    assert "ENAMETOOLONG" in caught.value.unknown.reason
    assert len(caught.value.unknown.reason) < 100


@pytest.mark.parametrize("key", ["release", "machine"])
def test_a_manifest_that_names_no_kernel(tmp_path: Path, key: str) -> None:
    with pytest.raises(FixtureError, match=f"{key} is empty; correct it"):
        FixtureFolder(tmp_path, "7.3.4").open(**{key: ""})


def test_blobs_of_a_side(tmp_path: Path) -> None:
    made = FixtureFolder(tmp_path, "7.3.4")
    for number in range(6):
        made.file(f"{KHO}/out/sub_fdts/{number}", bytes(16 << 20 if number < 5 else 8))
    tree = Unknown(Cause.ABSENT, "none")
    found = sides.blobs(made.open(), f"{KHO}/out/sub_fdts", tree, 4096, incoming=False)
    assert not isinstance(found, Unknown)
    assert [isinstance(blob.content, Unknown) for blob in found] == [False] * 4 + [True] * 2
    assert found[5].content == Unknown(
        Cause.UNREADABLE, "the blobs before it have 67108864 bytes, and more are not read"
    )


def test_findings_of_areas_that_share_memory(tmp_path: Path) -> None:
    made = FixtureFolder(tmp_path, "7.3.4")
    made.file(f"{KHO}/out/fdt", kernel_trees.root("kho-v4", 0x10000))
    made.scratch([(0x1000, 0x1000)] * 100)
    assert len(list(overlap(Facts.of(observe(made.open()))))) == 100


def test_bounded_memory() -> None:
    memory = BoundedMemory(PageMemory({0x1000: bytes(4096)}), 100)
    assert memory.read(0x1000, 100) == bytes(100)
    assert not memory.exhausted
    with pytest.raises(MissingMemory, match="records of more than 100 bytes are not read"):
        memory.read(0x1000, 1)
    assert memory.exhausted


def test_states_that_share_their_records() -> None:
    """Each of the states alone is a memfd; together they would be read without end."""
    chunk, records, content, folios = 0x10000, 0x20000, 0x100000, 1024
    pages = folios * 16 // 4096
    state = struct.pack("<QQIIQQIHH", 0, folios * 4096, 0, 0, folios, chunk, pages, 1, 0)
    listed = [records + at * 4096 for at in range(pages)]
    entries = b"".join(
        struct.pack("<QQ", content // 4096 + at | 3 << 52, at) for at in range(folios)
    )
    states = [0x900000 + at * 8192 for at in range(40)]
    content_pages = {at: entries[at - records : at - records + 4096] for at in listed}
    memory = PageMemory(
        {at: state.ljust(4096, b"\0") for at in states}
        | {chunk: struct.pack(f"<{pages + 1}Q", 0, *listed).ljust(4096, b"\0")}
        | content_pages
    )
    blocks = [(at, 0) for at in (chunk, *states)] + [(at, 0) for at in listed]
    preserved = preserved_map(blocks + [(content + at * 4096, 0) for at in range(folios)])
    found = search(memory, preserved, most=10 * len(entries))
    assert not found.complete
    assert 1 < len(found.memfds) < 10
    assert search(memory, preserved).complete


def test_a_test_module_that_claims_all_memory() -> None:
    memory = PageMemory({})
    test = KhoTest(1, (1 << 20) + 1, 0, None, VmallocDescriptor(0x1000, 1 << 31, 1, 0))
    blob = Blob(
        name=b"kho_test",
        size=1,
        format="fdt",
        compatible=None,
        state=BlobState.VALID,
        reason="",
        address=Unknown(Cause.ABSENT, "none"),
        content=b"x",
        payload=test,
        fields=(),
    )
    list(owners.claims(memory, 4096, None, [blob], ()))
    assert not memory.reads


spans = st.lists(st.builds(MemoryRange, st.integers(0, 60), st.integers(0, 20)), max_size=8).map(
    merged
)


@given(ranges=spans, holes=spans)
def test_ranges_without_holes(
    ranges: tuple[MemoryRange, ...], holes: tuple[MemoryRange, ...]
) -> None:
    def bytes_of(found: tuple[MemoryRange, ...]) -> set[int]:
        return {at for item in found for at in range(item.start, item.end)}

    left = without(ranges, holes)
    assert bytes_of(left) == bytes_of(ranges) - bytes_of(holes)
    assert list(left) == sorted(left)
    assert all(item.size for item in left)
