"""Run as a program: the console with a screen that breaks while it draws."""

import sys

from kho_console.cli.main import main
from kho_console.engine.observer import View
from kho_console.tui.screens.scratch import Scratch


def _break(self: Scratch, view: View) -> None:
    raise RuntimeError("a cell \x1b[31mtoo many\nand more")


Scratch.show = _break  # type: ignore[method-assign]
sys.exit(main())
