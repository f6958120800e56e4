"""The fields of a record's body, one after another."""

import math
import struct

from kho_console.abi.error import FormatError

_TIMES = struct.Struct("<dq")
_LONGEST_NUMBER = 10
_LATEST = 1 << 57
"""Microseconds since the epoch; the year 6500 or so, well before dates end."""


class Fields:
    """Reads a body from its beginning."""

    def __init__(self, body: bytes, start: int) -> None:
        """Read `body`; `start` is the offset of its record."""
        self._body = body
        self._start = start
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes that are not read yet."""
        return len(self._body) - self._at

    def number(self) -> int:
        """A varint.

        Raises:
            FormatError: The body ends before, or it has more than 64 bits.
        """
        value = shift = 0
        for _ in range(_LONGEST_NUMBER):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >> 64:
                    break
                return value
            shift += 7
        raise self.wrong("a number has more than 64 bits")

    def take(self, size: int) -> bytes:
        """Exactly `size` bytes.

        Raises:
            FormatError: The body ends before.
        """
        if size > self.left:
            raise self.wrong("the fields of a record go beyond its end")
        self._at += size
        return self._body[self._at - size : self._at]

    def rest(self) -> bytes:
        """All bytes that are left."""
        return self.take(self.left)

    def times(self) -> tuple[float, int]:
        """Monotonic seconds, and microseconds since the epoch.

        Raises:
            FormatError: They are no times.
        """
        monotonic, wall = _TIMES.unpack(self.take(_TIMES.size))
        if not math.isfinite(monotonic) or not 0 <= wall < _LATEST:
            raise self.wrong("a time that is none")
        return monotonic, wall

    def place(self) -> int:
        """Offset of the record that a distance leads to; 0 for none.

        Raises:
            FormatError: It leads out of the file.
        """
        distance = self.number()
        if distance > self._start:
            raise self.wrong("a distance leads out of the file")
        return self._start - distance if distance else 0

    def count(self, least: int) -> int:
        """How many items follow that have at least `least` bytes each.

        Raises:
            FormatError: So many do not fit.
        """
        count = self.number()
        if count * least > self.left:
            raise self.wrong(f"{count} items do not fit into their record")
        return count

    def wrong(self, reason: str) -> FormatError:
        """The error of a body that is not what its kind says."""
        return FormatError(self._start, reason)


def times(monotonic: float, wall: int) -> bytes:
    """The two times as `Fields.times` reads them."""
    return _TIMES.pack(monotonic, wall)
