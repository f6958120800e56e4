"""The formats that `decode` and `encode` know, with their options."""

import argparse

from kho_console.model.kstate import KstateVersion
from kho_console.model.pkram import PkramVersion

KSTATE, PKRAM, FDT, KHO2024 = "kstate", "pkram", "fdt", "kho2024"
ELFCOREHDR, IMAGE = "elfcorehdr", "image"

_ABOUT = {
    KSTATE: "a stream of kstate: state saved record by record",
    PKRAM: "nodes of PKRAM in an image of physical memory from address 0 on",
    FDT: "a flattened device tree",
    KHO2024: "the root tree of the series of 2024, with its state and its trace buffers",
    ELFCOREHDR: "the ELF core header of a crash image: what a dump would contain",
}
_ABOUT_IMAGE = "a kernel image: its release, and what of the handover it speaks"


def add(
    verb: argparse.ArgumentParser, settings: list[argparse.ArgumentParser], *, decode: bool
) -> None:
    """Let a verb take a format, a file, and the options of that format."""
    formats = verb.add_subparsers(dest="format", metavar="FORMAT", title="formats", required=True)
    # An image is read only: what builds one is the kernel's own build.
    known = _ABOUT | {IMAGE: _ABOUT_IMAGE} if decode else _ABOUT
    for name, about in known.items():
        below = formats.add_parser(name, parents=settings, help=about)
        if decode:
            _add_decode(below, name)
        else:
            _add_encode(below, name)


def _add_decode(below: argparse.ArgumentParser, name: str) -> None:
    of_machine = name in (PKRAM, KSTATE)
    about = "what to read: a file, or the folder of a fixture" if of_machine else "what to read"
    below.add_argument("file", metavar="PATH" if of_machine else "FILE", help=about)
    below.add_argument("--json", action="store_true", help="print a JSON document")
    if name == KSTATE:
        series = tuple(map(str, KstateVersion))
        below.add_argument("--version", choices=series, help="the series, where it is known")
        _add_descriptions(below)
        strict = "leave out fields where a kernel would only warn"
        below.add_argument("--strict", action="store_true", help=strict)
    elif name == PKRAM:
        pfn = "page frame number of the super block, as pkram= has it; a fixture tells it"
        below.add_argument("--pfn", metavar="HEX", type=frame, help=pfn)
        versions = tuple(map(str, PkramVersion))
        below.add_argument("--version", choices=versions, help="the series, where it is known")
        pages = "every page and every byte too, which encode needs"
        below.add_argument("--pages", action="store_true", help=pages)


def _add_encode(below: argparse.ArgumentParser, name: str) -> None:
    pages = " --pages" if name == PKRAM else ""
    about = f"a document as decode {name} --json{pages} prints it; - for standard input"
    below.add_argument("file", metavar="FILE", help=about)
    holes = "the file to write: memory from address 0 on, with holes where nothing lies"
    output = holes if name == PKRAM else "the file to write; standard output without it"
    below.add_argument("--output", metavar="FILE", required=name == PKRAM, help=output)
    if name == KSTATE:
        _add_descriptions(below)


def _add_descriptions(below: argparse.ArgumentParser) -> None:
    toml = "descriptions in place of those that come with the console"
    below.add_argument("--descriptions", metavar="FILE", help=toml)


def frame(words: str) -> int:
    """A page frame number in hexadecimal, with or without 0x.

    Raises:
        ArgumentTypeError: It is none.
    """
    try:
        found = int(words, 16)
    except ValueError:
        found = -1
    if not 0 <= found < 1 << 52:
        raise argparse.ArgumentTypeError(f"{words!r} is no hexadecimal frame number, such as 40")
    return found
