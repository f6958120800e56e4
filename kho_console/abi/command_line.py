"""The kernel command line, split and read as the kernel does it.

Splitting is `next_arg` of lib/cmdline.c, unchanged from 6.16 to 7.3: blanks separate, double
quotes hold together and cannot be escaped, hyphens and underscores of names are the same, and
what follows `--` is for init. Bytes beyond ASCII are kept as they are.
"""

import re
from collections.abc import Container, Iterator
from itertools import takewhile
from typing import TypeAlias, TypeVar

from kho_console.abi.crashkernel import CrashKernel
from kho_console.abi.crashkernel import parse as parse_crashkernel
from kho_console.abi.memparse import kstrtobool, memparse
from kho_console.abi.scratch_request import Malformed, ScratchRequest
from kho_console.model.value import dataclass

MAX_RESERVED = 8
"""RESERVE_MEM_MAX_ENTRIES of mm/memblock.c."""

_NAME_SIZE = 16
_SPACES = b" \t\n\v\f\r\xa0"
"""What isspace() of the kernel takes; its tables are Latin-1."""

_WORD = re.compile(rb'(?:[^" \t\n\v\f\r\xa0]++|"[^"]*+(?:"|\Z))++')
_LOCKDOWN = (b"integrity", b"confidentiality")

Switch: TypeAlias = bool | Malformed | None
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument; the value is None where there is no `=`."""

    name: bytes
    value: bytes | None


_END = Argument(b"--", None)


@dataclass(frozen=True, slots=True)
class ReserveMem:
    """One `reserve_mem=SIZE:ALIGN:NAME` (mm/memblock.c). Bytes; the kernel raises small aligns."""

    size: int
    align: int
    name: bytes


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What a command line asks of the handover and of crash kernels.

    It is what was asked for, not what is in force: after a handover `kho_scratch` is ignored.

    Attributes:
        arguments: Everything up to `--`, in order.
        kho: The last well-formed `kho=`, the last malformed one if there is no other, or None.
        liveupdate: Likewise.
        scratch: Every `kho_scratch=` and `kho_bootmem=`; see `scratch_request.meaning`.
        reserve_mem: Every `reserve_mem=`, in order.
        crashkernel: Every `crashkernel=`, in order.
        lockdown: `integrity`, `confidentiality`, malformed, or None; chosen like `kho`.
    """

    arguments: tuple[Argument, ...]
    kho: Switch
    liveupdate: Switch
    scratch: tuple[ScratchRequest, ...]
    reserve_mem: tuple[ReserveMem | Malformed, ...]
    crashkernel: tuple[CrashKernel | Malformed, ...]
    lockdown: bytes | Malformed | None


def parse(text: bytes) -> CommandLine:
    """Read a command line as `/proc/cmdline` has it. Any bytes are a command line."""
    arguments = split(text)

    def values(*names: bytes) -> Iterator[tuple[bytes, bytes | None]]:
        for item in arguments:
            name = item.name.replace(b"-", b"_")
            if name in names:
                yield name, item.value

    return CommandLine(
        arguments,
        _last([_switch(value) for _, value in values(b"kho")]),
        _last([_switch(value) for _, value in values(b"liveupdate")]),
        tuple(ScratchRequest(*item) for item in values(b"kho_scratch", b"kho_bootmem")),
        # A bare `reserve_mem` is not this option: it is registered with its `=`.
        _reserved([value for _, value in values(b"reserve_mem") if value is not None]),
        tuple(parse_crashkernel(value) for _, value in values(b"crashkernel")),
        _last([_lockdown(value) for _, value in values(b"lockdown")]),
    )


def split(text: bytes) -> tuple[Argument, ...]:
    """The arguments for the kernel, up to a NUL byte or `--`."""
    words = _WORD.finditer(text.partition(b"\0")[0])
    arguments = (_argument(word[0]) for word in words)
    return tuple(takewhile(lambda argument: argument != _END, arguments))


def without(text: bytes, names: Container[bytes]) -> bytes:
    """A command line without the arguments of these names; what follows `--` stays."""
    kept: list[bytes] = []
    for found in _WORD.finditer(text.partition(b"\0")[0]):
        argument = _argument(found[0])
        if argument == _END:
            kept.append(text[found.start() :].partition(b"\0")[0].rstrip(_SPACES))
            break
        if argument.name.replace(b"-", b"_") not in names:
            kept.append(found[0])
    return b" ".join(kept)


def _argument(word: bytes) -> Argument:
    """Name and value of one word, without the quotes that enclose it or its value."""
    quoted = word.startswith(b'"')
    word = word[1:] if quoted else word
    closed = word.endswith(b'"')
    # A word may start with `=`, which is then part of its name.
    equals = word.find(b"=", 1)
    if equals < 0:
        return Argument(word[:-1] if quoted and closed else word, None)
    value = word[equals + 1 :]
    if value.startswith(b'"'):
        value = value[1:-1] if closed else value[1:]
    elif quoted and closed:
        value = value[:-1]
    return Argument(word[:equals], value)


def _switch(value: bytes | None) -> bool | Malformed:
    answer = kstrtobool(value or b"")
    return Malformed(value, "neither on nor off") if answer is None else answer


def _lockdown(value: bytes | None) -> bytes | Malformed:
    if value in _LOCKDOWN:
        return value
    return Malformed(value, "neither integrity nor confidentiality")


def _last(values: list[T | Malformed]) -> T | Malformed | None:
    """The last well-formed value, since a malformed option is ignored; else the last one."""
    good = [value for value in values if not isinstance(value, Malformed)]
    if good:
        return good[-1]
    return values[-1] if values else None


def _reserved(values: list[bytes]) -> tuple[ReserveMem | Malformed, ...]:
    """Each option, with those refused that the kernel refuses for what came before them."""
    items: list[ReserveMem | Malformed] = []
    names: set[bytes] = set()
    for value in values:
        item = _reserve_mem(value)
        if len(names) == MAX_RESERVED:
            item = Malformed(value, f"more than {MAX_RESERVED} regions")
        elif isinstance(item, ReserveMem) and item.name in names:
            item = Malformed(value, "name is taken")
        elif isinstance(item, ReserveMem):
            names.add(item.name)
        items.append(item)
    return tuple(items)


def _reserve_mem(value: bytes) -> ReserveMem | Malformed:
    size, length = memparse(value)
    if not size or not length:
        return Malformed(value, "no size")
    rest = value[length:]
    if not rest.startswith(b":"):
        return Malformed(value, "no : after the size")
    align, length = memparse(rest[1:])
    rest = rest[1 + length :]
    if not rest.startswith(b":"):
        return Malformed(value, "no : after the alignment")
    name = rest[1:]
    if not 0 < len(name) < _NAME_SIZE or not name.strip(_SPACES):
        return Malformed(value, "name is empty, blank or longer than 15 bytes")
    return ReserveMem(size, align, name)
