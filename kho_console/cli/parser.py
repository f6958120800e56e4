"""The argument parser: one tree of verbs."""

import argparse
import sys
from collections.abc import Collection
from contextlib import suppress
from functools import partial
from itertools import takewhile
from typing import NoReturn

from kho_console import __version__
from kho_console.cli import (
    exit_code,
    image_options,
    options,
    over_time,
)
from kho_console.engine.paths import IN, OUT

_SHOWN = {
    "status": "would the next reboot hand over, and what; with findings",
    "scratch": "the scratch areas that the next kernel boots in",
    "blobs": "what producers hand over, on both sides",
    "preserved": "preserved memory and whose it is",
    "sessions": "live-update sessions and who holds them",
    "crash": "what a dump taken now would contain",
    "watch": "CPU and memory events as they happen, and what they do to the crash image",
    "tree": "a root tree, or a blob that is a tree, as device tree source",
    "doctor": "what can and cannot be seen here, and what would fix it",
    "check": "may this machine hand over to an image, and what would be lost",
    "journal": "what was done to the machine, by whom, and how it ended",
}

ACTING = {
    "finalize": "write down what is preserved, for the next kernel (6.16 to 7.0)",
    "abort": "take that back (6.16 to 6.18)",
    "activate": "collect the state of all producers (the 2024 series)",
    "deactivate": "drop what was collected (the 2024 series)",
    "load": "load an image with kexec_file_load, which alone carries the handover",
    "unload": "drop the loaded image",
    "execute": "leave this kernel for the loaded image, by systemctl kexec",
    "online": "take a memory block or a CPU online",
    "offline": "take a memory block or a CPU offline",
}
"""The verbs that change a machine."""

_FILES = {
    "decode": "what a file of one format holds",
    "encode": "a file of one format, out of a JSON document as decode prints it",
    "compare-mechanisms": "one workload carried through every mechanism, merged or not",
}
"""The verbs that look at a file or simulate, and open no source."""

_OVER_TIME = {
    "record": "keep what the machine shows in a file, moment after moment",
    "capture": "write one moment of it as a fixture folder",
    "bundle": "pack evidence into one file, or verify such a file",
}
"""The verbs that write what was seen to a file; they change no machine."""

DIFF = "diff"

_COMPARING = {
    DIFF: "what is different between two moments, fixtures, recordings or live",
    "verify": "what of a note made before the kexec has arrived in this kernel",
}

REPLAY = "replay"

_GUIDED = {"runbook": "guided procedures, which survive the kexec that they lead through"}

_OWN = {
    "config": "the settings: what they are, where each one comes from",
    "completion": "a script that completes this command line in a shell",
    "man": "the manual",
}
"""The verbs about the console itself; they open no source."""

_VERBS = (
    {
        "demo": "the terminal UI on a recording of a real kernel",
        REPLAY: "the terminal UI on a recording of yours, at its last moment or at --at",
    }
    | _SHOWN
    | _OVER_TIME
    | _COMPARING
    | ACTING
    | _GUIDED
    | _FILES
    | _OWN
)

SHELLS = ("bash", "zsh", "fish")
SOURCES = "sources"
COMPLETIONS = (*SHELLS, SOURCES)
"""What can be asked for to complete with; the last one is the names that --source takes."""

EXIT_CODES = {
    exit_code.DONE: "done",
    exit_code.BAD_NEWS: "done, and the answer is bad news",
    exit_code.USAGE: "usage",
    exit_code.NOT_AVAILABLE: "not available here",
    exit_code.REFUSED: "refused",
    exit_code.KERNEL_REFUSED: "the kernel refused",
    exit_code.BROKEN: "the console itself broke",
    exit_code.INTERRUPTED: "interrupted",
}


_LONGEST = 1e9
"""Seconds that `watch` may be asked for."""


