"""Every recorded map and tree, decoded and written again, is the recorded bytes bit for bit."""

from dataclasses import replace

import pytest

from kho_console.abi import chunk_list, fdt, kexec_metadata, luo, memblock, radix_tree, root_tree
from kho_console.model.blob import LuoHeader
from kho_console.model.memory import MemoryRange
from kho_console.model.tree import RootTree
from tests.abi.page_memory import PageMemory, recorded, recorded_file
from tests.recordings import FIXTURES, RECORDINGS

KHO = "/sys/kernel/debug/kho"
# Heads of the outgoing maps, read with xxd from out/fdt at offset 96 (104 in 6.17 and 6.18).
CHUNK_HEADS = {
    "linux-6.17.8/finalized": 0x1068000,
    "linux-6.17.8/crash-loaded": 0x113C000,
    "linux-6.17.8/ready": 0x113C000,
    "linux-6.18.15/finalized": 0xA4B000,
    "linux-6.18.15/crash-loaded": 0x3224A000,
    "linux-6.18.15/hotplugged": 0x3224A000,
    "linux-6.18.15/ready": 0x3224A000,
    "linux-6.19.11/finalized": 0xD9F000,
    "linux-6.19.11/crash-loaded": 0xD9F000,
    "linux-6.19.11/ready": 0xD9F000,
}
NOT_FINALIZED = ["linux-6.19.11/cold", "linux-6.19.11/sessions"]
"""From 6.19 on the tree is there before, and names no map yet."""

WINDOWS = {(152, 220), (233, 345)}
"""Bytes of out/fdt from 6.19 and from 7.1 on, and of the tree behind it."""

RADIX_ROOTS = {
    f"{kernel}/{moment}": root
    for kernel, root in (("linux-7.1.13", 0x400AB000), ("linux-7.3.4", 0x400D7000))
    for moment in ("cold", "sessions", "crash-loaded", "hotplugged", "ready")
} | {f"linux-7.2.13/{moment}": 0xA02000 for moment in ("cold", "sessions", "crash-loaded", "ready")}


def files_named(name: str) -> list[tuple[str, str]]:
    """Recording and path of every blob or tree of that name, both sides."""
    found = []
    for moment in RECORDINGS:
        top = FIXTURES / moment / "root"
        found += [
            (moment, "/" + str(path.relative_to(top)))
            for path in sorted((top / KHO[1:]).rglob(name))
            if path.is_file()
        ]
    return found


def root_tree_page(memory: PageMemory, map_address: int) -> tuple[int, RootTree]:
    """The page that starts with a tree naming this map."""
    (found,) = (
        (address, tree)
        for address, page in memory.pages.items()
        if page.startswith(bytes.fromhex("d00dfeed"))
        and (tree := root_tree.read(page, address=address, window=False)).map_address == map_address
    )
    return found


def is_repacked(content: bytes) -> bool:
    """Whether libfdt laid it out anew: one empty reservation entry less, from 6.19 on."""
    return int.from_bytes(content[8:12], "big") == 0x38


def test_all_recordings_are_here() -> None:
    assert len(RECORDINGS) == 41
    shown = [moment for moment, path in files_named("fdt") if path.startswith(f"{KHO}/out")]
    assert sorted(shown) == sorted([*CHUNK_HEADS, *RADIX_ROOTS, *NOT_FINALIZED])


@pytest.mark.parametrize("moment", CHUNK_HEADS)
def test_chunk_lists(moment: str) -> None:
    memory, head = recorded(moment), CHUNK_HEADS[moment]
    regions = memblock.decode(
        fdt.read(recorded_file(moment, f"{KHO}/out/sub_fdts/memblock"))
    ).regions
    found = chunk_list.read(
        memory,
        head,
        4096,
        release_has_small_bitmaps=moment.startswith("linux-6.17"),
        known=[MemoryRange(region.start, region.size) for region in regions],
    )
    assert found.tie is None
    chunks = tuple(chunk_list.walk(memory, head, 4096))
    written = chunk_list.write(dict(found.by_order), chunks, 4096, found.format)
    assert written == {
        address: memory.read(address, len(content)) for address, content in written.items()
    }
    # Each of 6.18's recordings has 24 pages: these, the root tree and the memblock tree.
    assert len(written) == 22 or not moment.startswith("linux-6.18")
    assert found.structure.bytes == sum(map(len, written.values()))


