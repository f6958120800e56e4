"""arm64: the properties of /chosen that tell the next kernel where the handover lies.

`linux,kho-fdt` and `linux,kho-scratch` are an address and a size, each in as many big-endian
32-bit cells as the root node's #address-cells and #size-cells say (drivers/of/kexec.c, 6.16 to
7.3; `linux,kho-dt` and `linux,kho-mem` in the series of 2024). They are files below
/sys/firmware/devicetree/base/chosen.
"""

from kho_console.abi.error import FormatError
from kho_console.abi.setup_data import SetupHandover
from kho_console.model.memory import MemoryRange

_CELL = 4


def decode_cell_count(data: bytes) -> int:
    """Value of `#address-cells` or `#size-cells`: 1 or 2.

    Raises:
        FormatError: Not one cell, or another count.
    """
    if len(data) != _CELL:
        raise FormatError(len(data), "cell count is not one cell")
    count = int.from_bytes(data, "big")
    if count not in (1, 2):
        raise FormatError(0, f"{count} cells a number, not 1 or 2")
    return count


def decode_range(data: bytes, address_cells: int, size_cells: int) -> MemoryRange:
    """The address and size of one property.

    Args:
        data: The property's value.
        address_cells: Cells of an address, 1 or 2.
        size_cells: Cells of a size, 1 or 2.

    Raises:
        FormatError: Another length than the cells make.
    """
    split = address_cells * _CELL
    expected = split + size_cells * _CELL
    if len(data) != expected:
        raise FormatError(len(data), f"property of {len(data)} bytes, not {expected}")
    return MemoryRange(int.from_bytes(data[:split], "big"), int.from_bytes(data[split:], "big"))


def decode(
    fdt: bytes,
    scratch: bytes,
    address_cells: int,
    size_cells: int,
    mem: bytes | None = None,
) -> SetupHandover:
    """`linux,kho-fdt` and `linux,kho-scratch` together.

    Args:
        fdt: The value of `linux,kho-fdt`; of `linux,kho-dt` in the series of 2024.
        scratch: The value of `linux,kho-scratch`.
        address_cells: Cells of an address, 1 or 2.
        size_cells: Cells of a size, 1 or 2.
        mem: The value of `linux,kho-mem`; None in mainline.

    Raises:
        FormatError: As for `decode_range`.
    """
    tree = decode_range(fdt, address_cells, size_cells)
    areas = decode_range(scratch, address_cells, size_cells)
    memory = None if mem is None else decode_range(mem, address_cells, size_cells)
    return SetupHandover(tree.start, tree.size, areas.start, areas.size, memory)
