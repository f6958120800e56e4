"""Runs the command line inside the test's process."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from kho_console.cli.main import main


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call printed and returned."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON document on stdout."""
        return json.loads(self.out)


class Console:
    """The command line on one source."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, *words: str) -> Answer:
        """Run `kho-console WORDS`."""
        try:
            code = main(list(words))
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        printed = self._capture.readouterr()
        return Answer(code, printed.out, printed.err)