class _Whole(argparse.ArgumentParser):
    """Names an unknown option, not what it makes the words behind it look like.

    Attributes:
        words: The command line.
    """

    words: Collection[str] = ()

    def error(self, message: str) -> NoReturn:
        """See `ArgumentParser.error`."""
        from kho_console.cli.grammar import verb_of
        from kho_console.config.file import unknown

        verbs = verb_of(parser()).all()
        flags = {flag for verb in verbs for option in verb.options for flag in option.flags}
        for word in takewhile(lambda word: word != "--", self.words):
            name = word.partition("=")[0]
            # The beginning of an option may stand for it.
            if name.startswith("--") and not any(flag.startswith(name) for flag in flags):
                super().error(unknown("option", name, sorted(flags)))
        super().error(message)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """What is asked for; a usage error ends the program with 2."""
    words = sys.argv[1:] if arguments is None else arguments
    whole = parser(words)
    wanted = whole.parse_args(words)
    if wanted.verb == "preserved" and wanted.residue and wanted.side != IN:
        whole.error("--residue is what is left of the incoming map: it needs --side in")
    if wanted.fault and not (wanted.rehearse or wanted.twin):
        whole.error("--fault is for a twin: it needs --rehearse or --twin FILE")
    if wanted.rehearse and wanted.twin is not None:
        whole.error("--rehearse keeps nothing, --twin FILE keeps all: give one of them")
    if wanted.verb == "record" and wanted.inventory and not wanted.handover:
        whole.error("--inventory is what owners declare for a note: it needs --handover")
    if wanted.verb == "bundle":
        if wanted.file is None and wanted.what == "verify":
            whole.error("bundle verify: name the FILE to check; ./verify is a bundle of that name")
        if wanted.file is None:
            wanted.what, wanted.file = "pack", wanted.what
        elif wanted.what != "verify":
            whole.error(f"bundle: it is FILE or verify FILE, not {wanted.what!r}")
    if wanted.verb == DIFF and (wanted.source or wanted.at or wanted.twin or wanted.rehearse):
        whole.error("diff names both moments itself: diff A B, each as --source would have it")
    if wrong := over_time.fault(wanted):
        whole.error(wrong)
    if wanted.verb in ("check", "load") and (wrong := image_options.fault(wanted)):
        whole.error(wrong)
    if wanted.verb == "tree" and wanted.side not in (OUT, IN):
        if wanted.name is not None:
            whole.error(f"tree: the side is {OUT} or {IN}, not {wanted.side!r}")
        wanted.side, wanted.name = OUT, wanted.side
    return wanted