@pytest.mark.parametrize("moment", RADIX_ROOTS)
def test_radix_trees(moment: str) -> None:
    memory, root = recorded(moment), RADIX_ROOTS[moment]
    found = radix_tree.read(memory, root, 4096)
    place = radix_tree.layout(memory, root, 4096)
    written = radix_tree.write(found.by_order, 4096, place)
    assert written == {address: memory.pages[address] for address in written}
    assert len(written) == len(place) > 20
    assert found.structure.bytes == len(place) * 4096


@pytest.mark.parametrize("moment", [*CHUNK_HEADS, *RADIX_ROOTS])
def test_root_trees_in_memory(moment: str) -> None:
    memory = recorded(moment)
    head = (CHUNK_HEADS | RADIX_ROOTS)[moment]
    address, tree = root_tree_page(memory, head)
    assert tree.flat.faults == ()
    page = memory.pages[address]
    size = int.from_bytes(page[4:8], "big")
    assert size in (196, 220, 345)
    written = root_tree.write(
        tree.compatible if isinstance(tree.compatible, bytes) else b"",
        head,
        tree.pointers,
        repacked=is_repacked(page),
    )
    assert written == page[:size]
    window = recorded_file(moment, f"{KHO}/out/fdt")
    assert memory.pages[address].startswith(window)


@pytest.mark.parametrize(("moment", "path"), files_named("fdt"))
def test_root_trees_in_debugfs(moment: str, path: str) -> None:
    content = recorded_file(moment, path)
    tree = root_tree.read(content)
    if tree.flat.truncated:
        assert path.startswith(f"{KHO}/out")
        assert (len(content), tree.flat.totalsize) in WINDOWS
        return
    assert isinstance(tree.compatible, bytes)
    assert isinstance(tree.map_address, int)
    written = root_tree.write(
        tree.compatible, tree.map_address, tree.pointers, repacked=is_repacked(content)
    )
    assert written == content


@pytest.mark.parametrize(("moment", "path"), files_named("memblock"))
def test_memblock_blobs(moment: str, path: str) -> None:
    content = recorded_file(moment, path)
    assert memblock.encode(memblock.decode(fdt.read(content))) == content


@pytest.mark.parametrize(("moment", "path"), files_named("kexec-metadata"))
def test_kexec_metadata_blobs(moment: str, path: str) -> None:
    content = recorded_file(moment, path)
    assert kexec_metadata.encode(kexec_metadata.decode(content)) == content


@pytest.mark.parametrize(("moment", "path"), files_named("LUO"))
def test_live_update_blobs(moment: str, path: str) -> None:
    content = recorded_file(moment, path)
    if moment.startswith("linux-7.2") and path.startswith(f"{KHO}/in"):
        assert not content.startswith(b"luo-v"), "its page is free, and was used again"
    elif content.startswith(bytes.fromhex("d00dfeed")):
        header, _ = luo.decode_tree(fdt.read(content))
        assert luo.encode_tree(header) == content
    else:
        header, _ = luo.decode_struct(content)
        assert luo.encode_struct(header) == content


def test_a_single_changed_value_does_not_pass() -> None:
    """The proof above can fail: it compares bytes, not what both sides make of them."""
    content = recorded_file("linux-7.3.4/sessions", f"{KHO}/out/sub_fdts/LUO")
    header, _ = luo.decode_struct(content)
    assert isinstance(header, LuoHeader)
    assert luo.encode_struct(replace(header, liveupdate_number=2)) != content
