"""Which warnings of the kernel come from the code that hands over or loads images."""

import re

from kho_console.abi.kernel_warning import Call, KernelWarning

_WORDS = frozenset({"kho", "luo", "liveupdate", "kexec", "kimage"})
"""Parts of the names of its functions and files; `crash` too, where a name begins with it."""

_CRASH = re.compile(r"_*(?:arch_)?crash_")


def of_handover(name: str) -> bool:
    """Whether a function or a source file is one of it: `kho_abort`, `kernel/kexec_core.c`."""
    last = name.rpartition("/")[2]
    return bool(_CRASH.match(last)) or not _WORDS.isdisjoint(re.split("[^A-Za-z0-9]+", name))


def calls_of_handover(warning: KernelWarning) -> tuple[Call, ...]:
    """The calls in its trace that are of handover code, innermost first."""
    return tuple(call for call in warning.calls if of_handover(call.function))


def concerns_handover(warning: KernelWarning) -> bool:
    """Whether it happened in handover code, or in something that this called."""
    place = (warning.file or "", warning.function or "")
    return any(map(of_handover, place)) or bool(calls_of_handover(warning))
