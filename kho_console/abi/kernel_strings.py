"""What an expanded kernel says of itself: the versions it speaks, its name, its configuration.

A version is a string of its own: it stands between a byte that is no text and its NUL. Messages
and comparisons only mention one: there text stands before it, or behind it. The words: `kho-vN`
(include/linux/kho/abi/kexec_handover.h), `luo-vN`, `luo-session-vN`, `luo-flb-vN`
(include/linux/kho/abi/luo.h), `memfd-vN` (include/linux/kho/abi/memfd.h). A posted series adds
`;`-separated words behind the one that counts.
"""

import re
from collections.abc import Mapping

from kho_console.abi import kernel_config
from kho_console.abi.error import FormatError
from kho_console.model.image import ImageWords
from kho_console.model.unknown import Cause, Maybe, Unknown

_NUMBERED = re.compile(rb"-v[0-9]")
_WORD = re.compile(
    rb"(?<![\t\n\r -~])((?:kho|luo|luo-session|luo-flb|memfd)-v[0-9]{1,4})(?:;[!-~]{0,80})?\0"
)
_BEFORE, _BEHIND = 16, 100
"""Bytes around `-v` that hold any word: the longest is luo-session-v with four digits."""

_BANNER = re.compile(rb"Linux version ([!-~]{1,64}) \(")
_CONFIG = re.compile(rb"IKCFG_ST\x1f\x8b")
_CONFIG_END = b"IKCFG_ED"
_MARK = 8
_CONFIG_LIMIT = 4 << 20

_OVERLAP = 128
"""Kept of each piece for the next, more than anything that is looked for takes."""

_NO_CONFIG = Unknown(Cause.ABSENT, "the kernel has no configuration in it")


class Strings:
    """Collects the strings of a kernel that comes piece by piece.

    Attributes:
        banner: The release in `Linux version RELEASE (`, empty until it was met.
    """

    def __init__(self) -> None:
        """Nothing was found yet."""
        self.banner = b""
        self._words: set[bytes] = set()
        self._tail = b"\0"
        self._config: Maybe[Mapping[str, str]] = _NO_CONFIG
        self._packed: bytearray | None = None

    def feed(self, piece: bytes) -> None:
        """Look through the next bytes."""
        data = self._tail + piece
        self._find_words(data)
        if not self.banner and (found := _BANNER.search(data)):
            self.banner = found[1]
        if self._packed is None:
            self._find_config(data)
        else:
            self._collect(piece)
        self._tail = data[-_OVERLAP:]

    @property
    def words(self) -> ImageWords:
        """The versions, each kind in ascending order."""
        kinds = {kind: self._of(kind) for kind in (b"kho", b"luo", b"memfd")}
        return ImageWords(kho=kinds[b"kho"], luo=kinds[b"luo"], memfd=kinds[b"memfd"])

    @property
    def config(self) -> Maybe[Mapping[str, str]]:
        """The configuration between its marks."""
        if self._packed is not None:
            return Unknown(Cause.TRUNCATED, "the configuration in the kernel does not end")
        return self._config

    def _of(self, kind: bytes) -> tuple[str, ...]:
        words = (word.decode() for word in self._words if word.startswith(kind))
        return tuple(sorted(words, key=_by_number))

    def _find_words(self, data: bytes) -> None:
        for found in _NUMBERED.finditer(data):
            near = data[max(found.start() - _BEFORE, 0) : found.end() + _BEHIND]
            self._words.update(match[1] for match in _WORD.finditer(near))

    def _find_config(self, data: bytes) -> None:
        if isinstance(self._config, Unknown) and (found := _CONFIG.search(data)):
            self._packed = bytearray()
            self._collect(data[found.start() + _MARK :])

    def _collect(self, piece: bytes) -> None:
        """More of the packed configuration, up to the mark that ends it."""
        packed = bytearray() if self._packed is None else self._packed
        # The mark may lie across pieces.
        seam = max(len(packed) - _MARK, 0)
        packed += piece
        end = packed.find(_CONFIG_END, seam)
        if end >= 0:
            self._packed = None
            self._config = _unpacked(bytes(packed[:end]))
        elif len(packed) > _CONFIG_LIMIT:
            self._packed = None
            self._config = Unknown(Cause.INVALID, "the configuration in the kernel does not end")


def _by_number(word: str) -> tuple[str, int]:
    kind, _, number = word.rpartition("-v")
    return kind, int(number)


def _unpacked(packed: bytes) -> Maybe[Mapping[str, str]]:
    try:
        return kernel_config.parse(packed)
    except FormatError as error:
        reason = f"the configuration in the kernel: {error.reason}"
        return Unknown(Cause.INVALID, reason, error.offset)
