"""A twin to rehearse on: what its images are, and what shall go wrong."""

import errno
from dataclasses import replace
from typing import TypeVar

from kho_console.engine import image_files
from kho_console.model.change import SIMULATED, KexecImage
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source, SourceError
from kho_console.twin import (
    CannotSimulate,
    Fault,
    ImageTold,
    Kept,
    LoadFails,
    MemoryShort,
    NextKernelPanics,
    ProducerRefuses,
    Twin,
    TwinSource,
    WriteFails,
    keep,
    simulated,
    twin_of,
)
from kho_console.twin.faults import Faults
from kho_console.twin.image import told_of
from kho_console.twin.release import release_of

T = TypeVar("T")

__all__ = ["FAULTS", "CannotSimulate", "arm", "fault", "rehearsed", "tell"]

FAULTS = "write:N:ERRNO load:N:ERRNO memory:PAGES producer:ERRNO panic"
"""How the faults of a twin are written."""


def rehearsed(source: Source, faults: tuple[Fault, ...] = ()) -> TwinSource:
    """A twin that goes on from where the source stands.

    Raises:
        CannotSimulate: How this kernel behaves is not known.
        KeptError: It is a twin that does not begin again as it began.
    """
    twin = _copied(source.twin) if isinstance(source, TwinSource) else twin_of(source, tell=tell)
    for item in faults:
        twin.arm(item)
    return TwinSource(twin)


def _copied(twin: Twin) -> Twin:
    """A twin of a twin: the same was done to it, and nothing more will go wrong.

    Its files alone do not tell which image is loaded.
    """
    kept = Kept(twin.base.name, keep.fingerprint(twin.base), tuple(twin.history))
    copy = keep.restore(kept, twin.base, tell)
    copy.faults = Faults()
    return copy


def arm(source: Source, word: str) -> None:
    """Let something go wrong on a twin that is there already.

    Raises:
        ValueError: The word is no fault, or the source no twin.
    """
    if not isinstance(source, TwinSource):
        raise ValueError(f"{source.name} is no twin: nothing can be made to go wrong on it")
    source.twin.arm(fault(word))


def tell(image: KexecImage) -> ImageTold:
    """What an image is that is loaded on a twin: by its files, or by its name alone.

    Raises:
        OSError: What the load answers: a file cannot be read, or is no kernel.
    """
    if image.kernel.startswith(SIMULATED):
        return simulated(image)
    kernel = image_files.kernel(image.kernel)
    disk = None if image.initrd is None else image_files.initial_ram_disk(image.initrd)
    release, words = _known(image.kernel, kernel.release), kernel.words
    memory, initrd = _known(image.kernel, kernel.memory_size), 0 if disk is None else disk.size
    if isinstance(words, Unknown):
        # A kernel loads what cannot be expanded here; then its release is all there is to go by.
        row = release_of(release) if words.cause is Cause.UNSUPPORTED else None
        if row is None:
            raise _no_kernel(image.kernel, words)
        return replace(told_of(row, release, initrd), memory_size=memory)
    return ImageTold(
        release=release,
        kho=words.kho,
        luo=tuple(word for word in words.luo if word.startswith("luo-v")),
        memfd=words.memfd,
        memory_size=memory,
        initrd_size=initrd,
    )


def fault(word: str) -> Fault:
    """A fault as it is written on the command line, such as `write:1:EBUSY`.

    Raises:
        ValueError: It is none.
    """
    match word.split(":"):
        case ["write", number, name]:
            return WriteFails(_count(number), _errno(name))
        case ["load", number, name]:
            return LoadFails(_count(number), _errno(name))
        case ["memory", pages]:
            return MemoryShort(int(pages))
        case ["producer", name]:
            return ProducerRefuses(_errno(name))
        case ["panic"]:
            return NextKernelPanics()
    raise ValueError(f"{word!r} is no fault; there are {FAULTS}")


def _count(word: str) -> int:
    if int(word) < 1:
        raise ValueError(f"{word!r}: calls are counted from 1")
    return int(word)


def _errno(name: str) -> int:
    found = getattr(errno, name, None) if name.startswith("E") else None
    if not isinstance(found, int):
        raise ValueError(f"{name!r} is the name of no error")
    return found


def _known(path: str, value: Maybe[T]) -> T:
    if isinstance(value, Unknown):
        raise _no_kernel(path, value)
    return value


def _no_kernel(path: str, why: Unknown) -> SourceError:
    return SourceError(path, why, errno.ENOEXEC)
