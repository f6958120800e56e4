"""What the command line asks for, and what the kernel makes of it."""

from collections.abc import Iterator

from kho_console.abi.kernel_log import LogKind
from kho_console.abi.scratch_request import (
    Malformed,
    Scratch,
    ScratchRequest,
    ScratchRules,
    ScratchScale,
    ScratchSize,
    ScratchSizes,
    meaning,
)
from kho_console.engine.findings.facts import Facts, argument, logged
from kho_console.engine.findings.rule import Found, Rule
from kho_console.engine.findings.words import size
from kho_console.model.finding import About, Evidence, Severity
from kho_console.model.generation import Protocol
from kho_console.model.memory import ScratchArea, ScratchRole
from kho_console.model.unknown import Unknown

_ROUNDING = {4096: 4 << 20, 16384: 32 << 20, 65536: 512 << 20}
"""Bytes by page size to which the kernel rounds areas up: a block of the largest order."""


def kho_malformed(facts: Facts) -> Iterator[Found]:
    """No `kho=` on the line is well-formed."""
    if facts.line is not None and isinstance(facts.line.kho, Malformed):
        yield _ignored(facts, b"kho", facts.line.kho, "its default decides", "Write kho=on.")


def liveupdate_malformed(facts: Facts) -> Iterator[Found]:
    """Likewise for `liveupdate=`."""
    if facts.line is not None and isinstance(facts.line.liveupdate, Malformed):
        option = facts.line.liveupdate
        yield _ignored(facts, b"liveupdate", option, "live update is off", "Write liveupdate=on.")


def scratch_malformed(facts: Facts) -> Iterator[Found]:
    """The rules differ between kernels; those of this one count."""
    for request, wanted in requests(facts):
        if isinstance(wanted, Malformed):
            means = "the sizes that it would have without it are in force"
            remedy = f"Write {request.option.decode()}=LOW,GLOBAL,NODE with sizes, or PERCENT%."
            yield _ignored(facts, request.option, wanted, means, remedy)


def reserve_mem_malformed(facts: Facts) -> Iterator[Found]:
    """Each such option is dropped on its own."""
    for item in facts.line.reserve_mem if facts.line else ():
        if isinstance(item, Malformed):
            remedy = "Write reserve_mem=SIZE:ALIGN:NAME, each name once, at most 8."
            yield _ignored(facts, b"reserve_mem", item, "nothing is reserved for it", remedy)


def crashkernel_malformed(facts: Facts) -> Iterator[Found]:
    """No memory for a crash kernel comes of it."""
    for item in facts.line.crashkernel if facts.line else ():
        if isinstance(item, Malformed):
            remedy = "Write crashkernel=SIZE, for example 256M."
            yield _ignored(facts, b"crashkernel", item, "nothing is reserved for it", remedy)


def scratch_not_in_force(facts: Facts) -> Iterator[Found]:
    """A kernel that came through a handover keeps the areas it inherited."""
    accepted = [
        (request, wanted)
        for request, wanted in requests(facts)
        if not isinstance(wanted, Malformed)
    ]
    areas = facts.snapshot.scratch
    if not accepted or isinstance(areas, Unknown):
        return
    request, wanted = accepted[-1]
    inherited = facts.snapshot.booted_through_handover is True
    differing = [area for area in areas if _differs(facts, area, wanted)]
    if not differing and not (inherited and isinstance(wanted, ScratchScale)):
        return
    option = request.option.decode()
    if inherited:
        why = "came through a handover and keeps the areas it inherited"
        remedy = "New sizes need a boot through the firmware."
    else:
        why = "reserved other sizes"
        remedy = "Look for KHO in the kernel log of this boot."
    yield Found(
        Severity.WARNING if differing else Severity.INFO,
        option,
        f"{option}= is on the command line and not in force: this kernel {why}.",
        (
            argument(request.option, request.text),
            *(_in_force(facts, area) for area in differing),
            *(logged(fact) for fact in facts.said(LogKind.SCRATCH_SIZES, LogKind.SCRATCH_SCALE)),
        ),
        remedy,
    )


def _ignored(facts: Facts, name: bytes, option: Malformed, means: str, remedy: str) -> Found:
    wanted = name.decode()
    lines = (
        fact for fact in facts.said(LogKind.MALFORMED_OPTION) if fact.values["option"] == wanted
    )
    return Found(
        Severity.WARNING,
        wanted,
        f"The kernel ignores a malformed {wanted}= ({option.reason}): {means}.",
        (argument(name, option.text), *(logged(fact) for fact in lines)),
        remedy,
    )


def requests(facts: Facts) -> Iterator[tuple[ScratchRequest, Scratch]]:
    """The options that this kernel reads, and what it takes them for."""
    name = b"kho_bootmem" if facts.bootmem else b"kho_scratch"
    rules = ScratchRules.ZERO_ALLOWED
    if facts.snapshot.generation.protocol is Protocol.RFC_2024:
        rules = ScratchRules.SINGLE
    elif facts.release is not None and facts.release <= (6, 17):
        rules = ScratchRules.NONZERO
    for request in facts.line.scratch if facts.line else ():
        if request.option == name:
            yield request, meaning(request, rules)


def asked(area: ScratchArea, wanted: Scratch) -> int | None:
    """The bytes that a request names for an area; None for a percentage, which names none."""
    match wanted:
        case ScratchSizes():
            return {
                ScratchRole.LOWMEM: wanted.lowmem,
                ScratchRole.GLOBAL: wanted.global_,
                ScratchRole.NODE: wanted.node,
            }[area.role]
        case ScratchSize():
            return wanted.size
        case _:
            return None


def met(area: ScratchArea, size: int, page_size: int) -> bool:
    """Whether the area has the bytes that were asked for, rounded up as some kernels do."""
    step = _ROUNDING.get(page_size, max(_ROUNDING.values()))
    return size <= area.size < size + step


def _differs(facts: Facts, area: ScratchArea, wanted: Scratch) -> bool:
    """Whether rounding does not explain the area's size; a percentage cannot be compared."""
    size = asked(area, wanted)
    return size is not None and not met(area, size, facts.snapshot.machine.page_size)


def _in_force(facts: Facts, area: ScratchArea) -> Evidence:
    return Evidence(f"{facts.where.outgoing}: {area.role}", f"0x{area.size:x} ({size(area.size)})")


RULES = (
    Rule("kho-argument-malformed", "kho= is ignored", kho_malformed, About.COMMAND_LINE),
    Rule(
        "liveupdate-argument-malformed",
        "liveupdate= is ignored",
        liveupdate_malformed,
        About.COMMAND_LINE,
    ),
    Rule(
        "scratch-request-malformed",
        "kho_scratch= is ignored",
        scratch_malformed,
        About.COMMAND_LINE,
    ),
    Rule(
        "scratch-request-ignored",
        "kho_scratch= is not in force",
        scratch_not_in_force,
        About.COMMAND_LINE,
    ),
    Rule(
        "reserve-mem-malformed",
        "reserve_mem= is ignored",
        reserve_mem_malformed,
        About.COMMAND_LINE,
    ),
    Rule(
        "crashkernel-malformed",
        "crashkernel= is ignored",
        crashkernel_malformed,
        About.COMMAND_LINE,
    ),
)
