"""The argument parser: one tree of verbs."""

import argparse

from kho_console import __version__
from kho_console.cli import exit_code, options
from kho_console.engine.trees import IN, OUT

_SHOWN = {
    "status": "would the next reboot hand over, and what; with findings",
    "scratch": "the scratch areas that the next kernel boots in",
    "blobs": "what producers hand over, on both sides",
    "preserved": "preserved memory and whose it is",
    "sessions": "live-update sessions and who holds them",
    "crash": "the crash image, as sysfs and iomem tell it",
    "tree": "a root tree, or a blob that is a tree, as device tree source",
    "doctor": "what can and cannot be seen here, and what would fix it",
}

_OWN = {
    "config": "the settings: what they are, where each one comes from",
    "completion": "a script that completes this command line in a shell",
    "man": "the manual",
}
"""The verbs about the console itself; they open no source."""

SHELLS = ("bash", "zsh", "fish")
SOURCES = "sources"
COMPLETIONS = (*SHELLS, SOURCES)
"""What can be asked for to complete with; the last one is the names that --source takes."""

EXIT_CODES = {
    exit_code.DONE: "done",
    exit_code.BAD_NEWS: "done, and the answer is bad news",
    exit_code.USAGE: "usage",
    exit_code.NOT_AVAILABLE: "not available here",
    4: "refused",
    5: "the kernel refused",
    exit_code.BROKEN: "the console itself broke",
    exit_code.INTERRUPTED: "interrupted",
}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """What is asked for; a usage error ends the program with 2."""
    whole = parser()
    wanted = whole.parse_args(arguments)
    if wanted.verb == "preserved" and wanted.residue and wanted.side != IN:
        whole.error("--residue is what is left of the incoming map: it needs --side in")
    if wanted.verb == "tree" and wanted.side not in (OUT, IN):
        if wanted.name is not None:
            whole.error(f"tree: the side is {OUT} or {IN}, not {wanted.side!r}")
        wanted.side, wanted.name = OUT, wanted.side
    return wanted


def parser() -> argparse.ArgumentParser:
    """The whole tree of verbs and options."""
    whole = argparse.ArgumentParser(
        prog="kho-console",
        description="See and explain a Linux Kexec HandOver. "
        "Without a verb it opens the terminal UI.",
        epilog="\n".join(
            ["exit codes:", *(f"  {at:<3}  {what}" for at, what in EXIT_CODES.items())]
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=f"kho-console {__version__}")
    _add_source(whole, None)
    options.add(whole, shown=True)
    verbs = whole.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    settings = options.behind_a_verb()
    demo_help = "the terminal UI on a recording of a real kernel"
    demo = verbs.add_parser("demo", parents=settings, help=demo_help)
    _add_source(demo, argparse.SUPPRESS)
    shown = {
        name: verbs.add_parser(name, parents=settings, help=text) for name, text in _SHOWN.items()
    }
    for verb in shown.values():
        _add_source(verb, argparse.SUPPRESS)
        verb.add_argument("--json", action="store_true", help="print a JSON document")
    _add_preserved(shown["preserved"])
    _add_tree(shown["tree"])
    own = {name: verbs.add_parser(name, parents=settings, help=text) for name, text in _OWN.items()}
    _add_config(own["config"], settings)
    own["completion"].add_argument("what", choices=COMPLETIONS, help="for which shell")
    own["man"].add_argument("page", nargs="?", choices=("config",), help="the one of its settings")
    return whole


def _add_source(verb: argparse.ArgumentParser, default: str | None) -> None:
    verb.add_argument(
        "--source",
        metavar="live|PATH",
        default=default,
        help="this machine, a fixture folder, or a shipped recording such as linux-7.3.4/ready",
    )


def _add_preserved(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--side", choices=(OUT, IN), default=OUT, help="which side (default: out)")
    verb.add_argument("--extents", action="store_true", help="cut ranges where the owner changes")
    verb.add_argument(
        "--filter",
        metavar="TEXT",
        help="only the extents that fit all of these words: owner:memfd size:>64k order:0-3 "
        "address:0x1000-0x2000 node:0 WORD; !WORD for those that do not",
    )
    verb.add_argument(
        "--residue",
        action="store_true",
        help="with --side in: what is left of the map that the kernel released, unreliable",
    )


def _add_tree(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "side", metavar=f"{OUT}|{IN}", nargs="?", default=OUT, help="which side (default: out)"
    )
    verb.add_argument("name", metavar="NAME", nargs="?", help="a blob; without it the root tree")
    verb.add_argument("--raw", action="store_true", help="print the bytes, of any blob")


def _add_config(verb: argparse.ArgumentParser, settings: list[argparse.ArgumentParser]) -> None:
    whats = verb.add_subparsers(dest="what", metavar="WHAT", title="what", required=True)
    show = whats.add_parser("show", parents=settings, help="every setting and its value")
    show.add_argument("--origin", action="store_true", help="where each one comes from, too")
    show.add_argument("--json", action="store_true", help="print a JSON document")
    path_help = "the files of settings, the last one going first"
    whats.add_parser("path", parents=settings, help=path_help)
    check_help = "whether the settings hold, those of [keys] too"
    check = whats.add_parser("check", parents=settings, help=check_help)
    check.add_argument("file", metavar="FILE", nargs="?", help="a file in place of those in use")
    keys_help = "every command with its id, its keys and its screens"
    whats.add_parser("keys", parents=settings, help=keys_help)
