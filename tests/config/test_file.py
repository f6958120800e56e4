"""A file of settings, right and wrong in every way."""

import os
from pathlib import Path

import pytest

from kho_console.config.file import LARGEST, read
from kho_console.config.places import log_file


def faults(folder: Path, content: str | bytes) -> list[str]:
    path = folder / "config.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    found = read(path)
    assert found is not None
    return [str(fault).removeprefix(f"{path}:") for fault in found.faults]


def test_everything_that_can_be_set(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        'theme = "light"\nmono = true\nascii = true\nmouse = false\nplain = true\ninterval = 5\n'
        'keymap = "vi"\nlog = true\ndebug = true\n[keys]\nquit = "Q"\nhelp = ["f1", "?"]\n'
    )
    found = read(path)
    assert found is not None
    assert not found.faults
    assert found.values == {
        "theme": "light", "mono": True, "ascii": True, "mouse": False, "plain": True,
        "interval": 5.0, "keymap": "vi", "log": log_file(), "debug": True,
    }  # fmt: skip
    assert found.keys == {"quit": ("Q",), "help": ("f1", "?")}
    assert str(found.origins["keys.help"]) == f"{path}:12"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("\nthem = 1", "2: unknown key 'them'; the nearest is theme"),
        ("[key]\nquit = 'q'", "1: unknown key 'key'; the nearest is keys"),
        ('"\x1b[2J\u202e" = 1'.replace("\x1b", "\\u001b"),
         "1: unknown key '\\x1b[2J\\u202e'; the nearest is "),
        ("theme = 'red'", "1: theme is 'red'; expected one of dark, light, high-contrast"),
        ("mono = 1", "1: mono is 1; expected true or false"),
        ("#\ninterval = [\n1]", "2: interval is [1]; expected seconds from 0.1 to 3600"),
        ("interval = nan", "1: interval is nan; expected seconds from 0.1 to 3600"),
        ("interval = true", "1: interval is true; expected seconds from 0.1 to 3600"),
        ("log = 'here'", "1: log is 'here'; expected true, false, or a file's path from / or ~/"),
        ("keys = 1", "1: keys is 1; expected a table of commands and their keys"),
        ("[keys]\nquit = []", "2: keys.quit is []; expected a key or a list of keys"),
        ("keys.quit = [1]", "1: keys.quit is [1]; expected a key or a list of keys"),
        ("[theme]", "1: theme is a table; expected one of dark, light, high-contrast"),
        ("theme = 'dark'\nmono = ", "2: no TOML: "),
        ("a = 1\na = 2\n", "2: no TOML: "),
        ("theme = [1,\n\n", "1: no TOML: "),
        (b"theme = 'dark'\n# \xff", " line 2 is no UTF-8"),
        (b"#" * (LARGEST + 1), f" it is longer than {LARGEST} bytes"),
        ("theme = " + "[" * 20000,
         "1: no TOML: tables or lists lie too deep in each other, column 41"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, content: str | bytes, fault: str
) -> None:
    (found,) = faults(tmp_path, content)
    # The words for a fault of syntax are those of tomllib, and differ between its releases.
    assert found.startswith(fault)
    assert found == fault or fault.endswith(("TOML: ", "nearest is "))
    assert found.isascii() and found.isprintable()


def test_all_faults_are_told_and_what_is_right_counts(tmp_path: Path) -> None:
    assert len(faults(tmp_path, "mono = 1\nascii = 2\nfoo = 3\n[keys]\nx = 4")) == 4
    found = read(tmp_path / "config.toml")
    assert found is not None
    assert not found.values


def test_no_file_is_no_fault(tmp_path: Path) -> None:
    assert read(tmp_path / "none") is None
    (tmp_path / "file").touch()
    assert read(tmp_path / "file" / "none") is None


def test_what_is_no_file_is_a_fault_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        found = read(path)
        assert found is not None
        assert [str(fault) for fault in found.faults] in (
            [f"{path}: this is no file"],
            [f"{path}: Is a directory"],
        )
