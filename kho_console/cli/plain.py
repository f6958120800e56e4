"""The console line by line: for serial lines, braille, and terminals that cannot be drawn on."""

import gc
import io
import os
import sys
from argparse import Namespace
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout

from kho_console import text
from kho_console.cli import crash, doctor, exit_code, output, preserved, show, status, terminal
from kho_console.cli.broken import broken
from kho_console.cli.parser import parse
from kho_console.config.settings import Settings
from kho_console.engine.opening import Source

_SUBJECTS = {
    "status": (status.status, "would the next reboot hand over, and what"),
    "scratch": (show.scratch, "the areas that the next kernel boots in"),
    "blobs": (show.blobs, "what producers hand over, on both sides"),
    "preserved": (preserved.preserved, "preserved memory and whose it is"),
    "sessions": (show.sessions, "live-update sessions and who holds them"),
    "crash": (crash.crash, "the crash image"),
    "findings": (status.findings, "what is worth attention"),
    "doctor": (doctor.doctor, "what can be seen here, and what would fix the rest"),
}
_HELP, _AGAIN, _QUIT = "help", "again", "quit"
_NUMBERED = (*_SUBJECTS, _HELP, _QUIT)
_SHORT = {"r": _AGAIN, "h": _HELP, "?": _HELP, "q": _QUIT}

_ADVICE = """Type a number or a name, and Enter.
r reads the last one again, h or Enter shows the menu, q or the end of input leaves.
Longer text stops after each screen: Enter goes on, q stops it.
Ctrl-C comes back to the menu; a second one leaves."""


class Left(Exception):
    """The operator is done."""


def plain(source: Source, settings: Settings) -> int:
    """Ask for a subject and print it, until the operator leaves; the exit code."""
    gc.enable()
    try:
        _Conversation(source, settings).run()
    except Left:
        return exit_code.DONE
    except KeyboardInterrupt:
        output.line()
        return exit_code.INTERRUPTED
    return exit_code.DONE


class _Conversation:
    """One line in, some lines out."""

    def __init__(self, source: Source, settings: Settings) -> None:
        self._source = source
        self._settings = settings
        self._ascii = terminal.suited(settings, os.environ).ascii
        self._last = next(iter(_SUBJECTS))

    def run(self) -> None:
        """Talk until somebody leaves; a second Ctrl-C without an answer between gets through."""
        name = text.escaped(self._source.name)
        self._print([f"kho-console, line by line: {self._source.kind} {name}", "", *_menu()])
        interrupted = False
        while True:
            try:
                wanted = _asked("choice> ")
                interrupted = False
                self._answer(wanted)
            except KeyboardInterrupt:
                if interrupted:
                    raise
                interrupted = True
                self._print(["", "stopped; a number chooses, q or another Ctrl-C leaves"])

    def _answer(self, wanted: str) -> None:
        word = _meant(wanted)
        if word == _QUIT:
            raise Left
        if word == _HELP:
            self._print([*_menu(), "", *_ADVICE.splitlines()])
        elif word is None:
            said = text.escaped(text.cut(wanted, 40))
            self._print([f"{said}: no such choice; 1 to {len(_NUMBERED)}, or a name of the menu"])
        else:
            self._last = self._last if word == _AGAIN else word
            self._page(self._read(self._last))

    def _read(self, subject: str) -> list[str]:
        """What the verb prints, its talk included."""
        verb, _ = _SUBJECTS[subject]
        written = io.StringIO()
        with redirect_stdout(written), redirect_stderr(written):
            try:
                verb(self._source, self._wanted(subject))
            except Exception as error:  # One subject that breaks does not end the conversation.
                broken(error, self._settings)
        return written.getvalue().splitlines()

    def _wanted(self, subject: str) -> Namespace:
        wanted = parse([subject])
        wanted.settings = self._settings
        return wanted

    def _page(self, lines: list[str]) -> None:
        """Print as much as the terminal has room for, and ask before there is more."""
        size = _size()
        if size is None:
            self._print(lines)
            return
        width, room = size
        used = 0
        for line in lines:
            rows = max(-(-len(line) // width), 1)
            if used and used + rows >= room:
                if _asked("-- more: Enter, or q to stop -- ").startswith("q"):
                    return
                used = 0
            self._print([line])
            used += rows

    def _print(self, lines: Iterable[str]) -> None:
        for line in lines:
            output.line(line.encode("ascii", "replace").decode() if self._ascii else line)
        sys.stdout.flush()


def _menu() -> list[str]:
    about: dict[str, str] = {name: words for name, (_, words) in _SUBJECTS.items()}
    about |= {_HELP: "this menu and the keys", _QUIT: "leave"}
    return [f"{number:>3}  {name:<10} {about[name]}" for number, name in enumerate(_NUMBERED, 1)]


def _meant(wanted: str) -> str | None:
    """The word of the menu for what was typed; None where there is none."""
    if not wanted:
        return _HELP
    if wanted.isdecimal() and wanted.isascii() and len(wanted) < 4:
        number = int(wanted)
        return _NUMBERED[number - 1] if 1 <= number <= len(_NUMBERED) else None
    word = _SHORT.get(wanted, wanted)
    return word if word in (*_NUMBERED, _AGAIN) else None


def _asked(question: str) -> str:
    """A line of the operator, without its blanks."""
    sys.stdout.write(question)
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not line:
        output.line()
        raise Left
    return line.strip().lower()


def _size() -> tuple[int, int] | None:
    """Columns and rows to print on before it asks; None where nobody reads along."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    try:
        found = os.get_terminal_size(sys.stdout.fileno())
    except OSError:
        return 80, 24
    return found.columns or 80, found.lines or 24
