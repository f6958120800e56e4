"""A flattened device tree in a file."""

from collections.abc import Callable

from kho_console.abi import fdt, kho2024
from kho_console.abi.error import FormatError
from kho_console.abi.fdt_header import MAXIMUM_SIZE
from kho_console.abi.reader import Bytes, Reader
from kho_console.model.finding import About, Finding, Severity
from kho_console.model.kho2024 import Kho2024
from kho_console.model.tree import FlatTree, TreeNode
from kho_console.model.unknown import Cause, Maybe, Unknown

_WRITERS: dict[str, Callable[[TreeNode], bytes]] = {
    "sequential": fdt.write_sequential,
    "repacked": fdt.write_repacked,
    "compiled": fdt.write_compiled,
}
"""How a tree is laid out: by kernels in one go, or packed again after each node; and by dtc."""

_MAINLINE = b"preserved-memory-map"
"""A property that only the root of mainline has."""

_PAGE_SIZES = (4 << 10, 16 << 10, 64 << 10)
_LARGEST_REPACKED = 64 << 10
"""Such a tree fills a page at most, and each node moves all that there is."""


def read(reader: Reader) -> tuple[FlatTree, Maybe[str], list[Finding]]:
    """The tree, the layout that gives the same bytes, and what is wrong.

    Raises:
        FormatError: There is no tree.
    """
    data = reader.read(0, min(reader.size, MAXIMUM_SIZE))
    found = fdt.read(data)
    layout = _layout(found, data)
    findings = [
        Finding(
            "fdt-damaged",
            Severity.ERROR,
            "tree",
            f"at 0x{fault.offset:x}: {fault.reason}",
            (),
            None,
            About.FILE,
        )
        for fault in found.faults
    ]
    if not findings and isinstance(layout, Unknown):
        said = "no kernel lays out a tree like this, nor does dtc: encode gives others that mean it"
        findings.append(Finding("fdt-layout", Severity.INFO, "tree", said, (), None, About.FILE))
    return found, layout, findings


def read_2024(reader: Reader) -> tuple[Kho2024, FlatTree, Maybe[str], list[Finding]]:
    """The root tree of the series of 2024, as the tree and as what it says.

    Raises:
        FormatError: There is no tree.
    """
    tree, layout, findings = read(reader)
    found = kho2024.decode(tree, _page_size(kho2024.decode(tree)))
    for fault in found.faults[len(tree.faults) :]:
        said = f"at 0x{fault.offset:x}: {fault.reason}"
        findings.append(
            Finding("kho-2024-binding", Severity.ERROR, "tree", said, (), None, About.FILE)
        )
    if any(item.name == _MAINLINE for item in tree.root.properties):
        said = (
            f"this is a root tree of 6.16 to 6.18, which says kho-v1 too: it has "
            f"{_MAINLINE.decode()}, and its state is in other trees; decode fdt shows it"
        )
        findings.append(
            Finding("kho-2024-mainline", Severity.ERROR, "tree", said, (), None, About.FILE)
        )
    return found, tree, layout, findings


def _page_size(found: Kho2024) -> int | None:
    """Bytes of a page, which no tree tells: what all trace pages have, 4 KiB if they disagree."""
    sizes = {data.size for item in found.arrays for cpu in item.cpus for _, data in cpu.pages}
    if not sizes:
        return None
    return next((size for size in _PAGE_SIZES if sizes == {size}), _PAGE_SIZES[0])


def decoded_2024(blob: bytes) -> tuple[Kho2024, FlatTree, Maybe[str], list[Finding]]:
    """What bytes that were encoded say.

    Raises:
        FormatError: There is no tree.
    """
    return read_2024(Bytes(blob))


def encoded(root: TreeNode, layout: str | None) -> bytes:
    """The bytes of a tree, in the sequential layout where none is named.

    Raises:
        FormatError: There is no such layout, or a name cannot be written.
    """
    writer = _WRITERS.get(layout or "sequential")
    if writer is None:
        raise FormatError(0, f"no layout {layout!r}: {', '.join(_WRITERS)}")
    return writer(root)


def _layout(found: FlatTree, data: bytes) -> Maybe[str]:
    for name, writer in _WRITERS.items():
        if name == "repacked" and len(data) > _LARGEST_REPACKED:
            continue
        try:
            if writer(found.root) == data:
                return name
        except FormatError:
            continue
    return Unknown(Cause.UNSUPPORTED, "no layout that we write gives these bytes")
