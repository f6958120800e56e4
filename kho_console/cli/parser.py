"""The argument parser: one tree of verbs."""

import argparse

from kho_console import __version__
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

_EXIT_CODES = """exit codes:
  0 done   1 done, and the answer is bad news   2 usage   3 not available here
  4 refused   5 the kernel refused   130 interrupted
"""


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """What is asked for; a usage error ends the program with 2."""
    whole = _parser()
    wanted = whole.parse_args(arguments)
    if wanted.verb == "preserved" and wanted.residue and wanted.side != IN:
        whole.error("--residue is what is left of the incoming map: it needs --side in")
    if wanted.verb == "tree" and wanted.side not in (OUT, IN):
        if wanted.name is not None:
            whole.error(f"tree: the side is {OUT} or {IN}, not {wanted.side!r}")
        wanted.side, wanted.name = OUT, wanted.side
    return wanted


def _parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(
        prog="kho-console",
        description="See and explain a Linux Kexec HandOver. "
        "Without a verb it opens the terminal UI.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=f"kho-console {__version__}")
    _add_source(whole, None)
    verbs = whole.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    demo = verbs.add_parser("demo", help="the terminal UI on a recording of a real kernel")
    _add_source(demo, argparse.SUPPRESS)
    shown = {name: verbs.add_parser(name, help=text) for name, text in _SHOWN.items()}
    for verb in shown.values():
        _add_source(verb, argparse.SUPPRESS)
        verb.add_argument("--json", action="store_true", help="print a JSON document")
    _add_preserved(shown["preserved"])
    _add_tree(shown["tree"])
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
