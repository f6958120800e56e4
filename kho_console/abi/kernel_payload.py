"""What is inside a kernel file, compressed or not: read through once, for its strings."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from kho_console.abi import compressed, elf
from kho_console.abi.compressed import Compression, Expansion
from kho_console.abi.error import FormatError
from kho_console.abi.kernel_strings import Strings
from kho_console.abi.reader import Reader
from kho_console.model.image import ImageWords
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass

NONE = "none"
"""The compression of what is not compressed."""

_PIECE = 1 << 20
_HEAD = 1 << 16

Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Payload:
    """What was found.

    Attributes:
        compression: Its name, `none` where there is none.
        words: The versions it speaks.
        config: Its configuration.
        banner: The release by its banner; empty where it was not met.
        head: How the expanded kernel begins; empty where nothing could be expanded.
        whole: Whether the data came to its end.
        fault: What is wrong with it.
    """

    compression: Maybe[str]
    words: Maybe[ImageWords]
    config: Maybe[Mapping[str, str]]
    banner: bytes
    head: bytes
    whole: bool
    fault: str | None = None


def compression_at(reader: Reader, start: int) -> Compression | None:
    """The compression of the kernel that lies at `start`; None for a plain one."""
    magic = reader.read(start, 4)
    return None if magic == elf.MAGIC else compressed.told_by_two_bytes(magic)


def compressed_payload(
    reader: Reader,
    start: int,
    size: int,
    form: Compression,
    tell: Tell | None = None,
    limit: int = compressed.LIMIT,
) -> Payload:
    """Expand the kernel that lies between `start` and `start + size`.

    Args:
        reader: The file.
        start: Where the compressed data begins.
        size: Bytes of it; what follows its end mark is not looked at.
        form: How it is compressed.
        tell: Called with the file offset that was read up to, now and then.
        limit: Most bytes to expand it to.
    """
    if form in compressed.NO_LIBRARY:
        reason = f"it is compressed by {form}, which cannot be expanded here"
        return _unseen(form, Unknown(Cause.UNSUPPORTED, reason), whole=True)
    expansion = Expansion(reader, start, start + size, form, limit, tell)
    found = _read(form, expansion)
    if found.fault is None and expansion.end is None:
        reason = f"its {form} data ends before its end mark"
        return _unseen(form, Unknown(Cause.TRUNCATED, reason), whole=False)
    return found


def plain_payload(reader: Reader, start: int, size: int, tell: Tell | None = None) -> Payload:
    """Read the kernel that lies there as it is."""
    return _read(NONE, _plain(reader, start, min(start + size, reader.size), tell))


def no_payload(reason: str) -> Payload:
    """What to say of a kernel whose inside cannot be found."""
    return _unseen(None, Unknown(Cause.INVALID, reason), whole=False)


def _plain(reader: Reader, start: int, end: int, tell: Tell | None) -> Iterator[bytes]:
    for at in range(start, end, _PIECE):
        if tell is not None:
            tell(at)
        yield reader.read(at, min(_PIECE, end - at))


def _read(compression: str, pieces: Iterable[bytes]) -> Payload:
    strings = Strings()
    head = b""
    try:
        for piece in pieces:
            head = head or piece[:_HEAD]
            strings.feed(piece)
    except FormatError as error:
        why = Unknown(Cause.INVALID, error.reason, error.offset)
        return _unseen(compression, why, whole=True, fault=error.reason, head=head)
    words, config = strings.words, strings.config
    return Payload(compression, words, config, strings.banner, head, whole=True)


def _unseen(
    compression: str | None,
    why: Unknown,
    *,
    whole: bool,
    fault: str | None = None,
    head: bytes = b"",
) -> Payload:
    return Payload(why if compression is None else compression, why, why, b"", head, whole, fault)
