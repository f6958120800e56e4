"""Root trees made with libfdt by the calls of the kernel, in the kernel's order.

The order is that of kernel/kexec_handover.c (6.16 to 6.18) and kernel/liveupdate/kexec_handover.c
(6.19 to 7.3); nothing here knows the console's own writer.
"""

import struct
from collections.abc import Iterable

import libfdt

Properties = Iterable[tuple[str, bytes]]


def u64(value: int) -> bytes:
    return struct.pack("<Q", value)


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


def sequential(properties: Properties, nodes: Iterable[tuple[str, Properties]] = ()) -> bytes:
    """fdt_create, a root with its properties, then each node, fdt_finish."""
    writer = libfdt.FdtSw()
    writer.finish_reservemap()
    writer.begin_node("")
    for name, value in properties:
        writer.property(name, value)
    for node, values in nodes:
        writer.begin_node(node)
        for name, value in values:
            writer.property(name, value)
        writer.end_node()
    writer.end_node()
    return whole(writer.as_fdt().as_bytearray())


def grown(tree: bytes, name: str, properties: Properties) -> bytes:
    """fdt_add_subnode, fdt_setprop for each property, fdt_pack: a producer registers."""
    open_tree = libfdt.Fdt(tree)
    open_tree.resize(4096)
    node = open_tree.add_subnode(0, name)
    for key, value in properties:
        open_tree.setprop(node, key, value)
    open_tree.pack()
    return whole(open_tree.as_bytearray())


def root(word: str, map_address: int | None) -> bytes:
    """The root tree of 6.19 and later before any producer has registered."""
    properties = [("compatible", word.encode() + b"\0")]
    if map_address is not None:
        properties.append(("preserved-memory-map", u64(map_address)))
    return sequential(properties)


def with_fdt(tree: bytes, name: str, address: int) -> bytes:
    """kho_add_subtree of 6.19 and 7.0."""
    return grown(tree, name, [("fdt", u64(address))])


def with_blob(tree: bytes, name: str, address: int, size: int) -> bytes:
    """kho_add_subtree of 7.1 and later."""
    return grown(tree, name, [("preserved-data", u64(address)), ("blob-size", u64(size))])


def memblock(regions: Iterable[tuple[str, int, int]]) -> bytes:
    """prepare_kho_fdt of mm/memblock.c."""
    return sequential(
        [("compatible", b"memblock-v1\0")],
        [
            (
                name,
                [
                    ("compatible", b"reserve-mem-v1\0"),
                    ("start", u64(start)),
                    ("size", u64(size)),
                ],
            )
            for name, start, size in regions
        ],
    )


def whole(buffer: bytearray) -> bytes:
    return bytes(buffer[: int.from_bytes(buffer[4:8], "big")])
