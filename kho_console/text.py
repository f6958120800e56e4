"""Values as words: what both faces print, written once.

Addresses are hexadecimal in groups of four digits, sizes are in binary units with one decimal,
names from a kernel or a file are escaped, and an unknown value is the word for its cause.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from kho_console.model.event import Event, EventsLost
from kho_console.model.finding import Finding, Severity
from kho_console.model.generation import Generation, Protocol, State
from kho_console.model.memory import MemoryRange, ScratchArea, ScratchRole
from kho_console.model.owner import Owner, OwnerKind, Ownership
from kho_console.model.session import Direction, Session
from kho_console.model.unknown import Cause, Maybe, Unknown

if TYPE_CHECKING:
    from kho_console.model.blob import Blob
    from kho_console.model.preserved import PreservedMap
    from kho_console.model.snapshot import Moment, Snapshot

T = TypeVar("T")

_ESCAPE = re.compile(r"\\(?:\\|x([0-9a-f]{2}))")
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_SHORT_UNITS = ("", "K", "M", "G", "T", "P", "E")

_WORDS = {
    Cause.ABSENT: "not shown",
    Cause.NOT_YET: "not yet",
    Cause.NOT_PERMITTED: "not permitted",
    Cause.NOT_RECORDED: "not recorded",
    Cause.RELEASED: "released by kernel",
    Cause.TRUNCATED: "truncated",
    Cause.INVALID: "invalid",
    Cause.UNSUPPORTED: "unsupported",
    Cause.LATE: "late",
    Cause.UNREADABLE: "unreadable",
}

_DIRECTIONS = {
    Direction.OUTGOING: "",
    Direction.UNKNOWN: " of unknown direction",
    Direction.INCOMING: " of the previous kernel waiting",
}

_ESCAPED = tuple(
    "\\\\" if byte == 0x5C else chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"
    for byte in range(256)
)


def escaped(name: bytes | str) -> str:
    r"""A name from a kernel or a file: printable ASCII stays, `\` doubles, the rest is `\xNN`."""
    if name.isascii():
        # Most names are plain, and there may be millions.
        plain = name if isinstance(name, str) else name.decode("ascii")
        if plain.isprintable() and "\\" not in plain:
            return plain
    raw = _bytes(name) if isinstance(name, str) else name
    return "".join([_ESCAPED[byte] for byte in raw])


def unescaped(words: str) -> bytes:
    """The name that `escaped` made these words of.

    Raises:
        ValueError: They are no such words.
    """
    found = _ESCAPE.sub(lambda hit: chr(int(hit[1], 16)) if hit[1] else "\\", words)
    return found.encode("latin-1")


def harmless(words: str) -> str:
    """The last guard of the terminal: names are escaped before, but nothing else gets through."""
    if words.isprintable():
        return words
    return "".join(letter if letter.isprintable() else "?" for letter in words)


def address(value: int, digits: int = 12) -> str:
    """A physical address in groups of four digits, at least `digits` of them."""
    plain = f"{value:0{digits}x}"
    plain = plain.rjust(-(-len(plain) // 4) * 4, "0")
    return "0x" + "_".join(plain[at : at + 4] for at in range(0, len(plain), 4))


def size(value: int) -> str:
    """Bytes in the largest binary unit that leaves a whole number: `15.2 MiB`, `294 B`."""
    number, unit = _scaled(value)
    return f"{value} B" if not unit else f"{number:.1f} {_UNITS[unit]}"


def short_size(value: int) -> str:
    """The same in few characters: `15.2M`, `294`."""
    number, unit = _scaled(value)
    return f"{value}" if not unit else f"{number:.1f}{_SHORT_UNITS[unit]}"


def exact(value: int) -> str:
    """Bytes with the unit and to the byte: `15.2 MiB (15,896,576 bytes)`."""
    return f"{size(value)} ({value:,} bytes)" if value >= 1024 else f"{value} bytes"


def token(value: int) -> str:
    """A session file's token: agents write these in hexadecimal."""
    return f"0x{value:x}"


def word(unknown: Unknown) -> str:
    """The word for a value that is not known, short enough for a column."""
    return _WORDS[unknown.cause]


def reason(unknown: Unknown) -> str:
    """Why a value is not known: it may name a path or quote a file."""
    return escaped(unknown.reason)


def why(unknown: Unknown) -> str:
    """Why a value is not known, with the word for it where the reason does not begin with it."""
    said = reason(unknown)
    # `not finalized yet` says it, and begins with what it is about.
    says_it = (
        said.startswith(unknown.cause)
        or said.endswith(f": {unknown.cause}")
        or (unknown.cause is Cause.NOT_YET and said.startswith("not ") and said.endswith(" yet"))
    )
    return said if says_it else f"{word(unknown)}: {said}"


def told(value: Maybe[T], shape: Callable[[T], str]) -> str:
    """A value in the words of `shape`, or the word for why it is not known."""
    return word(value) if isinstance(value, Unknown) else shape(value)


def explained(value: Maybe[T], shape: Callable[[T], str]) -> str:
    """A value in the words of `shape`, or why it is not known."""
    return why(value) if isinstance(value, Unknown) else shape(value)


def number(value: int) -> str:
    """A number that may be an address: large ones in hexadecimal too."""
    return f"{value}" if -4096 < value < 4096 else f"{value} ({value:#x})"


def cut(words: str, width: int) -> str:
    """Words on at most `width` columns, with `..` where they are cut."""
    return words if len(words) <= width else words[: max(width - 2, 0)] + ".."[:width]


def total(pieces: Iterable[MemoryRange | ScratchArea]) -> int:
    """Bytes of scratch areas or crash regions together; they do not overlap."""
    return sum(piece.size for piece in pieces)


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 range`, `49 ranges`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def address_of(words: str) -> int:
    """The address that somebody typed: `0x0000_6741_2000`, `67412000`.

    Raises:
        ValueError: It is no hexadecimal number.
    """
    plain = words.strip().lower().removeprefix("0x").replace("_", "")
    if not plain or len(plain) > 16 or set(plain) - set("0123456789abcdef"):
        raise ValueError(f"{escaped(words.strip())} is no address; write it as 0x6741_2000")
    return int(plain, 16)


