"""What goes out to each kind of terminal, byte by byte."""

import re
import signal
from pathlib import Path

import pytest

from tests.ground.terminal import Terminal
from tests.pty.console import PATIENCE, console, drawn

SGR = re.compile(rb"\x1b\[([0-9;]*)m")
TRUE_COLOUR = re.compile(rb"38;2;([0-9]+);([0-9]+);([0-9]+)")
MOUSE = re.compile(rb"\x1b\[\?(?:9|100[0-3]|1005|1006|1015|1016)[hl]")
MODES_OF_XTERM = re.compile(rb"\x1b\[[<>=]|\x1b\]|\$p|\x1b\[\?(?:100[0-6]|1015|2004|2026|2048)[hl]")
BRIGHT_BACKGROUND = range(100, 108)
ALL_SCREENS = (b"2", b"3", b"4", b"5", b"8", b"9", b"?", b"3", b":")


def glance(terminal: Terminal, *keys: bytes) -> bytes:
    """Everything that goes out from the start over some keys to the end."""
    drawn(terminal)
    for key in keys:
        assert terminal.answer(key, 0.1, PATIENCE), key
    terminal.send(signal.SIGTERM)
    assert terminal.leave(PATIENCE) == 128 + signal.SIGTERM
    assert not terminal.modes_left
    return terminal.output


def walk(terminal: Terminal) -> bytes:
    """Everything that goes out while all screens and the palette are shown."""
    return glance(terminal, *ALL_SCREENS)


def attributes(output: bytes) -> set[int]:
    """All numbers that set how letters look; of colours in numbers the 38 or 48 only."""
    found: set[int] = set()
    for run in SGR.findall(output):
        numbers = [int(number or 0) for number in run.split(b";")]
        while numbers:
            first = numbers.pop(0)
            found.add(first)
            if first in (38, 48):
                del numbers[: 4 if numbers[0] == 2 else 2]
    return found


def colours(output: bytes) -> set[int]:
    return {number for number in attributes(output) if 30 <= number <= 49 or 90 <= number <= 107}


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (("--mono",), {"COLORTERM": "truecolor"}),
        ((), {"NO_COLOR": "1", "COLORTERM": "truecolor"}),
        ((), {"TERM": "vt100"}),
        ((), {"TERM": "xterm-mono"}),
    ],
    ids=["option", "NO_COLOR", "vt100", "xterm-mono"],
)
def test_without_colours(
    tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str]
) -> None:
    with console(tmp_path, *arguments, "demo", variables=variables) as terminal:
        output = walk(terminal) if arguments else glance(terminal, b"2")
    assert not colours(output)
    assert {1, 7} <= attributes(output), "bold and reversed letters tell apart what colours do"


def test_an_empty_no_color_takes_no_colour_away(tmp_path: Path) -> None:
    with console(
        tmp_path, "demo", variables={"NO_COLOR": "", "COLORTERM": "truecolor"}
    ) as terminal:
        drawn(terminal)
        shades = TRUE_COLOUR.findall(terminal.output)
        assert any(len(set(shade)) > 1 for shade in shades), "colours, not greys"


@pytest.mark.parametrize("theme", ["dark", "light", "high-contrast"])
def test_sixteen_colours(tmp_path: Path, theme: str) -> None:
    with console(
        tmp_path, "--theme", theme, "demo", variables={"TERM": "linux", "COLORTERM": "truecolor"}
    ) as it:
        output = walk(it) if theme == "dark" else glance(it, b"2")
    used = colours(output)
    assert used
    assert not used & {38, 48}
    assert not used & set(BRIGHT_BACKGROUND)


@pytest.mark.parametrize("name", ["linux", "vt100"])
def test_terminals_that_are_no_xterm_get_nothing_of_it(tmp_path: Path, name: str) -> None:
    with console(tmp_path, "demo", variables={"TERM": name}) as terminal:
        assert not MODES_OF_XTERM.search(glance(terminal, b"3"))


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (("--ascii",), {}),
        ((), {"LC_ALL": "C"}),
        ((), {"LANG": "C"}),
        ((), {"LC_ALL": "C", "PYTHONUTF8": "0"}),
        ((), {"LC_ALL": "en_US.ISO-8859-1"}),
    ],
    ids=["option", "LC_ALL=C", "LANG=C", "LC_ALL=C without UTF-8 mode", "latin 1"],
)
def test_ascii(tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str]) -> None:
    with console(tmp_path, *arguments, "demo", variables=variables) as terminal:
        output = walk(terminal) if arguments else glance(terminal, b"3")
    assert output.isascii()
    assert b"\\u" not in output
    assert b"----------" in output


def test_no_mouse(tmp_path: Path) -> None:
    with console(tmp_path, "--no-mouse", "demo") as terminal:
        assert not MOUSE.search(glance(terminal, b"3"))


def test_the_mouse_chooses_a_line_and_runs_a_key(tmp_path: Path) -> None:
    with console(tmp_path, "demo") as terminal:
        drawn(terminal)
        assert MOUSE.search(terminal.output)
        row, column = 24, _column_of(terminal, "Preserved") + 1
        terminal.press(b"\x1b[<0;%d;%dM\x1b[<0;%d;%dm" % (column, row, column, row))
        assert terminal.read_until("root tree", PATIENCE)


@pytest.mark.parametrize(("columns", "rows"), [(39, 15), (40, 14), (20, 3)])
def test_too_small_says_so_and_grows(tmp_path: Path, columns: int, rows: int) -> None:
    with console(tmp_path, "demo", columns=columns, rows=rows) as terminal:
        assert terminal.read_until("needs 40x15", PATIENCE)
        assert "HANDOVER" not in terminal.text
        terminal.resize(40, 15)
        drawn(terminal)


def _column_of(terminal: Terminal, word: str) -> int:
    """Where a word of the bottom line stands, from 0."""
    last = terminal.output.decode(errors="replace").rpartition("\x1b[24;1H")[2]
    line = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", last).partition("\x1b")[0]
    assert word in line, line
    return line.index(word)
