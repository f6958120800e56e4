"""The file with the answers to a runbook's questions, which may be of anybody."""

import os
from pathlib import Path

import pytest

from kho_console.cli import answers
from kho_console.engine.runbook.file import parse

BOOK = parse(
    """
schema = 1
version = 1
title = "Ask"
about = "It asks."
[[step]]
id = "blocks"
what = "How many"
why = "To know"
ask = "number"
""",
    "ask",
    "ask.toml",
)


def test_a_number_needs_no_quotes(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text("blocks = 0x10")
    assert answers.read(str(file), BOOK).values == {"blocks": "16"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\nblocks = 0x" + b"f" * 6000, "line 2: no TOML: a number or a name has more than"),
        (b"blocks = " + b"1" * 6000, "line 1: no TOML: a number or a name has more than"),
        (b"blocks = " + b"[" * 6000, "line 1: no TOML: tables or lists lie too deep"),
        (b"blocks = 1\n# \xff", "line 2 is no UTF-8"),
        (b"#" * (1 << 21), "is longer than"),
    ],
)
def test_hostile_ones(content: bytes, words: str, tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(content)
    with pytest.raises(answers.AnswersError, match=words):
        answers.read(str(file), BOOK)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for place in (tmp_path / "fifo", Path("/dev/zero"), tmp_path, tmp_path / "none"):
        with pytest.raises(answers.AnswersError):
            answers.read(str(place), BOOK)
