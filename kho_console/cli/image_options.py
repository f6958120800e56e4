"""The options that name an image, and the image they make."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from kho_console.model.change import SIMULATED, KexecImage
from kho_console.model.unknown import Maybe, Unknown

if TYPE_CHECKING:
    from kho_console.model.snapshot import Snapshot


def add(verb: argparse.ArgumentParser) -> None:
    """Let a verb take them."""
    verb.add_argument("--kernel", metavar="FILE", help="the kernel image")
    verb.add_argument("--initrd", metavar="FILE", help="its initial RAM disk")
    line = verb.add_mutually_exclusive_group()
    line.add_argument("--command-line", metavar="TEXT", help="its command line")
    line.add_argument(
        "--reuse-command-line",
        action="store_true",
        help="the command line of the running kernel, without what was for this boot only; so it "
        "is where none is given",
    )
    verb.add_argument(
        "--append", metavar="TEXT", help="more that goes behind the running command line"
    )


def fault(wanted: argparse.Namespace) -> str | None:
    """What is wrong with the options; None where nothing is."""
    if wanted.kernel is None:
        return f"{wanted.verb}: give the kernel image with --kernel FILE"
    if wanted.append is not None and wanted.command_line is not None:
        return f"{wanted.verb}: --append goes behind the running command line, not another one"
    return None


def image(wanted: argparse.Namespace, snapshot: "Snapshot", *, crash: bool) -> Maybe[KexecImage]:
    """The image; unknown where the running command line is wanted and cannot be read."""
    line = os.fsencode(wanted.command_line or "")
    if wanted.command_line is None:
        running = snapshot.machine.command_line
        if isinstance(running, Unknown):
            return running
        # Every start of the console makes the options; few want this.
        from kho_console.engine.reused import reused

        line = reused(running, os.fsencode(wanted.append or ""), crash=crash)
    initrd = None if wanted.initrd is None else _path(wanted.initrd)
    return KexecImage(_path(wanted.kernel), initrd, line, crash)


def _path(word: str) -> str:
    """A file by its whole path; a kernel that only a twin has keeps its name."""
    return word if word.startswith(SIMULATED) else str(Path(word).absolute())
