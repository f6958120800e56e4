"""The options of the verb `runbook`."""

import argparse
from collections.abc import Callable

LIST, SHOW, RUN, RESUME, UNDO = "list", "show", "run", "resume", "undo"

_ABOUT = {
    LIST: "the runbooks that there are, and the runs of them",
    SHOW: "the steps of a runbook",
    RUN: "begin a run, and go as far as it gets",
    RESUME: "go on with a run, in the next kernel too",
    UNDO: "take back the latest step of a run that changed the machine",
}


def add(
    verb: argparse.ArgumentParser,
    settings: list[argparse.ArgumentParser],
    add_source: Callable[[argparse.ArgumentParser], None],
) -> None:
    """What `runbook` takes."""
    whats = verb.add_subparsers(dest="what", metavar="WHAT", title="what", required=True)
    for name, about in _ABOUT.items():
        below = whats.add_parser(name, parents=settings, help=about)
        add_source(below)
        each = "print JSON, one object a line" if name in (RUN, RESUME) else "print a JSON document"
        below.add_argument("--json", action="store_true", help=each)
        if name in (SHOW, RUN):
            below.add_argument("name", metavar="NAME|FILE", help="a runbook by name, or a .toml")
        if name in (RESUME, UNDO):
            latest = "the run; without it the one that goes on"
            below.add_argument("run", metavar="RUN", nargs="?", help=latest)
        if name in (RESUME, UNDO):
            below.add_argument(
                "--any-host",
                action="store_true",
                help="take the run for one of this host, which was renamed",
            )
        if name in (RUN, RESUME, UNDO):
            below.add_argument(
                "--yes-i-mean",
                metavar="HOSTNAME",
                help="the name of this host, for what nothing undoes, where nobody can be asked",
            )
        if name in (RUN, RESUME):
            below.add_argument(
                "--answers",
                metavar="FILE",
                help='a TOML file: ID = "answer" for each question, skip = ["ID"] for steps to '
                "leave out",
            )
        if name == RESUME:
            _add_resume(below)
        if name == UNDO:
            below.add_argument(
                "--dry-run", action="store_true", help="print what would be done, and do nothing"
            )


def _add_resume(verb: argparse.ArgumentParser) -> None:
    way = verb.add_mutually_exclusive_group()
    way.add_argument(
        "--interrupted",
        choices=("done", "not-done"),
        help="what became of the interrupted step, where the machine does not tell",
    )
    way.add_argument("--abandon", action="store_true", help="end the run where it stands")
