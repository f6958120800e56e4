"""x86 setup_data: how the previous kernel tells the next one where the handover lies.

`/sys/kernel/boot_params/setup_data/N/type` is `0x%x`; 0xa is KHO. Its `data` is 32 bytes of
native u64: tree address and size, scratch array address and size (struct kho_data,
arch/x86/include/uapi/asm/setup_data.h, 6.16 to 7.3). The series of 2024 appends address and size
of its array of preserved memory, 48 bytes in all. All files are readable by everybody.
"""

import struct

from kho_console.abi import number_list
from kho_console.abi.error import FormatError
from kho_console.model.memory import MemoryRange
from kho_console.model.value import dataclass

TYPE_KHO = 10
"""SETUP_KEXEC_KHO."""

_SIZE = 32
_SIZE_2024 = 48


@dataclass(frozen=True, slots=True)
class SetupHandover:
    """Where the handover to this kernel lay when it started. Physical addresses and bytes.

    Attributes:
        fdt_address: The root tree.
        fdt_size: Bytes handed over for it: a page, not the tree's totalsize (6.16 to 7.3).
        scratch_address: The array of scratch areas; in 2024 the one scratch area itself.
        scratch_size: Its bytes.
        memory: The array of preserved memory of the 2024 series; None in mainline.
    """

    fdt_address: int
    fdt_size: int
    scratch_address: int
    scratch_size: int
    memory: MemoryRange | None = None


def parse_type(data: bytes) -> int:
    """Content of a `type` file.

    Raises:
        FormatError: It is not `0x` and a number.
    """
    return number_list.prefixed(data)


def decode(data: bytes) -> SetupHandover:
    """Content of the `data` file of type 10.

    Raises:
        FormatError: Neither 32 nor 48 bytes.
    """
    if len(data) == _SIZE:
        return SetupHandover(*struct.unpack("<4Q", data))
    if len(data) == _SIZE_2024:
        memory = MemoryRange(*struct.unpack_from("<2Q", data, _SIZE))
        fdt, fdt_size, scratch, scratch_size = struct.unpack_from("<4Q", data)
        return SetupHandover(fdt, fdt_size, scratch, scratch_size, memory)
    raise FormatError(len(data), f"KHO setup_data of {len(data)} bytes, not 32 or 48")
