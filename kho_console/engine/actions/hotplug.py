"""Taking memory blocks and CPUs online and offline."""

import re

from kho_console.engine import paths
from kho_console.engine.findings.words import numbers
from kho_console.model.action import Action, Expectation, NotApplicable, Plan, Risk
from kho_console.model.change import Write
from kho_console.model.check import Check, Result
from kho_console.model.memory import MemoryBlock, MemoryRange
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown

_TARGET = re.compile(r"(memory|cpu)(0|[1-9]\d{0,8})", re.ASCII)


def target(word: str) -> tuple[str, int]:
    """The kind and number of `memoryN` or `cpuN`.

    Raises:
        ValueError: It is neither.
    """
    found = _TARGET.fullmatch(word)
    if found is None:
        raise ValueError(f"{word!r} is neither memoryN nor cpuN")
    return found[1], int(found[2])


def hotplug(snapshot: Snapshot, word: str, online: bool) -> Plan:
    """Take `memoryN` or `cpuN` online or offline.

    Raises:
        ValueError: `word` is neither.
    """
    kind, number = target(word)
    return (_memory if kind == "memory" else _cpu)(snapshot, number, online)


def _memory(snapshot: Snapshot, number: int, online: bool) -> Plan:
    blocks = snapshot.memory.blocks
    if isinstance(blocks, Unknown):
        return _no_such(online, f"memory blocks cannot be seen here: {blocks.reason}", "")
    block = next((item for item in blocks if item.number == number), None)
    if block is None:
        known = numbers("memory", [item.number for item in blocks])
        there = f"there are {known}" if known else ""
        return _no_such(online, f"there is no memory{number}", there)
    path = f"{paths.MEMORY}/memory{number}/state"
    checks = [_state(path, block.state, "online" if online else "offline")]
    if not online:
        checks += _unmovable(snapshot, block)
    word = "online" if online else "offline"
    return _action(snapshot, online, f"memory{number}", Write(path, word.encode()), checks)


def _cpu(snapshot: Snapshot, number: int, online: bool) -> Plan:
    present, running = snapshot.cpus.present, snapshot.cpus.online
    if not isinstance(present, Unknown) and number not in present:
        return _no_such(online, f"there is no cpu{number}", f"there are {len(present)} CPUs")
    path = f"{paths.CPUS}/cpu{number}/online"
    now = running if isinstance(running, Unknown) else str(int(number in running))
    value = "1" if online else "0"
    checks = [_state(path, now, value)]
    if not online and running == (number,):
        text = f"cpu{number} is the last one that runs"
        checks.append(Check("last-cpu", Result.FAIL, text, f"{paths.CPUS}/online: {number}"))
    return _action(snapshot, online, f"cpu{number}", Write(path, value.encode()), checks)


def _action(
    snapshot: Snapshot, online: bool, what: str, write: Write, checks: list[Check]
) -> Action:
    return Action(
        name="online" if online else "offline",
        title=f"take {what} {'online' if online else 'offline'}",
        changes=(write,),
        preconditions=(*checks, *_crash(snapshot)),
        undone_by="offline" if online else "online",
        risk=Risk.SMALL,
        expects=(Expectation(write.path, write.data.decode()),),
    )


def _no_such(online: bool, reason: str, instead: str) -> NotApplicable:
    return NotApplicable("online" if online else "offline", reason, instead)


def _state(path: str, now: str | Unknown, wanted: str) -> Check:
    if isinstance(now, Unknown):
        return Check("state", Result.WARNING, "its state cannot be read", now.reason)
    if now == wanted:
        return Check("state", Result.FAIL, "it is so already", f"{path}: {now}")
    return Check("state", Result.PASS, "it is not so yet", f"{path}: {now}")


def _unmovable(snapshot: Snapshot, block: MemoryBlock) -> list[Check]:
    """What the kernel cannot move out of a block, so that it answers EBUSY."""
    held = {"crash region": snapshot.memory.crash_regions}
    if not isinstance(snapshot.scratch, Unknown):
        held["scratch"] = tuple(area.range for area in snapshot.scratch if area.size)
    found = []
    for name, ranges in held.items():
        if not isinstance(ranges, Unknown) and _touched(block.range, ranges):
            found.append(name)
    preserved = snapshot.inventory.preserved
    if not isinstance(preserved, Unknown) and preserved.ranges.touches(block.range):
        found.append("preserved memory")
    if not found:
        return []
    text = f"in it lies {' and '.join(found)}, which cannot be moved: expect EBUSY"
    return [Check("unmovable", Result.WARNING, text)]


def _touched(block: MemoryRange, ranges: tuple[MemoryRange, ...]) -> bool:
    return any(block.overlaps(item) for item in ranges)


def _crash(snapshot: Snapshot) -> list[Check]:
    """Whether the loaded crash image learns of it."""
    if snapshot.kexec.crash_loaded is not True:
        return []
    updated = snapshot.inventory.crash_hotplug
    if updated is True:
        text = "the kernel updates the loaded crash image itself"
        return [Check("crash-image", Result.PASS, text, f"{paths.MEMORY}/crash_hotplug: 1")]
    evidence = updated.reason if isinstance(updated, Unknown) else "crash_hotplug: 0"
    text = "the loaded crash image does not learn of it from the kernel"
    return [Check("crash-image", Result.WARNING, text, evidence, "load the crash image again")]
