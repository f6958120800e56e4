"""A twin in one file: what it began with, and everything that was done to it since.

A twin leaves nothing to chance, so doing the same again leads to the same machine, byte for byte.
The file is JSON, compressed; it names the recording it began with and how to know that again.
"""

import hashlib
import json
from contextlib import suppress

import zstandard

from kho_console.model.value import dataclass
from kho_console.source.protocol import Source
from kho_console.twin.faults import (
    LoadFails,
    MemoryShort,
    NextKernelPanics,
    ProducerRefuses,
    WriteFails,
)
from kho_console.twin.history import Call, Deed, Dimm, Loading, Malformed, decode, encode
from kho_console.twin.image import Tell, simulated
from kho_console.twin.machine import Twin
from kho_console.twin.platform import read_bytes
from kho_console.twin.start import twin_of

_FORMAT = 1
_LARGEST = 64 << 20
"""Bytes of the JSON; larger files are refused before they are unpacked."""
_MOST_DEEDS = 100_000
_FAULTS = (WriteFails, LoadFails, MemoryShort, ProducerRefuses, NextKernelPanics)
_MARKS = (
    "/proc/sys/kernel/random/boot_id",
    "/proc/uptime",
    "/proc/cmdline",
    "/sys/kernel/debug/kho/out/scratch_phys",
    "/sys/kernel/debug/kho/out/finalize",
    "/sys/kernel/kho/active",
    "/sys/kernel/kho/scratch_phys",
    "/sys/kernel/kexec_loaded",
)


class KeptError(Exception):
    """A file that holds no twin, or one that cannot go on, and why."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A twin as it is kept.

    Attributes:
        source: The word that names the recording it began with.
        fingerprint: How that recording is known again.
        deeds: What was done.
    """

    source: str
    fingerprint: str
    deeds: tuple[Deed, ...]


def write(twin: Twin, source: str) -> bytes:
    """The file of a twin that began with the recording that `source` names."""
    document = {
        "format": _FORMAT,
        "source": source,
        "fingerprint": fingerprint(twin.base),
        "deeds": [encode(deed) for deed in twin.history],
    }
    return zstandard.ZstdCompressor().compress(json.dumps(document).encode())


def read(data: bytes) -> Kept:
    """What a file holds.

    Raises:
        KeptError: It is none of ours, of another format, or damaged.
    """
    try:
        size = zstandard.frame_content_size(data)
        if not 0 <= size <= _LARGEST:
            raise KeptError("it is no file of a twin")
        document = json.loads(zstandard.ZstdDecompressor().decompress(data))
    except (zstandard.ZstdError, ValueError, RecursionError) as error:
        raise KeptError("it is no file of a twin, or it is damaged") from error
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise KeptError(f"it is not of format {_FORMAT}")
    source, mark, deeds = (document.get(name) for name in ("source", "fingerprint", "deeds"))
    if not isinstance(source, str) or not isinstance(mark, str) or not isinstance(deeds, list):
        raise KeptError("it does not say what it began with")
    if len(deeds) > _MOST_DEEDS:
        raise KeptError(f"more than {_MOST_DEEDS} deeds")
    try:
        return Kept(source, mark, tuple(decode(deed) for deed in deeds))
    except Malformed as error:
        raise KeptError(f"it is damaged: {error}") from error


def restore(kept: Kept, source: Source, tell: Tell = simulated) -> Twin:
    """The twin, brought to where it was.

    Args:
        kept: What the file holds.
        source: The recording that `kept.source` names.
        tell: Says what an image is that is loaded from now on.

    Raises:
        KeptError: The recording is another one now, or a deed cannot be done again.
        CannotSimulate: See `twin_of`.
    """
    if fingerprint(source) != kept.fingerprint:
        raise KeptError(f"{kept.source} is not the recording any more that it began with")
    twin = twin_of(source)
    for deed in kept.deeds:
        _again(twin, deed)
    twin.tell = tell
    return twin


def fingerprint(source: Source) -> str:
    """What tells one recording from another."""
    mark = hashlib.sha256(source.facts().release.encode())
    for path in _MARKS:
        mark.update(repr((path, read_bytes(source, path))).encode())
    return mark.hexdigest()


def _again(twin: Twin, deed: Deed) -> None:
    if isinstance(deed, Call):
        try:
            twin.user.call(deed)
        except Malformed as error:
            raise KeptError(f"it is damaged: {error}") from error
    elif isinstance(deed, _FAULTS):
        twin.arm(deed)
    elif isinstance(deed, Loading):
        twin.load_again(deed)
    elif isinstance(deed, Dimm):
        with suppress(OSError):
            twin.plug(deed)
    else:
        twin.change_again(deed)
