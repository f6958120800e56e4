"""However the console ends, the terminal is as it was: modes, echo, and nothing left running."""

import signal
from pathlib import Path

import pytest

from tests.pty.console import NOHUP, PATIENCE, console, drawn

SOON = 3.0
"""Seconds that an end may take; the console itself allows for one."""


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT], ids=lambda it: it.name
)
def test_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    with console(tmp_path, "demo") as terminal:
        drawn(terminal)
        assert terminal.modes_left
        assert terminal.settings() != terminal.settings_before
        terminal.send(number)
        assert terminal.leave(SOON) == 128 + number
        assert not terminal.modes_left
        assert terminal.settings() == terminal.settings_before
        assert "Traceback" not in terminal.text


def test_a_signal_while_screens_change(tmp_path: Path) -> None:
    """Each of the screens is being put together or drawn when the signal comes."""
    with console(tmp_path, "demo") as terminal:
        drawn(terminal)
        terminal.press(b"4389250")
        terminal.send(signal.SIGTERM)
        assert terminal.leave(SOON) == 128 + signal.SIGTERM, terminal.text[-500:]
        assert not terminal.modes_left


@pytest.mark.parametrize("key", [b"q", b"\x03", b"\x11"], ids=["q", "ctrl-c", "ctrl-q"])
def test_a_key(tmp_path: Path, key: bytes) -> None:
    with console(tmp_path, "demo") as terminal:
        drawn(terminal)
        terminal.press(key)
        assert terminal.leave(PATIENCE) == 0
        assert not terminal.modes_left
        assert terminal.settings() == terminal.settings_before


@pytest.mark.parametrize("before", ["", NOHUP], ids=["told", "nohup"])
def test_a_terminal_that_is_lost(tmp_path: Path, before: str) -> None:
    with console(tmp_path, "demo", before=before) as terminal:
        drawn(terminal)
        terminal.hang_up()
        assert terminal.wait(SOON) == 128 + signal.SIGHUP


def test_a_terminal_that_takes_no_more(tmp_path: Path) -> None:
    """The application is stuck in writing: it is ended from outside of its loop."""
    with console(tmp_path, "demo") as terminal:
        drawn(terminal)
        for _ in range(200):
            terminal.press(b"2345")
        terminal.send(signal.SIGTERM)
        assert terminal.wait(SOON) == 128 + signal.SIGTERM
        assert terminal.settings() == terminal.settings_before


@pytest.mark.parametrize("how", [b"\x1a", signal.SIGTSTP, signal.SIGSTOP], ids=str)
def test_a_stop_and_going_on(tmp_path: Path, how: bytes | signal.Signals) -> None:
    with console(tmp_path, "demo") as terminal:
        drawn(terminal)
        if isinstance(how, bytes):
            terminal.press(how)
        else:
            terminal.send(how)
        assert terminal.stopped()
        if how is not signal.SIGSTOP:
            terminal.read_for(0.2)
            assert not terminal.modes_left
            assert terminal.settings() == terminal.settings_before
        terminal.output = b""
        terminal.send(signal.SIGCONT)
        drawn(terminal)
        terminal.press(b"q")
        assert terminal.leave(PATIENCE) == 0
        assert not terminal.modes_left
        assert terminal.settings() == terminal.settings_before


def test_an_error(tmp_path: Path) -> None:
    program = (str(Path(__file__).parent / "broken.py"),)
    with console(tmp_path, "demo", program=program) as terminal:
        drawn(terminal)
        terminal.press(b"2")
        assert terminal.leave(PATIENCE) == 70
        assert not terminal.modes_left
        assert terminal.settings() == terminal.settings_before
        assert b"Traceback" not in terminal.output
        last = terminal.output.rpartition(b"\x1b[?1004l")[2]
        assert last.startswith(b"kho-console: an error of the console itself: RuntimeError: a cell")
        assert b"?[31mtoo many; --log FILE keeps the details" in last
        assert last.endswith(b"\r\n")
        assert b"\x1b" not in last
        assert last.count(b"\n") == 1
