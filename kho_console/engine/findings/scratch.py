"""The areas that the next kernel boots in."""

from collections.abc import Iterator
from itertools import combinations, islice

from kho_console.abi.memparse import memparse
from kho_console.engine.findings.facts import Facts
from kho_console.engine.findings.rule import Found, Rule
from kho_console.engine.findings.words import plain, size
from kho_console.model.finding import About, Evidence, Severity, Thing
from kho_console.model.generation import Protocol
from kho_console.model.memory import ScratchArea, ScratchRole
from kho_console.model.unknown import Cause, Unknown

_USUAL_IMAGE = 64 << 20
"""Bytes that a kernel of a distribution takes while it unpacks (`init_size` of its bzImage)."""

_LOW_LIMIT = 1 << 32
"""Where low memory ends on x86-64."""

_MOST_PAIRS = 100
"""Areas that share memory, of which a finding is made."""

_WHY_ZERO = {
    ScratchRole.LOWMEM: "the kernel had reserved no low memory of its own to size it by",
    ScratchRole.GLOBAL: "all that the kernel had reserved at boot lay in low memory",
    ScratchRole.NODE: "the kernel had reserved nothing on that node",
}


def unreadable(facts: Facts) -> Iterator[Found]:
    """The files are there, and do not give the areas."""
    found = facts.snapshot.scratch
    if facts.snapshot.unavailable is None and isinstance(found, Unknown):
        yield Found(
            Severity.ERROR if found.cause is Cause.INVALID else Severity.WARNING,
            "scratch",
            f"The scratch areas cannot be read: {plain(found.reason)}.",
            (Evidence(_file(facts, "phys"), found.reason),),
            "Run as root." if found.cause is Cause.NOT_PERMITTED else None,
        )


def missing(facts: Facts) -> Iterator[Found]:
    """No area has any bytes, as `kho_scratch=0%` brings about."""
    found = facts.snapshot.scratch
    if not isinstance(found, Unknown) and not any(area.size for area in found):
        yield Found(
            Severity.ERROR,
            "scratch",
            f"There is no scratch memory: {_without(facts)}.",
            (
                Evidence(
                    _file(facts, "len"), " ".join(hex(area.size) for area in found) or "empty"
                ),
                *facts.given("kho_scratch", "kho_bootmem"),
            ),
            _reserve(facts),
        )


def _reserve(facts: Facts) -> str:
    """What brings scratch about; 2024 goes on without where the size asked for finds no room."""
    asked = () if facts.line is None else facts.line.scratch
    if facts.snapshot.generation.protocol is Protocol.RFC_2024 and any(
        memparse(item.text or b"")[0] for item in asked
    ):
        return "Look in the kernel log for why kho_scratch= was not reserved, or ask for less."
    return "Boot with kho_scratch= sizes that are not zero."


def _without(facts: Facts) -> str:
    if facts.snapshot.generation.protocol is Protocol.RFC_2024:
        return "this kernel answers every write to active with ENOMEM, and hands nothing over"
    return "no image can be loaded, and the next kernel has nowhere to boot"


def zero(facts: Facts) -> Iterator[Found]:
    """One role has nothing, which is common."""
    if not any(area.size for area in _areas(facts)):
        return
    for area in _areas(facts):
        if area.size:
            continue
        evidence = [Evidence(_file(facts, "len"), f"0x0 for {_named(area)}")]
        ram = facts.snapshot.memory.ram
        x86 = facts.snapshot.machine.architecture == "x86_64"
        low = not isinstance(ram, Unknown) and all(item.end <= _LOW_LIMIT for item in ram)
        if area.role is ScratchRole.GLOBAL and x86 and low:
            evidence.append(Evidence("/proc/iomem", "no System RAM above 4 GiB"))
        yield Found(
            Severity.INFO,
            f"scratch {_named(area)}",
            f"No {_named(area)} scratch area is reserved. With default sizes that means that "
            f"{_WHY_ZERO[area.role]}; images go into the other areas.",
            (*evidence, *facts.given("kho_scratch", "kho_bootmem")),
            thing=Thing(_named(area)),
        )


def outside_ram(facts: Facts) -> Iterator[Found]:
    """Memory that is not there, or was taken away."""
    ram = facts.snapshot.memory.ram
    if isinstance(ram, Unknown):
        return
    for area in _areas(facts):
        if area.size and not any(item.contains(area.range) for item in ram):
            yield Found(
                Severity.ERROR,
                f"scratch {_named(area)}",
                f"The {_named(area)} scratch area does not lie in RAM that this machine has: an "
                "image put there is lost, and the next kernel cannot boot.",
                (_lines(facts, area), Evidence("/proc/iomem", "no System RAM over all of it")),
                "Put the memory back, or reboot without a kexec so that scratch is laid out anew.",
                thing=Thing(_named(area)),
            )


def overlap(facts: Facts) -> Iterator[Found]:
    """Two areas share memory."""
    pairs = combinations([area for area in _areas(facts) if area.size], 2)
    shared = (pair for pair in pairs if pair[0].range.overlaps(pair[1].range))
    for one, other in islice(shared, _MOST_PAIRS):
        yield Found(
            Severity.ERROR,
            f"scratch {_named(one)}",
            f"The {_named(one)} and the {_named(other)} scratch areas share memory, which no "
            "kernel lays out: the files are damaged or the kernel is.",
            (_lines(facts, one), _lines(facts, other)),
            "Do not kexec; reboot through the firmware.",
            thing=Thing(_named(one)),
        )


def too_small(facts: Facts) -> Iterator[Found]:
    """Kernel and initrd each need one piece of one area."""
    largest = max(_areas(facts), key=lambda area: area.size, default=None)
    if largest is not None and 0 < largest.size < _USUAL_IMAGE:
        yield Found(
            Severity.WARNING,
            "scratch",
            f"The largest scratch area has {size(largest.size)}. Kernel and initrd must each fit "
            f"in one piece, and those of distributions take about {size(_USUAL_IMAGE)}; loading "
            "what does not fit ends with EADDRNOTAVAIL.",
            (_lines(facts, largest),),
            "Boot with larger kho_scratch= sizes, or use a smaller image.",
        )


def _areas(facts: Facts) -> tuple[ScratchArea, ...]:
    found = facts.snapshot.scratch
    return () if isinstance(found, Unknown) else found


def _named(area: ScratchArea) -> str:
    if area.role is not ScratchRole.NODE:
        return {ScratchRole.LOWMEM: "low memory", ScratchRole.GLOBAL: "global"}[area.role]
    return "node ?" if area.node is None or isinstance(area.node, Unknown) else f"node {area.node}"


def _lines(facts: Facts, area: ScratchArea) -> Evidence:
    return Evidence(_file(facts, "phys"), f"0x{area.address:x}, length 0x{area.size:x}")


def _file(facts: Facts, which: str) -> str:
    generation = facts.snapshot.generation
    return f"{generation.folder}/{generation.scratch}_{which}"


RULES = (
    Rule("scratch-missing", "no scratch memory at all", missing, About.SCRATCH),
    Rule("scratch-outside-ram", "an area lies where no RAM is", outside_ram, About.SCRATCH),
    Rule("scratch-overlap", "two areas share memory", overlap, About.SCRATCH),
    Rule("scratch-unreadable", "the areas cannot be read", unreadable, About.SCRATCH),
    Rule("scratch-too-small", "no area holds a usual image", too_small, About.SCRATCH),
    Rule("scratch-zero", "a role has no area", zero, About.SCRATCH),
)
