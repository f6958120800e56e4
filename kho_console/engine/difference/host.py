"""The machine around the handover as things that can be compared."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields

from kho_console.abi import runs
from kho_console.engine.difference.items import Item
from kho_console.model.difference import Told
from kho_console.model.finding import Finding
from kho_console.model.machine import Cpus, KexecState
from kho_console.model.memory import IomemEntry, MemoryBlock, ScratchArea
from kho_console.model.preserved import Runs
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Maybe, Unknown

_NOISE = frozenset({"memory_available"})
"""What changes all the time."""


def machine(seen: Snapshot) -> list[Item]:
    """Who the machine is, and which boot of it."""
    host = seen.machine
    facts: dict[str, Maybe[Told]] = {
        "host": Told(host.hostname),
        "release": Told(host.release),
        "architecture": Told(host.architecture),
        "page size": Told(host.page_size, "bytes"),
        "boot": told(host.boot_id),
        "command line": told(_stripped(host.command_line), "text"),
        "MemTotal": told(host.memory_total, "bytes"),
        "lockdown": told(host.lockdown),
    }
    return [single(facts)]


def handover(seen: Snapshot) -> list[Item]:
    """The mechanism and where it stands."""
    facts: dict[str, Maybe[Told]] = {
        "generation": Told(seen.generation.protocol),
        "finalize step": Told(seen.generation.finalize),
        "state": Told(seen.state),
        "offered": told(seen.offered),
        "booted through a handover": told(seen.booted_through_handover),
        "previous release": told(seen.previous_release, "text"),
        "kexec count": told(seen.kexec_count, "count"),
        "/dev/liveupdate": told(seen.liveupdate_device),
        "sessions waiting": told(seen.inventory.waiting, "count"),
    }
    return [single(facts)]


def scratch(found: Maybe[tuple[ScratchArea, ...]]) -> Maybe[list[Item]]:
    """Scratch areas by role and node; where none is reserved the address means nothing."""
    if isinstance(found, Unknown):
        return found
    return [
        Item(
            area.role.encode() + (b" %d" % area.node if isinstance(area.node, int) else b""),
            Told(area.size, "bytes"),
            {"size": Told(area.size, "bytes")},
            area.address if area.size else None,
        )
        for area in found
    ]


def kexec(found: KexecState) -> list[Item]:
    """Loaded images and limits."""
    facts = {
        field.name.replace("_", " "): told(
            getattr(found, field.name), "bytes" if field.name.endswith("size") else ""
        )
        for field in fields(found)
        if field.name not in _NOISE
    }
    return [single(facts)]


def cpus(found: Cpus) -> Maybe[list[Item]]:
    """CPUs by number and by what the kernel says of them; `cpu1` is online, present or possible."""
    sets = (found.online, found.present, found.possible)
    known: dict[int, str] = {}
    for numbers, word in zip(sets, ("online", "present", "possible"), strict=True):
        if isinstance(numbers, Unknown):
            return numbers
        for number in numbers:
            known.setdefault(number, word)
    return [_state(b"cpu%d" % number, Told(word)) for number, word in sorted(known.items())]


def blocks(found: Maybe[tuple[MemoryBlock, ...]]) -> Maybe[list[Item]]:
    """Memory blocks by number."""
    if isinstance(found, Unknown):
        return found
    return [_state(b"memory%d" % item.number, told(item.state)) for item in found]


def iomem(found: Maybe[tuple[IomemEntry, ...]]) -> Maybe[dict[bytes, Runs]]:
    """What `/proc/iomem` calls by each name, however deep."""
    if isinstance(found, Unknown):
        return found
    named: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for entry in found:
        named[entry.name].append((entry.range.start, entry.range.end))
    return {
        name.encode("utf-8", "surrogateescape"): runs.of_ranges(pairs)
        for name, pairs in named.items()
    }


def findings(found: Iterable[Finding]) -> list[Item]:
    """Findings by what they are and whom they are about."""
    return [
        Item(
            f"{item.id}: {item.subject}".encode("utf-8", "surrogateescape"),
            Told(item.text, "words"),
            {"severity": Told(item.severity), "text": Told(item.text, "words")},
        )
        for item in found
    ]


def single(facts: dict[str, Maybe[Told]]) -> Item:
    """The subject itself."""
    return Item(b"", Told(""), facts)


def _state(name: bytes, state: Maybe[Told]) -> Item:
    return Item(name, state, {"state": state})


def _stripped(found: Maybe[bytes]) -> Maybe[bytes]:
    return found if isinstance(found, Unknown) else found.strip()


def told(found: Maybe[int | bytes | str], meaning: str = "") -> Maybe[Told]:
    """A value with what it means; a truth in words."""
    if isinstance(found, Unknown):
        return found
    if isinstance(found, bool):
        return Told("yes" if found else "no")
    return Told(found, meaning)
