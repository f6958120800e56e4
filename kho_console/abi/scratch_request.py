"""`kho_scratch=`: what each generation of the kernel makes of the same text.

Handlers: the series of 2024 took one size; the v6 patch, 6.16 and 6.17 take three sizes that are
not zero, or a percentage; 6.18 to 7.3 allow zeros but no trailing text; 7.4 calls the option
`kho_bootmem=` with the same forms (kernel/kexec_handover.c, later kernel/liveupdate/).
"""

from enum import StrEnum

from kho_console.abi.memparse import kstrtouint, memparse
from kho_console.model.value import dataclass

_SIZES = 3
_PERCENT_LENGTH = 11
_WRAP = (1 << 64) - 1


class ScratchRules(StrEnum):
    """How a kernel reads the option."""

    SINGLE = "2024 series"
    NONZERO = "6.16 to 6.17"
    ZERO_ALLOWED = "6.18 and later"


@dataclass(frozen=True, slots=True)
class Malformed:
    """An option that the kernel refuses and then ignores.

    Attributes:
        text: The value as given; None for an option without one.
        reason: Why it is refused.
    """

    text: bytes | None
    reason: str


@dataclass(frozen=True, slots=True)
class ScratchRequest:
    """The option as given; what it means depends on the kernel that reads it.

    Attributes:
        option: `kho_scratch`, or `kho_bootmem` from 7.4.
        text: Its value; None where it has none.
    """

    option: bytes
    text: bytes | None


@dataclass(frozen=True, slots=True)
class ScratchSizes:
    """Bytes of the low, the global and of each node's area."""

    lowmem: int
    global_: int
    node: int


@dataclass(frozen=True, slots=True)
class ScratchScale:
    """Percent of the memory that the kernel itself has reserved at boot; 200 is the default."""

    percent: int


@dataclass(frozen=True, slots=True)
class ScratchSize:
    """Bytes of the one area of the 2024 series."""

    size: int


Scratch = ScratchSizes | ScratchScale | ScratchSize | Malformed


def meaning(request: ScratchRequest, rules: ScratchRules) -> Scratch:
    """What a kernel with these rules makes of the request; `Malformed` where it refuses it."""
    text = request.text
    if not text:
        return Malformed(text, "no value")
    if rules is ScratchRules.SINGLE:
        size, length = memparse(text)
        return ScratchSize(size) if length else Malformed(text, "no size")
    if text.endswith(b"%"):
        return _scale(text)
    return _sizes(text, rules)


def _scale(text: bytes) -> Scratch:
    if len(text) > _PERCENT_LENGTH:
        return Malformed(text, f"a percentage has at most {_PERCENT_LENGTH} characters")
    percent = kstrtouint(text[:-1])
    if percent is None:
        return Malformed(text, "no whole number of percent below 2^32")
    return ScratchScale(percent)


def _sizes(text: bytes, rules: ScratchRules) -> Scratch:
    rest = text
    sizes: list[int] = []
    for index in range(_SIZES):
        if index:
            if not rest.startswith(b","):
                return Malformed(text, f"size {index + 1} of {_SIZES} is missing")
            rest = rest[1:]
        size, length = memparse(rest)
        if not length:
            return Malformed(text, f"size {index + 1} of {_SIZES} is no number")
        if rules is ScratchRules.NONZERO and not size:
            return Malformed(text, f"size {index + 1} of {_SIZES} is zero")
        sizes.append(size)
        rest = rest[length:]
    if rules is ScratchRules.ZERO_ALLOWED and not sum(sizes) & _WRAP:
        return Malformed(text, "all sizes are zero")
    if rules is ScratchRules.ZERO_ALLOWED and rest:
        return Malformed(text, "text follows the sizes")
    return ScratchSizes(*sizes)
