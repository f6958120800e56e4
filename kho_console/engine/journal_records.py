"""What the journal tells, however damaged it is, and what became of a kexec since."""

import errno
import json
import os
import stat
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kho_console.model.record import Damage, Record, Standing, Who
from kho_console.model.unknown import Maybe, Unknown
from kho_console.model.value import dataclass

_LARGEST = 32 << 20
"""Bytes that are read, the latest ones."""

_SOON = timedelta(minutes=45)
"""Within it the next kernel starts: systemd gives the shutdown 30 minutes."""

_ENDINGS = {
    "done": Standing.DONE,
    "refused": Standing.REFUSED,
    "kernel_refused": Standing.KERNEL_REFUSED,
    "unproven": Standing.UNPROVEN,
    "pending": Standing.PENDING,
}


@dataclass(frozen=True, slots=True)
class Now:
    """The kernel that runs when the journal is read.

    Attributes:
        boot: Its boot id.
        since: When it started, UTC.
        arrived: Whether it came through a handover.
    """

    boot: Maybe[str]
    since: Maybe[datetime]
    arrived: Maybe[bool]


@dataclass(frozen=True, slots=True)
class Records:
    """The actions of a journal, oldest first, and the lines of it that cannot be read."""

    records: tuple[Record, ...]
    damage: tuple[Damage, ...]


def read(path: Path, now: Now) -> Records:
    """All actions of the journal; none where there is no file.

    Raises:
        OSError: It cannot be read.
    """
    try:
        content, damage = _content(path)
    except FileNotFoundError:
        return Records((), ())
    return of_lines(content, damage, now)


def of_lines(content: bytes, damage: list[Damage], now: Now) -> Records:
    """All actions that are in lines, beside what is known to be damaged."""
    begun: dict[str, Record] = {}
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            _take(json.loads(line), begun)
        except RecursionError:
            damage.append(Damage(number, "nested too deeply"))
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError):
            damage.append(Damage(number, "no line of a journal, as when a write was cut short"))
    return Records(_settled(tuple(begun.values()), now), tuple(damage))


def _content(path: Path) -> tuple[bytes, list[Damage]]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "no regular file", str(path))
        if found.st_size <= _LARGEST:
            return file.read(_LARGEST), []
        file.seek(-_LARGEST, os.SEEK_END)
        file.readline()
        return file.read(_LARGEST), [Damage(0, "older lines are not read: the file is too long")]


def _take(line: Any, begun: dict[str, Record]) -> None:
    """Add a begin, or complete the one that an end belongs to."""
    known = _word(line["id"])
    if line["step"] == "begin":
        begun[known] = _begun(known, line)
        return
    if line["step"] != "end":
        raise ValueError(line["step"])
    begun[known] = replace(
        begun[known],
        ended=_word(line["at"]),
        standing=_ENDINGS.get(line["ending"], Standing.UNKNOWN),
        text=_word(line["text"]),
        errno=_maybe_word(line["errno"]),
        found=tuple((_word(item["path"]), _maybe_word(item["value"])) for item in line["found"]),
    )


def _begun(known: str, line: Any) -> Record:
    who = line["who"]
    return Record(
        id=known,
        at=_word(line["at"]),
        ended=None,
        boot=_word(line["boot"]),
        host=_word(line["host"]),
        source=_word(line["source"]),
        who=Who(
            int(who["uid"]),
            _word(who["user"]),
            *(_maybe_word(who[key]) for key in ("login", "tty", "ssh")),
        ),
        action=_word(line["action"]),
        changes=tuple(_plain(item) for item in line["changes"]),
        standing=Standing.INTERRUPTED,
        text="it was begun, and how it ended was not written: look at the machine",
        errno=None,
        found=(),
    )


def _plain(change: Any) -> dict[str, str | int | None]:
    if not all(item is None or isinstance(item, str | int) for item in change.values()):
        raise TypeError(change)
    return dict(change)


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _maybe_word(value: Any) -> str | None:
    return None if value is None else _word(value)


def _settled(records: Sequence[Record], now: Now) -> tuple[Record, ...]:
    """Each kexec as it stands now; the call does not return, so an open one may be one too."""
    return tuple(
        _kexec(record, records[at + 1 :], now)
        if record.action == "execute"
        and record.standing in (Standing.PENDING, Standing.INTERRUPTED)
        else record
        for at, record in enumerate(records)
    )


def _kexec(record: Record, later: Sequence[Record], now: Now) -> Record:
    """The proof is in the boot that followed, and only there."""
    if isinstance(now.boot, Unknown) or now.boot == record.boot:
        text = "the kexec was asked for; the proof lies in the next boot"
        return replace(record, standing=Standing.PENDING, text=text)
    between = any(item.boot not in (record.boot, now.boot) for item in later)
    if between or not _followed(record, now):
        text = "other boots lie between this kexec and the running kernel: it tells nothing of it"
        return replace(record, standing=Standing.UNKNOWN, text=text)
    if isinstance(now.arrived, Unknown):
        text = f"another kernel runs; whether it took the handover: {now.arrived.reason}"
        return replace(record, standing=Standing.UNKNOWN, text=text)
    if now.arrived:
        text = "another boot id, and the running kernel took a handover"
        return replace(record, standing=Standing.ARRIVED, text=text)
    text = "another boot id, and the running kernel took no handover: what was preserved is lost"
    return replace(record, standing=Standing.LOST, text=text)


def _followed(record: Record, now: Now) -> bool:
    """Whether the running kernel started right after; by the clock, which a kexec keeps."""
    if isinstance(now.since, Unknown):
        return False
    try:
        asked = datetime.fromisoformat(record.at)
    except ValueError:
        return False
    asked = asked if asked.tzinfo else asked.replace(tzinfo=UTC)
    # The boot time is told to the second, and clocks are set while a machine boots.
    return -timedelta(minutes=2) <= now.since - asked <= _SOON
