import struct
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from kho_console.abi import blob, root_tree, runs
from kho_console.engine import owners
from kho_console.engine.owners import Claim
from kho_console.model.blob import Blob, BlobState
from kho_console.model.memory import MemoryRange
from kho_console.model.owner import Extent, Owner, OwnerKind, Ownership
from kho_console.model.preserved import PreservedMap
from kho_console.model.tree import RootTree
from tests.abi import kernel_trees
from tests.abi.kernel_trees import u32, u64
from tests.abi.page_memory import PageMemory, preserved_map

PAGE = 4096
A, B = Owner(OwnerKind.BLOB, b"a"), Owner(OwnerKind.BLOB, b"b")
REST = Owner(OwnerKind.UNATTRIBUTED)
LAST = (1 << 64) - 1


def claim(owner: Owner, *ranges: tuple[int, int]) -> Claim:
    return Claim(owner, runs.of_ranges(ranges))


def extents(found: Ownership) -> list[tuple[int, int, Owner]]:
    return [(item.range.start, item.range.end, item.owner) for item in found]


def preserved(*pages: int) -> PreservedMap:
    return preserved_map([(page * PAGE, 0) for page in pages])


def test_without_claims_all_is_the_rest() -> None:
    found = owners.attribute(preserved(1, 2, 5), [], True)
    assert extents(found) == [(PAGE, 3 * PAGE, REST), (5 * PAGE, 6 * PAGE, REST)]
    assert found[0] == Extent(MemoryRange(PAGE, 2 * PAGE), REST)
    assert found.complete


def test_nothing_is_preserved() -> None:
    found = owners.attribute(preserved_map([]), [claim(A, (0, PAGE))], False)
    assert (len(found), found.complete, found.bytes_by_owner()) == (0, False, {})


def test_ranges_are_cut_where_the_owner_changes() -> None:
    claims = [claim(A, (2 * PAGE, 4 * PAGE)), claim(B, (0, PAGE), (6 * PAGE, 9 * PAGE))]
    found = owners.attribute(preserved(0, 1, 2, 3, 4, 7), claims, True)
    assert extents(found) == [
        (0, PAGE, B),
        (PAGE, 2 * PAGE, REST),
        (2 * PAGE, 4 * PAGE, A),
        (4 * PAGE, 5 * PAGE, REST),
        (7 * PAGE, 8 * PAGE, B),
    ]
    assert found.bytes_by_owner() == {REST: 2 * PAGE, A: 2 * PAGE, B: 2 * PAGE}


def test_the_claim_that_starts_first_keeps_what_two_claim() -> None:
    claims = [claim(B, (PAGE, 4 * PAGE)), claim(A, (0, 3 * PAGE))]
    found = owners.attribute(preserved(0, 1, 2, 3), claims, True)
    assert extents(found) == [(0, 3 * PAGE, A), (3 * PAGE, 4 * PAGE, B)]


def test_a_claim_inside_another() -> None:
    claims = [claim(A, (0, 4 * PAGE)), claim(B, (PAGE, 2 * PAGE))]
    found = owners.attribute(preserved(0, 1, 2, 3), claims, True)
    assert extents(found) == [(0, 4 * PAGE, A)]


def test_claims_on_what_is_not_preserved_add_nothing() -> None:
    found = owners.attribute(preserved(1), [claim(A, (8 * PAGE, 9 * PAGE))], True)
    assert found.bytes_by_owner() == {REST: PAGE}


@given(
    st.sets(st.integers(0, 24)),
    st.lists(
        st.tuples(st.sampled_from([A, B, REST]), st.integers(0, 22), st.integers(1, 8)), max_size=6
    ),
)
def test_extents_are_those_of_the_pages_one_by_one(
    pages: set[int], claimed: list[tuple[Owner, int, int]]
) -> None:
    owner_of = dict.fromkeys(pages, REST)
    for owner, start, size in sorted(claimed, key=lambda item: item[1], reverse=True):
        owner_of |= {page: owner for page in range(start, start + size) if page in pages}
    # Of claims that start together the first one has its way, so each start stands but once.
    starts = [start for _, start, _ in claimed]
    assume(len(set(starts)) == len(starts))
    claims = [claim(owner, (at * PAGE, (at + size) * PAGE)) for owner, at, size in claimed]
    wanted: list[tuple[int, int, Owner]] = []
    for page, owner in sorted(owner_of.items()):
        start = page * PAGE
        if wanted and wanted[-1][1:] == (start, owner):
            start = wanted.pop()[0]
        wanted.append((start, (page + 1) * PAGE, owner))
    assert extents(owners.attribute(preserved(*pages), claims, True)) == wanted


# --- what blobs and trees lay claim to


def tree_with(*nodes: tuple[str, int, int], address: int = 0x7000) -> RootTree:
    blob_tree = kernel_trees.root("kho-v4", 0x1000)
    for name, place, size in nodes:
        blob_tree = kernel_trees.with_blob(blob_tree, name, place, size)
    return root_tree.read(blob_tree, address=address, window=False)