def value(found: int | bytes, meaning: str) -> str:
    """A decoded value by its meaning, as `Field.meaning` has it."""
    if isinstance(found, bytes):
        return escaped(found) if meaning == "text" else found.hex(" ")
    if meaning == "address":
        return address(found) if found else "none"
    if meaning == "bytes":
        return exact(found)
    if meaning == "flags":
        return f"0x{found:x}"
    return f"{found:,}" if found < 1 << 16 or meaning == "count" else f"0x{found:x}"


def printable(raw: bytes) -> str:
    """Bytes one character each, as a hex dump shows them: what is not printable is a dot."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in raw)


_NO_UPTIME = 1e9
"""Seconds, some 30 years: more is a number that somebody made up, and may have 300 digits."""


def moment(boot_time: Maybe[datetime], monotonic: float) -> str:
    """When something happened: UTC where the boot time is known, else seconds since boot."""
    since = f"+{monotonic:.1f} s" if abs(monotonic) < _NO_UPTIME else f"+{monotonic:.0e} s"
    if isinstance(boot_time, Unknown):
        return since
    try:
        return f"{boot_time + timedelta(seconds=monotonic):%H:%M:%S}"
    except (OverflowError, ValueError):
        return since


def dated(at: datetime) -> str:
    """A day and a time, UTC: `2026-11-21 15:13:57Z`."""
    return f"{at:%F %T}Z"


def which(found: "Moment | None") -> str:
    """A moment of a recording, as --at takes it too: `2026-11-21 15:13:57Z, moment:5 of 33`."""
    return f"{dated(found.at)}, moment:{found.number} of {found.count}" if found else ""


def clock(at: datetime, *, dated: bool = False) -> str:
    """A time of day, UTC; with the day of the year where several are on the screen."""
    return f"{at:%m-%d %H:%M:%S}" if dated else f"{at:%H:%M:%S}"


def event(found: Event | EventsLost) -> str:
    """An event in words: `online memory32`."""
    if isinstance(found, EventsLost):
        return f"events lost: {escaped(found.reason)}"
    return f"{escaped(found.action)} {escaped(found.device)}"


def owner(value: Owner) -> str:
    """An owner in words: `reserve_mem oops`, `memfd 2.0 MiB, session unknown`."""
    if value.kind is OwnerKind.MEMFD:
        length = "" if value.size is None else f" {size(value.size)}"
        return f"memfd{length}, {_session(value)}"
    if value.kind is OwnerKind.MEMFD_RECORD:
        return f"memfd record {escaped(value.name)}"
    return f"{value.kind} {escaped(value.name)}" if value.name else value.kind


def life_cycle(generation: Generation, state: State) -> str:
    """The mechanism and where it stands: `kho-v4 stateless`, `no handover`."""
    if state is State.UNAVAILABLE:
        return "no handover" if generation.protocol is Protocol.NONE else "handover not seen"
    return f"{generation.protocol} {generation.standing(state)}"


def chain(kexec_count: int) -> str:
    """How many handovers in a row led here: `number 1 since a cold boot`."""
    return f"number {kexec_count} since a cold boot"


def no_side(side: Unknown, *, cold: bool) -> str:
    """Why a side is not seen; that nothing came in is an answer after a cold boot, not a gap."""
    return f"none: {reason(side)}" if cold else why(side)


def blob_state(blob: "Blob") -> str:
    """Whether a blob can be trusted, and why not: `valid`, `stale: released by the kernel`."""
    if isinstance(blob.state, Unknown):
        return why(blob.state)
    return f"{blob.state}: {escaped(blob.reason)}" if blob.reason else blob.state


def preserved(found: "PreservedMap") -> str:
    """How much is preserved: `15.2 MiB (15,896,576 bytes) in 49 ranges`."""
    return f"{exact(found.bytes)} in {count(len(found.ranges), 'range')}"


def orders(found: Sequence[int]) -> str:
    """Numbers, ascending, such as orders of an extent's blocks: `0`, `0-3`, `0,9`; `?` for none."""
    if len(found) > 1 and found[-1] - found[0] == len(found) - 1:
        return f"{found[0]}-{found[-1]}"  # The blocks of a DIMM are thousands.
    cuts = [at for at, (low, high) in enumerate(pairwise(found), 1) if high != low + 1]
    runs = [found[start:end] for start, end in pairwise([0, *cuts, len(found)])]
    words = (f"{run[0]}" if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs if run)
    return ",".join(words) or "?"


