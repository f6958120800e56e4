"""What a twin is told of an image that is loaded: files of the host it never opens itself."""

import errno
from collections.abc import Callable

from kho_console.model.change import KexecImage
from kho_console.model.value import dataclass
from kho_console.twin.refused import Refused
from kho_console.twin.release import (
    RELEASES,
    Release,
    release_of,
    with_words,
    without_handover,
)

SIMULATED = "twin:"
"""Start of the name of a simulated kernel, as `twin:7.3.4`."""

_MEMORY_SIZE = 32 << 20
_INITRD_SIZE = 2 << 20


@dataclass(frozen=True, slots=True)
class ImageTold:
    """What matters of a kernel and its initial RAM disk.

    Attributes:
        release: `uname -r`.
        kho: Its words such as `kho-v4`; empty for a kernel without KHO.
        luo: Its words such as `luo-v5`.
        memfd: Its words such as `memfd-v2`.
        memory_size: Bytes that it needs from its load address on.
        initrd_size: Bytes of the initial RAM disk, 0 for none.
    """

    release: str
    kho: tuple[str, ...]
    luo: tuple[str, ...]
    memfd: tuple[str, ...]
    memory_size: int = _MEMORY_SIZE
    initrd_size: int = 0


Tell = Callable[[KexecImage], ImageTold]
"""Gives what an image is; an OSError of its files is what the load answers."""


def simulated(image: KexecImage) -> ImageTold:
    """The image `twin:RELEASE`.

    Raises:
        Refused: ENOEXEC where it is no such name, or of a release that is not known here.
    """
    if not image.kernel.startswith(SIMULATED):
        raise Refused(errno.ENOEXEC, f"{image.kernel} is no simulated kernel")
    release = image.kernel.removeprefix(SIMULATED)
    row = release_of(release)
    if row is None:
        known = ", ".join(SIMULATED + name for name in RELEASES)
        raise Refused(errno.ENOEXEC, f"how {release} behaves is not known; there are {known}")
    return told_of(row, release, _INITRD_SIZE if image.initrd else 0)


def told_of(row: Release, release: str, initrd_size: int = 0) -> ImageTold:
    """What an image of a known release says of itself."""
    return ImageTold(
        release,
        () if row.word is None else (row.word.decode(),),
        () if row.luo is None else (row.luo.decode(),),
        () if row.luo is None else (f"memfd-v{row.memfd}",),
        initrd_size=initrd_size,
    )


def behaviour(told: ImageTold) -> Release:
    """The row of an image: its release's, corrected by the words that are really in it.

    Raises:
        Refused: ENOEXEC where nothing is known of a kernel that speaks KHO.
    """
    row = release_of(told.release)
    if row is None and told.kho:
        newest = list(RELEASES.values())[::-1]
        row = next((item for item in newest if item.word == told.kho[-1].encode()), None)
    if row is None:
        if told.kho:
            raise Refused(errno.ENOEXEC, f"how {told.release} behaves is not known")
        return without_handover(told.release)
    return with_words(
        row,
        told.kho[-1].encode() if told.kho else None,
        told.luo[-1].encode() if told.luo else None,
        int(told.memfd[-1].removeprefix("memfd-v")) if told.memfd else None,
    )
