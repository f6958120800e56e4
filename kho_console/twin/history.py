"""What was done to a twin, in order: enough to do it again, as nothing is left to chance."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TypeAlias

from kho_console.model.change import Change, Execute, Execution, KexecImage, Load, Unload, Write
from kho_console.model.memory import MemoryRange
from kho_console.model.value import dataclass
from kho_console.twin.faults import (
    Fault,
    LoadFails,
    MemoryShort,
    NextKernelPanics,
    ProducerRefuses,
    WriteFails,
)
from kho_console.twin.image import ImageTold

Plain: TypeAlias = Mapping[str, object]


class Malformed(ValueError):
    """An entry that no twin wrote."""


@dataclass(frozen=True, slots=True)
class Loading:
    """A load, with what the image's files told then: they may be gone when it is done again."""

    image: KexecImage
    told: ImageTold | None


@dataclass(frozen=True, slots=True)
class Call:
    """A call of user space: a method of `UserSpace` and its arguments."""

    name: str
    arguments: tuple[int | bytes, ...]


@dataclass(frozen=True, slots=True)
class Dimm:
    """Memory that is plugged in or taken out.

    Attributes:
        come: Whether it comes.
        memory: Its range, whole memory blocks.
        node: NUMA node that it comes to.
    """

    come: bool
    memory: MemoryRange
    node: int


Deed: TypeAlias = Write | Loading | Unload | Execute | Fault | Call | Dimm

_FAULTS: Mapping[str, type[Fault]] = {
    "write-fails": WriteFails,
    "load-fails": LoadFails,
    "memory-short": MemoryShort,
    "producer-refuses": ProducerRefuses,
    "next-kernel-panics": NextKernelPanics,
}


def deed_of(change: Change) -> Deed:
    """A change as it is remembered; what a load was told comes later."""
    return Loading(change.image, None) if isinstance(change, Load) else change


def encode(deed: Deed) -> dict[str, object]:
    """A deed as JSON has it."""
    if isinstance(deed, Write):
        return {"do": "write", "path": deed.path, "data": _text(deed.data)}
    if isinstance(deed, Loading):
        image = asdict(deed.image) | {"command_line": _text(deed.image.command_line)}
        told = None if deed.told is None else asdict(deed.told)
        return {"do": "load", "image": image, "told": told}
    if isinstance(deed, Unload):
        return {"do": "unload", "crash": deed.crash}
    if isinstance(deed, Execute):
        return {"do": "execute", "how": deed.how.value}
    if isinstance(deed, Dimm):
        start, size = deed.memory.start, deed.memory.size
        return {"do": "dimm", "come": deed.come, "start": start, "size": size, "node": deed.node}
    if isinstance(deed, Call):
        given = [_text(item) if isinstance(item, bytes) else item for item in deed.arguments]
        return {"do": "call", "name": deed.name, "arguments": given}
    name = next(name for name, kind in _FAULTS.items() if isinstance(deed, kind))
    return {"do": name, **asdict(deed)}


def decode(entry: object) -> Deed:
    """The deed of an entry.

    Raises:
        Malformed: It is none.
    """
    found = _mapping(entry)
    word = _string(found, "do")
    if word in _FAULTS:
        return _fault(word, found)
    decoder = _DECODERS.get(word)
    if decoder is None:
        raise Malformed(f"nobody does {word!r}")
    return decoder(found)


def _write(found: Plain) -> Deed:
    return Write(_string(found, "path"), _bytes(found.get("data")))


def _load(found: Plain) -> Deed:
    image = _mapping(found.get("image"))
    initrd = image.get("initrd")
    if initrd is not None and not isinstance(initrd, str):
        raise Malformed("initrd is no path")
    asked = KexecImage(
        _string(image, "kernel"),
        initrd,
        _bytes(image.get("command_line")),
        _flag(image, "crash"),
        _number(image, "flags"),
    )
    told = found.get("told")
    return Loading(asked, None if told is None else _told(_mapping(told)))


def _told(found: Plain) -> ImageTold:
    return ImageTold(
        _string(found, "release"),
        _words(found, "kho"),
        _words(found, "luo"),
        _words(found, "memfd"),
        _number(found, "memory_size"),
        _number(found, "initrd_size"),
    )


def _unload(found: Plain) -> Deed:
    return Unload(_flag(found, "crash"))


def _execute(found: Plain) -> Deed:
    try:
        return Execute(Execution(_string(found, "how")))
    except ValueError as error:
        raise Malformed("no way to execute") from error


def _call(found: Plain) -> Deed:
    given = found.get("arguments")
    if not isinstance(given, list):
        raise Malformed("no arguments")
    return Call(
        _string(found, "name"),
        tuple(item if type(item) is int else _bytes(item) for item in given),
    )


def _dimm(found: Plain) -> Deed:
    memory = MemoryRange(_number(found, "start"), _number(found, "size"))
    return Dimm(_flag(found, "come"), memory, _number(found, "node"))


_DECODERS: Mapping[str, Callable[[Plain], Deed]] = {
    "write": _write,
    "load": _load,
    "unload": _unload,
    "execute": _execute,
    "call": _call,
    "dimm": _dimm,
}


def _fault(word: str, found: Plain) -> Fault:
    if word == "write-fails":
        return WriteFails(_number(found, "number"), _number(found, "errno"))
    if word == "load-fails":
        return LoadFails(_number(found, "number"), _number(found, "errno"))
    if word == "memory-short":
        return MemoryShort(_number(found, "pages"))
    if word == "producer-refuses":
        return ProducerRefuses(_number(found, "errno"))
    return NextKernelPanics(_string(found, "reason"))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(value: object) -> bytes:
    if not isinstance(value, str):
        raise Malformed("no bytes")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("no bytes") from error


def _mapping(value: object) -> Plain:
    if not isinstance(value, dict):
        raise Malformed("no object")
    return value


def _string(found: Plain, name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str):
        raise Malformed(f"{name} is no text")
    return value


def _number(found: Plain, name: str) -> int:
    value = found.get(name)
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise Malformed(f"{name} is no number")
    return value


def _flag(found: Plain, name: str) -> bool:
    value = found.get(name)
    if not isinstance(value, bool):
        raise Malformed(f"{name} is neither true nor false")
    return value


def _words(found: Plain, name: str) -> tuple[str, ...]:
    value = found.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Malformed(f"{name} is no list of words")
    return tuple(value)