def kept(number: int, of: int, held: int) -> str:
    """What a filter leaves: `12 of 70 extents, 10.1 MiB`."""
    return f"{number:,} of {count(of, 'extent')}, {size(held)}"


def findings(found: Iterable[Finding]) -> str:
    """How many there are of each severity: `1 error, 2 warnings, 3 notes`, or `none`."""
    counted = Counter(item.severity for item in found)
    words = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    parts = [count(counted[at], noun) for at, noun in words.items() if counted[at]]
    return ", ".join(parts) or "none"


def counted(found: Iterable[Session]) -> str:
    """How many sessions are for which kernel: `2 sessions, 1 session of unknown direction`."""
    numbers = Counter(item.direction for item in found)
    parts = [
        f"{count(numbers[direction], 'session')}{behind}"
        for direction, behind in _DIRECTIONS.items()
        if numbers[direction]
    ]
    return ", ".join(parts) or "no session"


def sessions(snapshot: "Snapshot") -> str:
    """How many sessions there are, and what is not known of their number."""
    inventory = snapshot.inventory
    found, waiting = inventory.sessions, inventory.waiting
    parts = [explained(found, counted)]
    if not isinstance(found, Unknown) and inventory.unseen:
        hidden = count(inventory.unseen, "process", "processes")
        parts.append(f"what {hidden} hold is not known")
    if isinstance(waiting, Unknown) and waiting.cause is not Cause.ABSENT:
        parts.append(f"whether any of the previous kernel wait is not known: {reason(waiting)}")
    if found == () and snapshot.liveupdate_device is False:
        parts.append(no_live_update(snapshot))
    return "; ".join(parts)


def no_live_update(snapshot: "Snapshot") -> str:
    """Why there is no /dev/liveupdate, as far as the kernel's options tell."""
    config = snapshot.machine.config
    if isinstance(config, Unknown):
        return "live update is off or not built here: /dev/liveupdate is not there"
    if config.get("CONFIG_LIVEUPDATE") == "y":
        return "live update is off: /dev/liveupdate is not there"
    return "this kernel is built without live update"


def memory_files(found: Maybe[Ownership]) -> str | None:
    """The memfds among the owners, `3 memory files of 10.1 MiB preserved`; None without any."""
    if isinstance(found, Unknown):
        return None
    files = [item for item in found.owners if item.kind is OwnerKind.MEMFD]
    sizes = size(sum(item.size or 0 for item in files))
    return f"{count(len(files), 'memory file')} of {sizes} preserved" if files else None


def armed(loaded: Maybe[bool]) -> str:
    """Whether a panic finds a crash image, in the words of every face."""
    return explained(loaded, lambda known: "armed" if known else "not armed: no image is loaded")


def scratch_role(area: ScratchArea) -> str:
    """What an area is for: `low memory`, `global`, `node 1`."""
    if area.role is not ScratchRole.NODE:
        return {ScratchRole.LOWMEM: "low memory", ScratchRole.GLOBAL: "global"}[area.role]
    if isinstance(area.node, Unknown) or area.node is None:
        return "node ?"
    return f"node {area.node}"


def _bytes(name: str) -> bytes:
    """A name as bytes; JSON can say half a surrogate pair, which no byte stands for."""
    try:
        return os.fsencode(name)
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogatepass")


def _session(value: Owner) -> str:
    return "session unknown" if value.session is None else f"session {escaped(value.session)}"


def _scaled(value: int) -> tuple[float, int]:
    number, unit = float(value), 0
    while number >= 1023.95 and unit < len(_UNITS) - 1:
        number /= 1024
        unit += 1
    return number, unit
