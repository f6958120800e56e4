"""The console line by line: on terminals that cannot be drawn on, when asked for, over a pipe."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ground.terminal import Terminal
from tests.pty.console import PATIENCE, console, environment

CHOICE = "choice> $"


def asked(terminal: Terminal, question: str = CHOICE) -> str:
    """What came since the last question, up to the next one."""
    assert terminal.read_until(question, PATIENCE), terminal.text[-2000:]
    said, terminal.output = terminal.text, b""
    return said


def headless(home: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "kho_console", *arguments],
        cwd=home, env=environment(home), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("name", ["dumb", "", "unknown"])
def test_a_terminal_without_a_cursor_gets_lines(tmp_path: Path, name: str) -> None:
    with console(tmp_path, "demo", variables={"TERM": name}) as terminal:
        menu = asked(terminal)
        assert re.search(r"^ +1  status", menu, re.MULTILINE)
        assert terminal.settings() == terminal.settings_before
        terminal.press(b"q\n")
        assert terminal.leave(PATIENCE) == 0


def test_it_says_what_the_verbs_say(tmp_path: Path) -> None:
    with console(tmp_path, "--plain", "demo", rows=200, columns=300) as terminal:
        asked(terminal)
        for choice, verb in (("1", "status"), ("scratch", "scratch"), ("4", "preserved")):
            terminal.press(f"{choice}\n".encode())
            said = asked(terminal).replace("\r\n", "\n")
            twin = ("--source", "linux-7.3.4/sessions", "--rehearse")
            expected = headless(tmp_path, *twin, verb)
            assert said == f"{choice}\n{expected}choice> "
        terminal.press(b"r\n")
        assert expected in asked(terminal).replace("\r\n", "\n")
        terminal.press(b"frob\x1b[31m\n")
        wrong = asked(terminal)
        assert "no such choice" in wrong
        terminal.press(b"\x04")
        assert terminal.leave(PATIENCE) == 0
    assert b"\x1b" not in terminal.output


def test_long_text_stops_after_each_screen(tmp_path: Path) -> None:
    with console(tmp_path, "--plain", "demo", rows=10, columns=60) as terminal:
        asked(terminal)
        terminal.press(b"preserved\n")
        first = asked(terminal, "-- more.*-- $")
        assert 6 <= first.count("\n") <= 10
        terminal.press(b"\n")
        assert asked(terminal, "-- more.*-- $") != first
        terminal.press(b"q\n")
        asked(terminal)


def test_ctrl_c_comes_back_once_and_then_leaves(tmp_path: Path) -> None:
    with console(tmp_path, "--plain", "demo", rows=10) as terminal:
        asked(terminal)
        terminal.press(b"preserved\n")
        asked(terminal, "-- more.*-- $")
        terminal.press(b"\x03")
        assert "another Ctrl-C leaves" in asked(terminal)
        terminal.press(b"8\n")
        asked(terminal, "-- more.*-- $")
        terminal.press(b"\x03")
        asked(terminal)
        terminal.press(b"\x03")
        assert terminal.leave(PATIENCE) == 128 + signal.SIGINT


@pytest.mark.parametrize("end", ["q\n", ""], ids=["q", "end"])
def test_over_a_pipe(tmp_path: Path, end: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kho_console", "--plain", "--ascii", "demo"],
        cwd=tmp_path, env=environment(tmp_path), input=f"preserved\n0\n{end}",
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert headless(tmp_path, "--source", "linux-7.3.4/sessions", "preserved") in done.stdout
    assert "0: no such choice" in done.stdout
    assert "-- more" not in done.stdout
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout
    assert not done.stderr
