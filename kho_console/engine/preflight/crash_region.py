"""Whether a crash image fits the memory reserved for it."""

from collections.abc import Iterator

from kho_console.engine.findings.words import size
from kho_console.engine.preflight.situation import Situation
from kho_console.model.check import Check, Result
from kho_console.model.unknown import Unknown

_REST = 1 << 20
"""Purgatory, boot parameters, the ELF core header."""


def fit(now: Situation) -> Iterator[Check]:
    """The kernel frees the old crash image first: what does not fit leaves none."""
    if not now.request.crash:
        return
    name, regions = "crash-region-fit", now.snapshot.memory.crash_regions
    needed = now.image.memory_size
    if isinstance(regions, Unknown) or isinstance(needed, Unknown):
        why = regions if isinstance(regions, Unknown) else needed
        text = "whether the crash image fits is not known"
        yield Check(name, Result.UNKNOWN, text, why.reason if isinstance(why, Unknown) else None)
        return
    needed += _REST + (0 if now.initrd is None else now.initrd.size)
    header = now.snapshot.kexec.elfcorehdr_size
    needed += 0 if isinstance(header, Unknown) else header
    room = max((item.size for item in regions), default=0)
    evidence = f"{size(needed)} needed, {size(room)} reserved"
    if needed > room:
        text = "the crash image does not fit: the load fails with EADDRNOTAVAIL and disarms"
        yield Check(name, Result.FAIL, text, evidence, "boot with a larger crashkernel=")
    else:
        yield Check(name, Result.PASS, "the crash image fits", evidence)
