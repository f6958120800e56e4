import itertools
import struct

from kho_console.abi import radix_tree
from kho_console.engine.search import search
from tests.abi import kernel_trees
from tests.abi.kernel_maps import Block, radix_pages
from tests.abi.page_memory import PageMemory, preserved_map, recorded

OWN, OTHER = 0x10000, 0x20000
MAP = 0x900000


def tree_naming(address: int) -> bytes:
    return kernel_trees.root("kho-v4", address).ljust(4096, b"\0")


def memory_of(pages: dict[int, bytes], blocks: list[Block]) -> tuple[PageMemory, int]:
    """Pages that a radix tree of these blocks preserves, and its root."""
    head, nodes = radix_pages(blocks, 4096, itertools.count(MAP, 4096))
    return PageMemory(nodes | pages), head


def test_the_recording_of_7_3() -> None:
    memory = recorded("linux-7.3.4/sessions")
    found = search(memory, radix_tree.read(memory, 0x400D7000, 4096))
    assert found.complete
    assert found.tree is not None
    assert found.tree.address == 0x66C000
    assert (found.tree.flat.totalsize, found.tree.window) == (345, None)
    assert [(item.address, item.size) for item in found.memfds] == [
        (0xABD000, 2 << 20),
        (0xDBA000, 64 << 10),
        (0xDCE000, 8 << 20),
    ]


def test_only_a_tree_that_names_this_map_is_the_root_tree() -> None:
    blocks = [(OWN, 0), (OTHER, 0)]
    memory, head = memory_of({OWN: tree_naming(MAP + 1), OTHER: tree_naming(MAP)}, blocks)
    found = search(memory, radix_tree.read(memory, head, 4096))
    assert found.tree is not None
    assert found.tree.address == OTHER


def test_a_damaged_tree_is_not_taken() -> None:
    memory, head = memory_of({OWN: tree_naming(MAP)[:100].ljust(4096, b"\0")}, [(OWN, 0)])
    assert search(memory, radix_tree.read(memory, head, 4096)).tree is None


def test_pages_that_are_missing_are_passed_over() -> None:
    memory, head = memory_of({OTHER: tree_naming(MAP)}, [(OWN, 0), (OTHER, 0)])
    found = search(memory, radix_tree.read(memory, head, 4096))
    assert found.tree is not None
    assert found.complete


def test_blocks_of_higher_orders_are_not_searched() -> None:
    memory, head = memory_of({OWN: tree_naming(MAP)}, [(OWN, 1)])
    preserved = radix_tree.read(memory, head, 4096)
    memory.reads.clear()
    assert search(memory, preserved).tree is None
    assert memory.reads == []


def test_short_runs_come_first_and_the_limit_ends_it() -> None:
    blocks = [(0x100000 + index * 4096, 0) for index in range(8)] + [(0x200000, 0)]
    memory = PageMemory({address: bytes(4096) for address, _ in blocks})
    found = search(memory, preserved_map(blocks), limit=3)
    assert not found.complete
    assert {address for address, _ in memory.reads} == {0x200000, 0x100000, 0x101000}


def test_nothing_is_preserved() -> None:
    found = search(PageMemory({}), preserved_map([]))
    assert (found.tree, found.memfds, found.complete) == (None, (), True)


def test_pages_of_a_memfd_are_not_looked_at() -> None:
    """A memfd of 64 single pages: its state, chunk and records come first and explain them."""
    state, chunk, records, content = 0x10000, 0x20000, 0x30000, 0x100000
    head = struct.pack("<QQIIQQIHH", 0, 64 * 4096, 0, 0, 64, chunk, 1, 1, 0)
    entries = [struct.pack("<QQ", content // 4096 + index | 3 << 52, index) for index in range(64)]
    memory = PageMemory(
        {
            state: head.ljust(4096, b"\0"),
            chunk: struct.pack("<QQ", 0, records).ljust(4096, b"\0"),
            records: b"".join(entries).ljust(4096, b"\0"),
        }
    )
    singles = [(state, 0), (chunk, 0), (records, 0)]
    preserved = preserved_map(singles + [(content + index * 4096, 0) for index in range(64)])
    found = search(memory, preserved)
    assert [(item.address, item.folios) for item in found.memfds] == [(state, 64)]
    assert all(address < content for address, _ in memory.reads)
