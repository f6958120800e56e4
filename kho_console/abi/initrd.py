"""Initial RAM disks: cpio archives and compressed ones, one behind the other.

As init/initramfs.c (`unpack_to_rootfs`) reads them: an archive starts at a multiple of 4, NULs
may stand between members, and two bytes tell the compression of a member.
"""

from dataclasses import field

from kho_console.abi import compressed, cpio
from kho_console.abi.compressed import NO_LIBRARY, Compression, Expansion
from kho_console.abi.cpio import Pieces, Plain
from kho_console.abi.error import BeyondLimitError, FormatError
from kho_console.abi.kernel_payload import Tell
from kho_console.abi.reader import Reader
from kho_console.model.image import InitialRamDisk
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass

CPIO = "cpio"

_LIMIT = 2 << 30
"""Some hold a whole root file system; it is read piece by piece."""

_MEMBER_LIMIT = 64
_ALIGNMENT = 4
_STEP = 1 << 16


@dataclass(slots=True)
class _Found:
    members: list[str] = field(default_factory=list)
    releases: set[str] = field(default_factory=set)
    archives: int = 0


def read(reader: Reader, tell: Tell | None = None, limit: int = _LIMIT) -> InitialRamDisk:
    """What is in an initial RAM disk.

    Args:
        reader: The file.
        tell: Called with the file offset that was read up to, now and then.
        limit: Most bytes that one member is expanded to.
    """
    found = _Found()
    why = _walk(reader, found, tell, limit)
    releases: Maybe[tuple[str, ...]] = why or tuple(sorted(found.releases))
    members: Maybe[tuple[str, ...]] = tuple(found.members)
    if why is not None and (not found.members or why.cause is not Cause.UNSUPPORTED):
        members = why
    return InitialRamDisk(reader.size, members, releases)


def _walk(reader: Reader, found: _Found, tell: Tell | None, limit: int) -> Unknown | None:
    """Go through the members; why not all of them could be read."""
    offset = 0
    try:
        while (offset := _behind_zeros(reader, offset)) < reader.size:
            if len(found.members) == _MEMBER_LIMIT:
                raise BeyondLimitError(offset, f"more than {_MEMBER_LIMIT} members")
            if tell is not None:
                tell(offset)
            head = reader.read(offset, 6)
            if head in cpio.MAGICS and offset % _ALIGNMENT == 0:
                offset = _archive(reader, offset, found)
                continue
            form = compressed.told_by_two_bytes(head)
            if form is None:
                raise FormatError(offset, "neither a cpio archive nor compressed")
            found.members.append(form)
            if form in NO_LIBRARY:
                reason = f"a member is compressed by {form}, which cannot be expanded here"
                return Unknown(Cause.UNSUPPORTED, reason, offset)
            offset = _expanded(reader, offset, form, found, tell, limit)
    except BeyondLimitError as error:
        reason = f"only a part of it is looked at here: {error.reason}"
        return Unknown(Cause.UNSUPPORTED, reason, error.offset)
    except FormatError as error:
        return Unknown(Cause.INVALID, error.reason, error.offset)
    if not found.archives:
        return Unknown(Cause.INVALID, "it holds no archive", 0)
    return None


def _archive(reader: Reader, offset: int, found: _Found) -> int:
    """Take a plain archive in; the offset behind it."""
    found.members.append(CPIO)
    found.archives += 1
    stream = Plain(reader, offset)
    found.releases |= cpio.releases(stream)
    if stream.position > reader.size:
        raise FormatError(reader.size, "the file ends in a cpio archive")
    return stream.position


def _expanded(
    reader: Reader, offset: int, form: Compression, found: _Found, tell: Tell | None, limit: int
) -> int:
    """Take the archives of a compressed member in; the offset behind it."""
    expansion = Expansion(reader, offset, reader.size, form, limit, tell)
    stream = Pieces(iter(expansion))
    while stream.pass_zeros():
        found.archives += 1
        found.releases |= cpio.releases(stream)
    if expansion.end is None:
        raise FormatError(reader.size, f"{form} data ends before its end mark")
    return expansion.end


def _behind_zeros(reader: Reader, offset: int) -> int:
    """The offset of the next byte that is no NUL."""
    while offset < reader.size:
        block = reader.read(offset, _STEP)
        rest = block.lstrip(b"\0")
        if rest or not block:
            return offset + len(block) - len(rest)
        offset += len(block)
    return reader.size
