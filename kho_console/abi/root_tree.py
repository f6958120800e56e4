"""The root tree of a handover, every mainline release and the v6 series before it.

Framing is big-endian like any device tree; every value is native, that is little-endian on the
two architectures that have KHO. Sources: kernel/kexec_handover.c (6.16 to 6.18),
kernel/liveupdate/kexec_handover.c and include/linux/kho/abi/kexec_handover.h (6.19 to 7.3).
"""

from kho_console.abi import fdt, fdt_salvage
from kho_console.abi.error import FormatError
from kho_console.abi.native import U64, number
from kho_console.abi.text import c_string
from kho_console.model.tree import BlobPointer, FlatTree, Property, RootTree, TreeNode
from kho_console.model.unknown import Cause, Maybe, Unknown

_COMPATIBLE = b"compatible"
_MAP = b"preserved-memory-map"
_FDT = b"fdt"
_DATA = b"preserved-data"
_SIZE = b"blob-size"

_NAMES = {0: _MAP, 21: _COMPATIBLE}
"""String offsets from 6.19 on, where the window lacks the strings block."""

_NAMES_BY_WORD = {
    b"kho-v1\0": {32: _FDT},
    b"kho-v3\0": {32: _DATA, 47: _SIZE},
    b"kho-v4\0": {32: _DATA, 47: _SIZE},
}
"""Further ones: 6.19 and 7.0; 7.1; 7.2 and 7.3."""


def read(data: bytes, *, address: int | None = None, window: bool = True) -> RootTree:
    """The root tree in `data`: a debugfs file, or the tree's own page.

    Args:
        data: The bytes at hand; a window that stops short of the tree is completed as far as the
            constant string offsets of its release allow.
        address: Physical address where the bytes came from memory.
        window: Whether the bytes are a debugfs file.

    Raises:
        FormatError: There is no tree, or it is not a root tree at all.
    """
    flat = fdt.read(data)
    if flat.faults:
        flat = _salvage(data)
    where: Maybe[int] = (
        Unknown(Cause.ABSENT, "no file gives the tree's own address")
        if address is None
        else address
    )
    compatible = flat.root.value(_COMPATIBLE)
    return RootTree(
        flat=flat,
        content=data[: flat.totalsize],
        window=len(data) if window else None,
        compatible=Unknown(Cause.TRUNCATED if flat.truncated else Cause.INVALID, "no compatible")
        if compatible is None
        else c_string(compatible),
        map_address=_map_address(flat),
        pointers=tuple(_pointer(node, flat) for node in flat.root.children),
        address=where,
    )


def write(
    compatible: bytes,
    map_address: int | None,
    pointers: tuple[BlobPointer, ...],
    *,
    repacked: bool,
) -> bytes:
    """The root tree as the kernel lays it out.

    Args:
        compatible: The protocol word.
        map_address: Physical address of the map; None for the v6 series, which writes none.
        pointers: In wire order. One with a size becomes `preserved-data` and `blob-size` (7.1 and
            later), one without becomes `fdt`.
        repacked: True for 6.19 and later, where producers are added to a finished tree; False
            for the sequential trees of 6.16 to 6.18.

    Raises:
        FormatError: A pointer's address is not known.
    """
    properties = [Property(_COMPATIBLE, compatible + b"\0", 0)]
    if map_address is not None:
        properties.append(number(_MAP, map_address))
    children = tuple(TreeNode(item.name, _pointer_properties(item)) for item in pointers)
    root = TreeNode(b"", tuple(properties), children)
    return fdt.write_repacked(root) if repacked else fdt.write_sequential(root)


def _salvage(data: bytes) -> FlatTree:
    """A cut tree with the property names of its own release.

    Where those of the root stand is the same since 6.19; its word then tells the rest. A word that
    is not known leaves the other names unknown too.
    """
    flat = fdt_salvage.read(data, _NAMES)
    names = _NAMES_BY_WORD.get(flat.root.value(_COMPATIBLE) or b"")
    return flat if names is None else fdt_salvage.read(data, _NAMES | names)


def _map_address(flat: FlatTree) -> Maybe[int]:
    value = flat.root.value(_MAP)
    if value is not None:
        return _u64(value, "preserved-memory-map")
    if flat.faults:
        return Unknown(Cause.TRUNCATED, "the tree is cut before preserved-memory-map")
    return Unknown(Cause.ABSENT, "the root tree names no preserved-memory map")


def _pointer(node: TreeNode, flat: FlatTree) -> BlobPointer:
    cause = Cause.TRUNCATED if flat.faults else Cause.INVALID
    missing = Unknown(cause, "the node has no pointer")
    old, new, size = node.value(_FDT), node.value(_DATA), node.value(_SIZE)
    if new is not None or size is not None:
        address = missing if new is None else _u64(new, "preserved-data")
        unsized = Unknown(cause, "the node has no blob-size")
        return BlobPointer(node.name, address, unsized if size is None else _u64(size, "blob-size"))
    address = missing if old is None else _u64(old, "fdt")
    if old is None and flat.root.value(_COMPATIBLE) != b"kho-v1\0":
        return BlobPointer(node.name, address, missing)
    return BlobPointer(node.name, address, Unknown(Cause.ABSENT, "a tree carries its own size"))


def _pointer_properties(pointer: BlobPointer) -> tuple[Property, ...]:
    if isinstance(pointer.address, Unknown):
        raise FormatError(0, f"the address of {pointer.name!r} is not known")
    if isinstance(pointer.size, Unknown):
        return (number(_FDT, pointer.address),)
    return (number(_SIZE, pointer.size), number(_DATA, pointer.address))


def _u64(value: bytes, name: str) -> Maybe[int]:
    if len(value) != U64:
        return Unknown(Cause.INVALID, f"{name} has {len(value)} bytes, not {U64}")
    return int.from_bytes(value, "little")