def parser(words: Collection[str] | None = None) -> argparse.ArgumentParser:
    """The tree of verbs and options.

    Args:
        words: The command line to parse; verbs that are not in it have no options, since making
            them all takes longer than most verbs do. None for the whole tree.
    """
    whole = _Whole(
        prog="kho-console",
        description="See and explain a Linux Kexec HandOver. "
        "Without a verb it opens the terminal UI.",
        epilog="\n".join(
            ["exit codes:", *(f"  {at:<3}  {what}" for at, what in EXIT_CODES.items())]
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.words = words or ()
    whole.add_argument("--version", action="version", version=f"kho-console {__version__}")
    _add_source(whole)
    options.add(whole, shown=True)
    verbs = whole.add_subparsers(
        dest="verb", metavar="VERB", title="verbs", parser_class=argparse.ArgumentParser
    )
    settings = options.behind_a_verb()
    for name, about in _VERBS.items():
        if words is None or name in words:
            _fill(name, verbs.add_parser(name, parents=settings, help=about), settings)
        else:
            verbs.add_parser(name, help=about, add_help=False)
    return whole


def _fill(
    name: str, verb: argparse.ArgumentParser, settings: list[argparse.ArgumentParser]
) -> None:
    if name not in _OWN and name not in _FILES and name != DIFF:
        _add_source(verb, below=True)
    if name in _SHOWN or name in ACTING or name in _OVER_TIME or name in _COMPARING:
        what = "print an object a line" if name == "watch" else "print a JSON document"
        verb.add_argument("--json", action="store_true", help=what)
    if name in ACTING:
        _add_acting(verb)
    match name:
        case "preserved":
            _add_preserved(verb)
        case "tree":
            _add_tree(verb)
        case "watch":
            _add_watch(verb)
        case "check" | "load":
            _add_image(verb)
        case "unload":
            _add_crash(verb)
        case "execute":
            at_once = "by the bare system call: no service is stopped, nothing is written back"
            verb.add_argument("--system-call", action="store_true", help=at_once)
        case "record":
            over_time.add_record(verb)
        case "capture":
            over_time.add_capture(verb)
        case "bundle":
            over_time.add_bundle(verb)
        case "diff":
            over_time.add_diff(verb)
        case "verify":
            over_time.add_verify(verb)
        case "replay":
            verb.add_argument("file", metavar="FILE", help="the recording")
        case "online" | "offline":
            verb.add_argument("target", metavar="memoryN|cpuN", help="a memory block or a CPU")
        case "decode" | "encode":
            from kho_console.cli import formats

            formats.add(verb, settings, decode=name == "decode")
        case "compare-mechanisms":
            named = "a workload, or the name of a shipped one: guests, pages, state"
            verb.add_argument("workload", metavar="FILE|NAME", nargs="?", help=named)
            verb.add_argument("--json", action="store_true", help="print a JSON document")
        case "runbook":
            from kho_console.cli import runbook_options

            runbook_options.add(verb, settings, partial(_add_source, below=True))
        case "crash":
            _add_simulate(verb, settings)
        case "config":
            _add_config(verb, settings)
        case "completion":
            verb.add_argument("what", choices=COMPLETIONS, help="for which shell")
        case "man":
            pages = "the one of its settings"
            verb.add_argument("page", nargs="?", choices=("config",), help=pages)


def _add_source(verb: argparse.ArgumentParser, *, below: bool = False) -> None:
    """The options of the machine; below a verb they may be given too, and have no default."""
    verb.add_argument(
        "--source",
        metavar="live|PATH",
        default=argparse.SUPPRESS if below else None,
        help="this machine, a fixture folder, the file of a recording, or a shipped recording such "
        "as linux-7.3.4/ready",
    )
    verb.add_argument(
        "--at",
        metavar="TIME",
        default=argparse.SUPPRESS if below else None,
        help=over_time.AT,
    )
    verb.add_argument(
        "--rehearse",
        action="store_true",
        default=argparse.SUPPRESS if below else False,
        help="on a twin of it: a kernel in this program, which may be changed; nothing is kept",
    )
    verb.add_argument(
        "--twin",
        metavar="FILE",
        default=argparse.SUPPRESS if below else None,
        help="on the twin that is kept in FILE, made from the source where there is none yet",
    )
    verb.add_argument(
        "--fault",
        metavar="WORD",
        action="append",
        default=argparse.SUPPRESS if below else [],
        help="let something go wrong on the twin: write:N:ERRNO, load:N:ERRNO, memory:PAGES, "
        "producer:ERRNO, panic",
    )
    verb.add_argument(
        "--write",
        action="store_true",
        default=argparse.SUPPRESS if below else False,
        help="let the machine be changed; without it, it is only looked at",
    )


def _add_acting(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--dry-run", action="store_true", help="print what would be done, and do nothing"
    )
    verb.add_argument(
        "--yes-i-mean",
        metavar="HOSTNAME",
        help="the name of this host, for what nothing undoes, where nobody can be asked",
    )


def _add_crash(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--crash", action="store_true", help="the image that a panic starts")


def _add_image(verb: argparse.ArgumentParser) -> None:
    _add_crash(verb)
    image_options.add(verb)


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


def _add_simulate(verb: argparse.ArgumentParser, settings: list[argparse.ArgumentParser]) -> None:
    whats = verb.add_subparsers(dest="what", metavar="WHAT", title="what")
    about = "a scenario of crash hotplug under the design of 2021 and today's"
    ends = "It opens no machine. 0 is a scenario that ran, whatever its dump would lack."
    simulate = whats.add_parser("simulate", parents=settings, help=about, epilog=ends)
    named = "a scenario, or the name of a shipped one; without it, the shipped ones"
    simulate.add_argument("scenario", metavar="FILE|NAME", nargs="?", help=named)
    simulate.add_argument(
        "--show", metavar="FILE|NAME", help="print the file of a scenario, to write one after it"
    )
    simulate.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print a JSON document"
    )


def _add_watch(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--for",
        dest="seconds",
        metavar="SECONDS",
        type=_seconds,
        help="end after so long; without it, Ctrl-C ends it",
    )


def _seconds(word: str) -> float:
    """Seconds as an operator writes them."""
    with suppress(ValueError):
        found = float(word)
        if 0 <= found <= _LONGEST:
            return found
    raise argparse.ArgumentTypeError(f"{word!r} is no number of seconds")


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
