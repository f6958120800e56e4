"""`crashkernel=`: how much memory to set aside for the crash kernel.

Forms of kernel/crash_core.c (kernel/crash_reserve.c): SIZE[@OFFSET], a list of START-[END]:SIZE
ranges of installed memory with an optional @OFFSET, and SIZE with `,high`, `,low` or `,cma`
(the last from 6.17). Of several options of one kind the last one counts.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from kho_console.abi.memparse import memparse
from kho_console.abi.scratch_request import Malformed
from kho_console.model.value import dataclass


class CrashKernelKind(StrEnum):
    """The form of an option."""

    SIZE = "size"
    RANGES = "ranges"
    HIGH = "high"
    LOW = "low"
    CMA = "cma"


@dataclass(frozen=True, slots=True)
class CrashKernelSize:
    """Bytes to set aside where installed memory is `start` up to `end` (excluded) bytes.

    `end` is None for an open range; a form without ranges is one open range from 0.
    """

    start: int
    end: int | None
    size: int


@dataclass(frozen=True, slots=True)
class CrashKernel:
    """One well-formed option.

    Attributes:
        kind: Its form.
        sizes: What to set aside; the first range that fits counts.
        offset: Physical address, None where the kernel chooses.
    """

    kind: CrashKernelKind
    sizes: tuple[CrashKernelSize, ...]
    offset: int | None = None


_SUFFIXES = (CrashKernelKind.HIGH, CrashKernelKind.LOW, CrashKernelKind.CMA)
_GRAIN = 128 << 20
"""Installed memory is rounded up to this before a range is looked for: firmware keeps some."""


def parse(text: bytes | None) -> CrashKernel | Malformed:
    """The value of one `crashkernel=`."""
    if not text:
        return Malformed(text, "no value")
    for kind in _SUFFIXES:
        if text.endswith(b"," + kind.value.encode()):
            return _suffixed(text, kind)
    if b":" in text:
        return _ranges(text)
    return _simple(text)


def counting(options: Iterable[CrashKernel | Malformed]) -> CrashKernel | Malformed | None:
    """The option that decides how much is set aside, None for none (`parse_crashkernel`).

    It is the last plain one, malformed or not; `,high` counts only where there is no plain one,
    and then not with a malformed `,low`. An option without `=` is none.
    """
    given = (item for item in options if not isinstance(item, Malformed) or item.text is not None)
    last = {_suffix(item): item for item in given}
    low = last.get(CrashKernelKind.LOW)
    found = last.get(None) or last.get(CrashKernelKind.HIGH)
    if None not in last and found is not None and isinstance(low, Malformed):
        return low
    return found


def size_for(sizes: Sequence[CrashKernelSize], memory: int) -> int:
    """Bytes to set aside on a machine with `memory` bytes; 0 where no range fits."""
    total = -(-memory // _GRAIN) * _GRAIN
    fitting = (item for item in sizes if item.start <= total and (not item.end or total < item.end))
    return next((item.size for item in fitting), 0)


def _suffix(option: CrashKernel | Malformed) -> CrashKernelKind | None:
    if isinstance(option, CrashKernel):
        return option.kind if option.kind in _SUFFIXES else None
    text = option.text or b""
    return next((kind for kind in _SUFFIXES if text.endswith(b"," + kind.value.encode())), None)


def _suffixed(text: bytes, kind: CrashKernelKind) -> CrashKernel | Malformed:
    size, length = memparse(text)
    if not length or text[length:] != b"," + kind.value.encode():
        return Malformed(text, f"no size before ,{kind}")
    return CrashKernel(kind, (CrashKernelSize(0, None, size),))


def _simple(text: bytes) -> CrashKernel | Malformed:
    size, length = memparse(text)
    if not length:
        return Malformed(text, "no size")
    sizes = (CrashKernelSize(0, None, size),)
    rest = text[length:]
    if rest.startswith(b"@"):
        # The kernel neither wants a number here nor looks at what follows it.
        return CrashKernel(CrashKernelKind.SIZE, sizes, memparse(rest[1:])[0])
    if rest:
        return Malformed(text, "text follows the size")
    return CrashKernel(CrashKernelKind.SIZE, sizes)


def _ranges(text: bytes) -> CrashKernel | Malformed:
    """All ranges; the kernel itself stops reading at the first one that fits its memory."""
    listed, at, offset = text.partition(b"@")
    sizes: list[CrashKernelSize] = []
    for item in listed.split(b","):
        parsed = _range(item)
        if parsed is None:
            return Malformed(text, "a range is no START-[END]:SIZE")
        sizes.append(parsed)
    address, length = memparse(offset)
    if at and not length:
        return Malformed(text, "no address after @")
    return CrashKernel(CrashKernelKind.RANGES, tuple(sizes), address if at else None)


def _range(item: bytes) -> CrashKernelSize | None:
    start, length = memparse(item)
    rest = item[length:]
    if not length or not rest.startswith(b"-"):
        return None
    rest = rest[1:]
    end: int | None = None
    if not rest.startswith(b":"):
        end, length = memparse(rest)
        rest = rest[length:]
        if not length or end <= start or not rest.startswith(b":"):
            return None
    size, length = memparse(rest[1:])
    if not length or rest[1 + length :]:
        return None
    return CrashKernelSize(start, end, size)
