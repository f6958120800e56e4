"""What values look like where no format says what they are."""

import pytest

from kho_console.engine import meaning
from kho_console.engine.meaning import Number


@pytest.mark.parametrize(
    ("value", "words", "number", "comment"),
    [
        (b"kho-v4\0", b"kho-v4", None, '"kho-v4"'),
        (b"abc\0", b"abc", Number(0x636261, 32), '"abc"'),
        (b"\x26\x01\0\0\0\0\0\0", None, Number(0x126, 64), "0x126, native u64"),
        (b"\0\0\0\0", None, Number(0, 32), "0x0, native u32"),
        (b"a\x1b\0", None, None, None),
        (b"no end", None, None, None),
        (b"\0", None, None, None),
        (b"", None, None, None),
    ],
)
def test_looks(
    value: bytes, words: bytes | None, number: Number | None, comment: str | None
) -> None:
    assert meaning.words(value) == words
    assert meaning.number(value) == number
    assert meaning.comment(value) == comment
