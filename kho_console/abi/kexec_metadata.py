"""The `kexec-metadata` blob: which kernel came before, and how many kexecs there were.

Packed struct of native little-endian values, 73 bytes (include/linux/kho/abi/kexec_metadata.h,
7.1 to 7.3): version u32 at 0, previous release as 65 bytes with a NUL at 4, count u32 at 69.
A kernel fills the outgoing one for its successor: its own release, and its own count plus one.
"""

import struct

from kho_console.abi.error import FormatError
from kho_console.model.blob import Field, KexecMetadata
from kho_console.model.unknown import Cause, Unknown

NAME = b"kexec-metadata"
VERSION = 1
SIZE = 73
_RELEASE = 4
_RELEASE_SIZE = 65
_COUNT = 69


def decode(data: bytes) -> KexecMetadata:
    """What the blob says.

    Args:
        data: The whole blob. Bytes behind the struct are not looked at, as in the kernel.

    Returns:
        The values; only the version is known where it is not 1.

    Raises:
        FormatError: Too short for its version, or the release has no end.
    """
    if len(data) < _RELEASE:
        raise FormatError(len(data), "ends inside the version of kexec-metadata")
    version = int.from_bytes(data[:_RELEASE], "little")
    if version != VERSION:
        unsupported = Unknown(Cause.UNSUPPORTED, f"kexec-metadata version {version}")
        return KexecMetadata(version, unsupported, unsupported)
    if len(data) < SIZE:
        raise FormatError(len(data), f"kexec-metadata ends before its {SIZE} bytes")
    release, terminator, _ = data[_RELEASE:_COUNT].partition(b"\0")
    if not terminator:
        raise FormatError(_RELEASE, "previous release is not terminated")
    return KexecMetadata(version, release, int.from_bytes(data[_COUNT:SIZE], "little"))


def encode(metadata: KexecMetadata) -> bytes:
    """The 73 bytes of a version 1 blob.

    Raises:
        ValueError: Another version, an unknown value, or one that does not fit.
    """
    release, count = metadata.previous_release, metadata.kexec_count
    if metadata.version != VERSION or isinstance(release, Unknown) or isinstance(count, Unknown):
        raise ValueError("only a wholly known version 1 can be written")
    if len(release) >= _RELEASE_SIZE or b"\0" in release or not 0 <= count < 1 << 32:
        raise ValueError("release or count does not fit kexec-metadata")
    return struct.pack("<I65sI", VERSION, release, count)


def fields(data: bytes) -> tuple[Field, ...]:
    """The decoded values with their places, in wire order; only the version if it is not 1.

    Raises:
        FormatError: As for `decode`.
    """
    metadata = decode(data)
    found = [Field("version", 0, 4, metadata.version)]
    if not isinstance(metadata.previous_release, Unknown):
        release = metadata.previous_release
        found.append(Field("previous_release", _RELEASE, _RELEASE_SIZE, release, "text"))
    if not isinstance(metadata.kexec_count, Unknown):
        found.append(Field("kexec_count", _COUNT, 4, metadata.kexec_count, "count"))
    return tuple(found)
