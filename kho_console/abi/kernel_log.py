"""The kernel log: lines, and what those about handover, live update and kdump say.

Lines have the form of dmesg, `[    1.234567] text`; a message of several lines has its stamp on
the first one only. The texts are those of kernel/kexec_handover.c and kernel/liveupdate/ (6.16 to
7.3), mm/memblock.c, and kernel/crash_core.c with arch/x86/kernel/crash.c (6.6, the first with
crash hotplug, to 7.3) and its sibling for powerpc.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import islice

from kho_console.model.value import dataclass

_STAMP = re.compile(r"(?:<\d+>)?\[ *(\d{1,12}\.\d{6})\](?:\[ *[TC]\d+\])? ?", re.ASCII)

_LINE = re.compile("[^\n]{1,8192}")
"""A record has at most some 1,000 bytes, and 8,192 with all that /dev/kmsg adds."""

_MOST_LINES = 500_000
_MOST_OF_A_KIND = 100


class LogKind(StrEnum):
    """What a recognised line tells. The values of each are named in brackets."""

    HANDOVER_FOUND = "handover found"
    """KHO data was accepted."""
    REVIVAL_DISABLED = "revival disabled"
    """KHO data was refused [error: errno, negative; up to 7.0]."""
    INCOMPATIBLE = "incompatible"
    """The tree is of another version [address, compatible: what this kernel wants, error]."""
    SCRATCH_SIZES = "scratch sizes"
    """`kho_scratch=` was accepted, also where a handover overrides it [lowmem, global, node]."""
    SCRATCH_SCALE = "scratch scale"
    """Likewise, as a percentage [percent]."""
    SCRATCH_FAILED = "scratch failed"
    """An area could not be reserved [area; from 7.1]."""
    HANDOVER_DISABLED = "handover disabled"
    """KHO switched itself off for this boot."""
    EXEC_FROM = "exec from"
    """The kernel before this one [release, count; from 7.1]."""
    MALFORMED_OPTION = "malformed option"
    """An option was ignored [option]."""
    MEMORY_REVIVED = "memory revived"
    """A `reserve_mem` region was adopted [name; from 6.16]."""
    RESERVE_MEM = "reserve_mem"
    """A `reserve_mem=` failed [text]."""
    LIVE_UPDATE_DISABLED = "live update disabled"
    """liveupdate=on without KHO."""
    NO_HANDLER = "no handler"
    """A preserved file's handler is missing; /dev/liveupdate gives EIO [compatible]."""
    FREEZE_FAILED = "freeze failed"
    """A handler stopped the kexec [token, handler]."""
    FINISH_FAILED = "finish failed"
    """A session leaked when it was closed [session]."""
    CRASH_EVENT_LOST = "crash event lost"
    """A hotplug event found the lock taken: the crash image may miss it."""
    CRASH_UPDATE_FAILED = "crash update failed"
    """The elfcorehdr could not be rewritten [text]."""
    CRASH_TOO_SMALL = "crash too small"
    """The new elfcorehdr did not fit [size, room: bytes]."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line: seconds since boot where it has a stamp, and the text behind it."""

    seconds: float | None
    text: str


@dataclass(frozen=True, slots=True)
class LogFact:
    """A line that says something about our subject.

    Attributes:
        kind: What.
        line: The line.
        values: What it names, by the words in `LogKind`; sizes are bytes.
    """

    kind: LogKind
    line: LogLine
    values: Mapping[str, int | str]


