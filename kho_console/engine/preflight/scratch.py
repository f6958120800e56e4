"""Whether the image fits the scratch areas; there is no other place for it with KHO on."""

from collections.abc import Iterator, Sequence

from kho_console.engine.findings.words import size
from kho_console.engine.preflight.placement import Placed, place, segments
from kho_console.engine.preflight.situation import Situation
from kho_console.model.check import Check, Result
from kho_console.model.memory import MemoryRange, ScratchArea
from kho_console.model.unknown import Unknown

_NAME = "scratch-fit"
_GROWTH = 1.125
"""An eighth more: what another configuration or another release may come to."""


def fit(now: Situation) -> Iterator[Check]:
    """Place all segments as the kernel would; with a little more of each it should fit, too."""
    if not now.hands_over:
        return
    areas, disk = now.snapshot.scratch, 0 if now.initrd is None else now.initrd.size
    if isinstance(areas, Unknown):
        text = "whether the image fits is not known: the scratch areas cannot be seen"
        yield Check(_NAME, Result.UNKNOWN, text, areas.reason)
        return
    wanted, grown = segments(now.image, disk), segments(now.image, disk, _GROWTH)
    if isinstance(wanted, Unknown) or isinstance(grown, Unknown):
        text = "whether the image fits is not known: the memory it needs is not told"
        reason = wanted.reason if isinstance(wanted, Unknown) else None
        yield Check(_NAME, Result.UNKNOWN, text, reason)
        return
    ranges = [area.range for area in areas if area.size]
    found = place(wanted, ranges)
    evidence = f"{_needs(now, disk)}; areas: {_areas(areas)}"
    missing = [item.segment.name for item in found if item.place is None]
    if missing:
        text = f"no scratch area has room for {missing[0]}: the load fails with EADDRNOTAVAIL"
        yield Check(_NAME, Result.FAIL, text, evidence, _remedy(now))
    elif any(item.place is None for item in place(grown, ranges)):
        text = "the image fits, but one that is an eighth larger would not"
        yield Check(_NAME, Result.WARNING, text, f"{evidence}; {_places(found)}", _remedy(now))
    else:
        text = "the image fits into the scratch areas"
        yield Check(_NAME, Result.PASS, text, f"{evidence}; {_places(found)}")


def _needs(now: Situation, disk: int) -> str:
    image = now.image
    memory = 0 if isinstance(image.memory_size, Unknown) else image.memory_size
    aligned = "" if isinstance(image.alignment, Unknown) else f" aligned to {size(image.alignment)}"
    return f"kernel {size(memory)}{aligned}, initrd {size(disk) if disk else 'none'}"


def _areas(areas: Sequence[ScratchArea]) -> str:
    parts = []
    for area in areas:
        role = area.role.value
        if isinstance(area.node, int):
            role += f" {area.node}"
        parts.append(f"{role} {size(area.size) if area.size else 'none'}")
    return ", ".join(parts)


def _places(found: Sequence[Placed]) -> str:
    return ", ".join(
        f"{item.segment.name} at 0x{item.place.start:x}" for item in found if item.place is not None
    )


def _remedy(now: Situation) -> str:
    word = "kho_bootmem" if now.facts.bootmem else "kho_scratch"
    return f"make kernel and initrd smaller, or boot cold with a larger {word}="


def ranges(now: Situation) -> tuple[MemoryRange, ...]:
    """The scratch areas that have bytes; none where they are not known."""
    areas = now.snapshot.scratch
    if isinstance(areas, Unknown):
        return ()
    return tuple(area.range for area in areas if area.size)