def blob_of(name: bytes, content: bytes, address: int = 0x9000) -> Blob:
    return replace(blob.interpret(name, content, PAGE, incoming=False), address=address)


def claimed(
    tree: RootTree | None, *blobs: Blob, memory: PageMemory | None = None
) -> dict[Owner, list[MemoryRange]]:
    found = owners.claims(memory or PageMemory({}), PAGE, tree, blobs, ())
    return {item.owner: list(item.memory) for item in found}


def test_the_root_tree_and_a_blob_own_their_pages() -> None:
    tree = tree_with(("raw", 0x9F00, 5000))
    assert claimed(tree, blob_of(b"raw", bytes(5000), 0)) == {
        Owner(OwnerKind.ROOT_TREE): [MemoryRange(0x7000, PAGE)],
        Owner(OwnerKind.BLOB, b"raw"): [MemoryRange(0x9000, 3 * PAGE)],
    }


def test_a_blob_without_a_tree_has_its_own_address() -> None:
    assert claimed(None, blob_of(b"raw", b"x", 0x9010)) == {
        Owner(OwnerKind.BLOB, b"raw"): [MemoryRange(0x9000, PAGE)]
    }


def test_reserved_regions() -> None:
    content = kernel_trees.memblock([("oops", 0x400000, 0x3000)])
    owner = Owner(OwnerKind.RESERVE_MEM, b"oops")
    assert claimed(None, blob_of(b"memblock", content))[owner] == [MemoryRange(0x400000, 0x3000)]


def test_addresses_at_the_end_of_everything() -> None:
    """Hostile numbers: whatever runs over the last address is cut there."""
    content = kernel_trees.memblock([("end", LAST, 1), ("all", 0, LAST)])
    tree = tree_with(("memblock", LAST, 294), address=LAST)
    found = claimed(tree, blob_of(b"memblock", content))
    assert found[Owner(OwnerKind.RESERVE_MEM, b"all")] == [MemoryRange(0, LAST)]
    result = owners.attribute(
        preserved(1), owners.claims(PageMemory({}), PAGE, tree, [blob_of(b"m", content)], ()), True
    )
    assert result.bytes_by_owner() == {Owner(OwnerKind.RESERVE_MEM, b"all"): PAGE}


def test_live_update_records() -> None:
    struct_blob = b"luo-v5\0\0" + struct.pack("<3Q", 1, 0x50000, 0x60000)
    owner = Owner(OwnerKind.LIVE_UPDATE)
    assert claimed(None, blob_of(b"LUO", struct_blob))[owner] == [MemoryRange(0x60000, PAGE)]
    nodes = [
        ("luo-session", [("compatible", b"luo-session-v2\0"), ("luo-session-header", u64(0x50000))])
    ]
    tree_blob = kernel_trees.sequential(
        [("compatible", b"luo-v1\0"), ("liveupdate-number", u64(1))], nodes
    )
    assert claimed(None, blob_of(b"LUO", tree_blob))[owner] == [MemoryRange(0x50000, 65536)]


def kho_test_blob(folios_info: bytes, count: int) -> Blob:
    data = [("nr_folios", u32(count)), ("csum", u32(1)), ("folios_info", folios_info)]
    properties = [("compatible", b"kho-test-v1\0"), ("magic", u32(0x4B484F21))]
    return blob_of(b"kho_test", kernel_trees.sequential(properties, [("data", data)]))


def test_folios_of_the_test_module_inline() -> None:
    found = claimed(None, kho_test_blob(u64(0x100001) + u64(0x200000) + u64(LAST), 3))
    assert found[Owner(OwnerKind.KHO_TEST)] == [
        MemoryRange(0x100000, 2 * PAGE),
        MemoryRange(0x200000, PAGE),
    ]


def test_folios_of_the_test_module_in_a_vmalloc_area() -> None:
    chunk, listed = 0x30000, 0x31000
    memory = PageMemory(
        {
            chunk: struct.pack("<QQ", 0, listed).ljust(PAGE, b"\0"),
            listed: (u64(0x100003) + u64(0x300000)).ljust(PAGE, b"\0"),
        }
    )
    descriptor = struct.pack("<QIHH", chunk, 1, 1, 0)
    test = kho_test_blob(descriptor, 2)
    found = claimed(None, test, memory=memory)
    assert found[Owner(OwnerKind.VMALLOC, b"kho_test")] == [MemoryRange(chunk, 2 * PAGE)]
    assert found[Owner(OwnerKind.KHO_TEST)] == [
        MemoryRange(0x100000, 8 * PAGE),
        MemoryRange(0x300000, PAGE),
    ]
    assert Owner(OwnerKind.KHO_TEST) not in claimed(None, test)


def test_only_valid_blobs_speak_for_memory() -> None:
    content = kernel_trees.memblock([("oops", 0x400000, 0x3000)])
    good = blob_of(b"memblock", content)
    assert len(claimed(None, good)) == 2
    stale = replace(good, state=BlobState.STALE)
    assert list(claimed(None, stale)) == [Owner(OwnerKind.BLOB, b"memblock")]