_PATTERNS: tuple[tuple[LogKind, str, str], ...] = (
    (LogKind.HANDOVER_FOUND, "found kexec", r"KHO: found kexec handover data\."),
    (
        LogKind.REVIVAL_DISABLED,
        "disabling KHO",
        r"KHO: disabling KHO revival(?:: (?P<error>-\d{1,18}))?$",
    ),
    (
        LogKind.INCOMPATIBLE,
        "is incompatible",
        r"KHO: setup: handover FDT \(0x(?P<address_hex>[0-9a-f]{1,16})\) is incompatible"
        r" with '(?P<compatible>[^']*)': (?P<error>-?\d{1,18})",
    ),
    (
        LogKind.SCRATCH_SIZES,
        "scratch areas",
        r"KHO: scratch areas: lowmem: (?P<lowmem_mib>\d{1,18})Mi?B"
        r" global: (?P<global_mib>\d{1,18})Mi?B pernode: (?P<node_mib>\d{1,18})Mi?B",
    ),
    (LogKind.SCRATCH_SCALE, "scratch scale", r"KHO: scratch scale is (?P<percent>\d{1,18})"),
    (
        LogKind.HANDOVER_DISABLED,
        "KHO: ",
        r"KHO: (?:.*disabling kexec handover|disabled in the kdump)",
    ),
    (LogKind.SCRATCH_FAILED, "Failed to reserve", r"KHO: Failed to reserve (?P<area>.*)"),
    (
        LogKind.EXEC_FROM,
        "exec from",
        r"KHO: exec from: (?P<release>.*) \(count (?P<count>\d{1,18})\)",
    ),
    (
        LogKind.MALFORMED_OPTION,
        "Malformed early",
        r"Malformed early option '(?P<option>kho|kho_scratch|kho_bootmem|liveupdate)'",
    ),
    (
        LogKind.MEMORY_REVIVED,
        "Revived memory",
        r"Revived memory reservation '(?P<name>.*)' from KHO",
    ),
    (LogKind.RESERVE_MEM, "reserve_mem: ", r"reserve_mem: (?P<text>.*)"),
    (
        LogKind.LIVE_UPDATE_DISABLED,
        "Disabling liveupdate",
        r"luo: Disabling liveupdate because KHO is disabled",
    ),
    (
        LogKind.NO_HANDLER,
        "No registered handler",
        r"(?:luo\w*: )?No registered handler for compatible '(?P<compatible>.*)'",
    ),
    (
        LogKind.FREEZE_FAILED,
        "Freeze failed",
        r"(?:luo\w*: )?Freeze failed for token\[(?P<token>[^]]*)\] handler\[(?P<handler>[^]]*)\]",
    ),
    (
        LogKind.FINISH_FAILED,
        "Unable to finish",
        r"(?:luo\w*: )?Unable to finish session \[(?P<session>.*)\] on release",
    ),
    (LogKind.CRASH_EVENT_LOST, "crash hp: ", r"crash hp: kexec_trylock\(\) failed"),
    (
        LogKind.CRASH_TOO_SMALL,
        "crash hp: ",
        r"crash hp: (?:update|Updated crash) elfcorehdr"
        r" elfsz (?P<size>\d{1,18}) > memsz (?P<room>\d{1,18})",
    ),
    (
        LogKind.CRASH_UPDATE_FAILED,
        "crash hp: ",
        r"crash hp: (?P<text>(?:unable|Failed) to .*|mapping elfcorehdr segment failed.*)",
    ),
)
"""For each kind words that are in such a line, and its form: few lines have any of the words, and
few forms are ever compiled."""

_NUMBERS = frozenset(("error", "percent", "count", "size", "room"))


def parse(text: str) -> Iterator[LogLine]:
    """The lines of a log, one by one. Any text is a log; lines of another form have no seconds.

    A log may be megabytes of short lines, so whoever wants its lines keeps those that matter only.
    What no kernel writes in one line comes as several, and no line comes after 500,000 others.
    """
    return (_line(found[0]) for found in islice(_LINE.finditer(text), _MOST_LINES))


def facts(lines: Iterable[LogLine]) -> tuple[LogFact, ...]:
    """What the recognised ones among the lines say, in order; of each kind the first 100."""
    counted: Counter[LogKind] = Counter()
    kept: list[LogFact] = []
    for fact in map(recognise, lines):
        if fact is not None:
            counted[fact.kind] += 1
            if counted[fact.kind] <= _MOST_OF_A_KIND:
                kept.append(fact)
    return tuple(kept)


def recognise(line: LogLine) -> LogFact | None:
    """What the line says about handover, live update or kdump; None for any other line."""
    for kind, words, pattern in _PATTERNS:
        match = re.match(pattern, line.text, re.ASCII) if words in line.text else None
        if match:
            named = match.groupdict().items()
            values = dict(_value(name, text) for name, text in named if text is not None)
            return LogFact(kind, line, values)
    return None


def _line(line: str) -> LogLine:
    stamp = _STAMP.match(line)
    return LogLine(float(stamp[1]), line[stamp.end() :]) if stamp else LogLine(None, line)


def _value(name: str, text: str) -> tuple[str, int | str]:
    if name.endswith("_hex"):
        return name.removesuffix("_hex"), int(text, 16)
    if name.endswith("_mib"):
        return name.removesuffix("_mib"), int(text) << 20
    return name, int(text) if name in _NUMBERS else text
