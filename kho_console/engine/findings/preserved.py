"""The map of preserved memory."""

from collections.abc import Iterator

from kho_console.engine.findings.facts import Facts
from kho_console.engine.findings.rule import Found, Rule
from kho_console.engine.findings.words import count, plain, size
from kho_console.model.finding import About, Evidence, Severity
from kho_console.model.generation import Protocol
from kho_console.model.memory import MemoryRange
from kho_console.model.owner import OwnerKind, Ownership
from kho_console.model.preserved import PreservedMap, Runs
from kho_console.model.unknown import Cause, Unknown

_SUBJECT = "preserved memory"
_LARGE_REST = 16 << 20
"""Bytes without a known owner that are worth a word; records of live update are far smaller."""

_SHARE_OF_REST = 10

_REMEDIES = {
    Cause.NOT_PERMITTED: "Run as root, without lockdown=confidentiality.",
    Cause.NOT_RECORDED: "Record it again on the machine, as root.",
    Cause.LATE: "Read it again.",
    Cause.INVALID: "Read it again; if that does not help, do not kexec.",
}


def unreadable(facts: Facts) -> Iterator[Found]:
    """There is a map, and it cannot be had."""
    found, tree = facts.snapshot.inventory.preserved, facts.snapshot.outgoing.tree
    # Without a tree there is nothing to say of a map; the rules of the tree speak then.
    if not isinstance(found, Unknown) or isinstance(tree, Unknown):
        return
    if found.cause in (Cause.NOT_YET, Cause.ABSENT, Cause.UNSUPPORTED, Cause.RELEASED):
        return
    yield Found(
        Severity.ERROR if found.cause is Cause.INVALID else Severity.WARNING,
        _SUBJECT,
        f"The map of preserved memory cannot be read: {plain(found.reason)}.",
        (_head(facts), Evidence("/proc/kcore", f"{found.cause}: {found.reason}")),
        _REMEDIES.get(found.cause),
    )


def outside_ram(facts: Facts) -> Iterator[Found]:
    """Memory that is not there cannot be handed over."""
    found, ram = _map(facts), facts.snapshot.memory.ram
    if found is None or isinstance(ram, Unknown):
        return
    outside, index = _outside(found.ranges, ram)
    if outside:
        first = found.ranges[index]
        yield Found(
            Severity.ERROR,
            _SUBJECT,
            f"{count(outside, 'preserved range')} {'does' if outside == 1 else 'do'} not lie in "
            "RAM that this machine has: the map is damaged, or memory was taken away.",
            (_head(facts), Evidence("/proc/iomem", f"no System RAM over all of {_hex(first)}")),
            "Do not kexec; reboot through the firmware.",
        )


def in_scratch(facts: Facts) -> Iterator[Found]:
    """The next kernel boots in scratch and takes it for free memory."""
    found, areas = _map(facts), facts.snapshot.scratch
    if found is None or isinstance(areas, Unknown):
        return
    for area in areas:
        if area.size and found.ranges.touches(area.range):
            yield Found(
                Severity.ERROR,
                _SUBJECT,
                f"Preserved memory lies in the scratch area at 0x{area.address:x}: {_why(facts)}.",
                (_head(facts), Evidence(facts.where.outgoing, f"scratch {_hex(area.range)}")),
                "Do not kexec; whoever preserved that memory has a bug.",
            )


def from_release(facts: Facts) -> Iterator[Found]:
    """6.16 to 7.0: nothing in a small map tells the size of its bitmaps."""
    found = _map(facts)
    if found is not None and found.tie is not None:
        yield Found(
            Severity.INFO,
            _SUBJECT,
            f"Only the release tells how this map is to be read: {plain(found.tie)}.",
            (Evidence("uname -r", facts.snapshot.machine.release), _head(facts)),
            "On a kernel with changes of its own, check the ranges against what you preserved.",
        )


def owners_incomplete(facts: Facts) -> Iterator[Found]:
    """The search stopped, or it left much without an owner."""
    owners, found = facts.snapshot.inventory.ownership, _map(facts)
    if found is None or isinstance(owners, Unknown):
        return
    rest = _rest(owners)
    if not owners.complete:
        text = "The search for the owners of preserved memory stopped at its limit"
    elif rest >= _LARGE_REST and rest * _SHARE_OF_REST >= found.bytes:
        text = "Much of the preserved memory belongs to producers not known here"
    else:
        return
    yield Found(
        Severity.INFO,
        _SUBJECT,
        f"{text}: {size(rest)} have no known owner. They are handed over all the same.",
        (_head(facts), Evidence("unattributed", f"{rest} of {found.bytes} bytes")),
    )


def _map(facts: Facts) -> PreservedMap | None:
    found = facts.snapshot.inventory.preserved
    return None if isinstance(found, Unknown) else found


def _head(facts: Facts) -> Evidence:
    """Where the root tree says that the map begins."""
    tree = facts.snapshot.outgoing.tree
    path = facts.where.tree(facts.where.outgoing)
    if facts.snapshot.generation.protocol is Protocol.RFC_2024:
        return Evidence(path, "mem arrays")
    if isinstance(tree, Unknown) or isinstance(tree.map_address, Unknown):
        return Evidence(path, "preserved-memory-map not known")
    return Evidence(path, f"preserved-memory-map 0x{tree.map_address:x}")


def _why(facts: Facts) -> str:
    if facts.snapshot.generation.protocol is Protocol.RFC_2024:
        return "this kernel loads no image then (EINVAL)"
    return "the next kernel boots there and overwrites it"


def _rest(owners: Ownership) -> int:
    totals = owners.bytes_by_owner()
    return sum(size for owner, size in totals.items() if owner.kind is OwnerKind.UNATTRIBUTED)


def _outside(ranges: Runs, ram: tuple[MemoryRange, ...]) -> tuple[int, int]:
    """How many ranges are not wholly inside one piece of RAM (sorted, disjoint), and the first."""
    first = inside = 0
    for piece in ram:
        found = ranges.inside(piece)
        inside += len(found)
        if found.start == first:
            first = max(first, found.stop)
    return len(ranges) - inside, first


def _hex(item: MemoryRange) -> str:
    return f"0x{item.start:x} to 0x{item.end:x}"


RULES = (
    Rule("map-outside-ram", "preserved memory lies where no RAM is", outside_ram, About.PRESERVED),
    Rule("map-overlaps-scratch", "preserved memory lies in scratch", in_scratch, About.PRESERVED),
    Rule("map-unreadable", "the map cannot be read", unreadable, About.PRESERVED),
    Rule(
        "generation-from-release",
        "only the release told the map's format",
        from_release,
        About.PRESERVED,
    ),
    Rule(
        "owners-incomplete",
        "much preserved memory has no known owner",
        owners_incomplete,
        About.PRESERVED,
    ),
)
