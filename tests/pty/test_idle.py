"""A screen on which nothing changes costs nothing."""

from pathlib import Path

import pytest

from tests.pty.console import console, drawn

LIVE = (str(Path(__file__).parent / "live.py"),)
MOST_A_SECOND = 200
SECONDS = 3


@pytest.mark.parametrize("key", [b"1", b"4", b"8"])
def test_an_idle_live_screen(tmp_path: Path, key: bytes) -> None:
    """It looks ten times a second here, twenty times as often as it does for an operator."""
    with console(tmp_path, program=LIVE) as terminal:
        drawn(terminal)
        terminal.press(key)
        assert terminal.read_until_quiet(1.0, 60)
        assert len(terminal.read_for(SECONDS)) <= MOST_A_SECOND * SECONDS
