"""Bytes as the rows of a hex dump, made on demand."""

from kho_console import text
from kho_console.tui.rows import Piece, Row

_DIGITS = 4


class HexRows:
    """A line source over bytes, with those of one value marked.

    Attributes:
        per_line: Bytes of one row.
    """

    def __init__(self, content: bytes, per_line: int, mark: range, label: str) -> None:
        """Rows of `per_line` bytes; `mark` holds offsets, `label` stands beside their first row."""
        self.per_line = per_line
        self._content = content
        self._mark = mark
        self._label = label
        self._digits = max(len(f"{len(content):x}"), _DIGITS)

    def __len__(self) -> int:
        return -(-len(self._content) // self.per_line)

    def row(self, index: int) -> Row:
        """See `LineSource.row`."""
        offset = index * self.per_line
        data = self._content[offset : offset + self.per_line]
        pieces: list[Piece] = [(f" {offset:0{self._digits}x}  ", "address")]
        for at, byte in enumerate(data, offset):
            marked = at in self._mark
            pieces.append((f"{byte:02x}", "mark" if marked else ""))
            pieces.append((" ", "mark" if marked and at + 1 in self._mark else ""))
        missing = self.per_line - len(data)
        pieces.append(("   " * missing + " |", ""))
        for at, letter in enumerate(text.printable(data), offset):
            pieces.append((letter, "mark" if at in self._mark else ""))
        pieces.append(("|", ""))
        if self._mark and offset <= self._mark.start < offset + self.per_line:
            pieces.append((f"  {self._label}", "info"))
        return tuple(pieces)
