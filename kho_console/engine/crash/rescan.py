"""What changed between two looks, and whether events told of it."""

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise

from kho_console.model.memory import MemoryBlock
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Maybe, Unknown
from kho_console.model.value import dataclass

NOTHING = "nothing is missing"

Standing = dict[tuple[str, int], str | None]
"""How each device stands, by its subsystem and number; None where it is gone."""

_LEADS_TO = {"add": "offline", "online": "online", "offline": "offline", "remove": None}
"""How a device stands after an event (drivers/base/memory.c and cpu.c: a block and a CPU are
offline when they come)."""

_UNREADABLE = "there"
_BETWEEN = {"going-offline": "online"}
"""The kernel tells of a block once it is offline, and of one that stays online not at all."""

_DEVICE = re.compile(r"(cpu|memory)(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Change:
    """What a device did without an event.

    Attributes:
        what: `came`, `went`, `went online` or `went offline`.
        state: How it stands since; None where it is gone.
    """

    what: str
    state: str | None


def leads_to(action: str, state: str | None) -> bool:
    """Whether an event of this action leaves its device so, gone where the state is None."""
    return action in _LEADS_TO and not _differs(_LEADS_TO[action], state)


def unannounced(
    then: Snapshot,
    now: Snapshot,
    told: Mapping[str, str],
    late: Mapping[str, Collection[str]],
) -> Maybe[dict[str, Change]]:
    """Devices that stand otherwise than events said, each with what it did unsaid.

    Args:
        then: The machine before.
        now: The machine as it is.
        told: The last action that was heard of each device before it was looked at.
        late: Actions that were heard while it was looked at: it may stand as before them.
    """
    before, after = _standing(then), _standing(now)
    if isinstance(before, Unknown):
        return before
    if isinstance(after, Unknown):
        return after
    expected = before | _heard(told)
    found = {}
    for key in sorted(expected.keys() | after.keys()):
        said, state = expected.get(key), after.get(key)
        device = f"{key[0]}{key[1]}"
        known = any(leads_to(action, state) for action in late.get(device, ()))
        if _differs(said, state) and not known:
            found[device] = Change(_what(said, state), state)
    return found


def in_words(found: Mapping[str, Change]) -> str:
    """What a re-scan found: `memory40-43 came without an event`."""
    by_what: dict[tuple[str, str], list[int]] = {}
    for device, change in found.items():
        subsystem = device.rstrip("0123456789")
        by_what.setdefault((subsystem, change.what), []).append(int(device[len(subsystem) :]))
    return (
        "; ".join(
            f"{', '.join(_runs(subsystem, numbers))} {what} without an event"
            for (subsystem, what), numbers in by_what.items()
        )
        or NOTHING
    )


def _standing(snapshot: Snapshot) -> Maybe[Standing]:
    cpus, blocks = snapshot.cpus, snapshot.memory.blocks
    if isinstance(blocks, Unknown):
        return blocks
    if isinstance(cpus.present, Unknown):
        return cpus.present
    if isinstance(cpus.online, Unknown):
        return cpus.online
    return _memory(blocks) | _processors(cpus.present, cpus.online)


def _memory(blocks: Iterable[MemoryBlock]) -> Standing:
    return {
        ("memory", item.number): _UNREADABLE
        if isinstance(item.state, Unknown)
        else _BETWEEN.get(item.state, item.state)
        for item in blocks
    }


def _processors(present: Iterable[int], online: Iterable[int]) -> Standing:
    running = set(online)
    return {("cpu", number): "online" if number in running else "offline" for number in present}


def _heard(told: Mapping[str, str]) -> Standing:
    matches = ((_DEVICE.fullmatch(device), action) for device, action in told.items())
    return {
        (match[1], int(match[2])): _LEADS_TO[action]
        for match, action in matches
        if match and action in _LEADS_TO
    }


def _differs(one: str | None, other: str | None) -> bool:
    if one is not None and other is not None and _UNREADABLE in (one, other):
        return False
    return one != other


def _what(before: str | None, after: str | None) -> str:
    if before is None:
        return "came"
    return "went" if after is None else f"went {after}"


def _runs(subsystem: str, numbers: list[int]) -> Iterable[str]:
    numbers = sorted(numbers)
    cuts = [at for at, (one, other) in enumerate(pairwise(numbers), 1) if other != one + 1]
    for start, stop in pairwise([0, *cuts, len(numbers)]):
        first, last = numbers[start], numbers[stop - 1]
        yield f"{subsystem}{first}" if first == last else f"{subsystem}{first}-{last}"
