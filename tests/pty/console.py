"""The console as a program on a terminal."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.ground.terminal import Terminal

CHECKOUT = Path(__file__).resolve().parents[2]
DRAWN = "HANDOVER"
"""A word that stands on the first screen as soon as the first look has ended."""

PATIENCE = 60.0
"""Seconds that a test waits for what must come; machines that test are busy."""

NOTHING: Mapping[str, str] = {}

NOHUP = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"


def environment(home: Path, variables: Mapping[str, str] = NOTHING) -> dict[str, str]:
    """The environment of a user with an empty home; xterm in UTF-8 unless `variables` differ."""
    plain = {"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "xterm", "LANG": "C.UTF-8"}
    return plain | {"PYTHONPATH": str(CHECKOUT)} | dict(variables)


def console(
    home: Path,
    *arguments: str,
    columns: int = 80,
    rows: int = 24,
    before: str = "",
    program: Sequence[str] = ("-m", "kho_console"),
    variables: Mapping[str, str] = NOTHING,
) -> Terminal:
    """Start the console; `program` names what Python runs, `variables` join its environment."""
    return Terminal(
        [sys.executable, *program, *arguments],
        home,
        environment(home, variables),
        columns=columns,
        rows=rows,
        before=before,
    )


def drawn(terminal: Terminal) -> None:
    """Wait until the first screen is drawn."""
    assert terminal.read_until(DRAWN, PATIENCE), terminal.text[-2000:]
