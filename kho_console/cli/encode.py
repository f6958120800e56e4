"""The verb `encode`: a file of one format, out of a JSON document as `decode` prints it."""

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from kho_console import text
from kho_console.cli import exit_code, output
from kho_console.documents.elfcorehdr import core_header
from kho_console.documents.fdt import fdt_root
from kho_console.documents.kho2024 import kho2024
from kho_console.documents.kstate import kstate_disagreement, kstate_entries
from kho_console.documents.pkram import pkram_layout, pkram_nodes
from kho_console.engine.formats import FormatError, file

_LARGEST = 256 << 20


def encode(wanted: Namespace) -> int:
    """Encode one document; nothing is written where it is none."""
    try:
        found = json.loads(_document(wanted.file))
        if not isinstance(found, Mapping):
            raise ValueError("it is no JSON object")
        key = _KEYS[wanted.format]
        if key not in found:
            raise ValueError(f"it has no {key}: decode {wanted.format} --json prints it")
        return _FORMATS[wanted.format](found, wanted)
    except (FormatError, ValueError, RecursionError) as error:
        said = str(error) or "nested too deeply"
        output.say(f"{text.escaped(wanted.file)}: {text.escaped(said)}")
        return exit_code.BAD_NEWS
    except BrokenPipeError:
        raise
    except OSError as error:
        said, place = error.strerror or str(error), str(error.filename or wanted.file)
        output.say(text.escaped(said if place in said else f"{place}: {said}"))
        return exit_code.NOT_AVAILABLE


def _document(path: str) -> bytes:
    if path == "-":
        found = sys.stdin.buffer.read(_LARGEST + 1)
    else:
        with file(path) as reader:
            found = reader.read(0, _LARGEST + 1)
    if len(found) > _LARGEST:
        raise ValueError(f"a document of more than {_LARGEST} bytes")
    return found


def _kstate(found: Mapping[str, Any], wanted: Namespace) -> int:
    from kho_console.engine.formats import kstate

    version, entries, ending, magic = kstate_entries(found)
    try:
        registry = kstate.descriptions(version, wanted.descriptions)
    except FormatError as error:
        output.say(f"{text.escaped(wanted.descriptions)}: {text.escaped(error.reason)}")
        return exit_code.USAGE
    # All of it, before anything is written: a document may be wrong at its end.
    stream = b"".join(kstate.encoded(version, entries, registry, ending, magic=magic))
    wrong = kstate_disagreement(found, kstate.decoded(stream, version, registry))
    if wrong is not None:
        raise ValueError(wrong)
    return _written([stream], wanted)


def _kho2024(found: Mapping[str, Any], wanted: Namespace) -> int:
    from kho_console.engine.formats import fdt

    blob = fdt.encoded(*fdt_root(found))
    there = kho2024(*fdt.decoded_2024(blob))
    for key in ("mem", "events", "arrays"):
        if key in found and found[key] != there[key]:
            raise ValueError(f"{key} is not what root says, and root is written: take {key} out")
    return _written([blob], wanted)


def _fdt(found: Mapping[str, Any], wanted: Namespace) -> int:
    from kho_console.engine.formats import fdt

    return _written([fdt.encoded(*fdt_root(found))], wanted)


def _elfcorehdr(found: Mapping[str, Any], wanted: Namespace) -> int:
    from kho_console.engine.formats import elfcorehdr

    return _written([elfcorehdr.encoded(*core_header(found))], wanted)


def _pkram(found: Mapping[str, Any], wanted: Namespace) -> int:
    from kho_console.engine.formats import pkram

    version, pfn, nodes = pkram_nodes(found)
    pages = pkram.encoded(pfn, nodes, version, pkram_layout(found))
    with Path(wanted.output).open("wb") as image:
        for address, page in pages.items():
            image.seek(address)
            image.write(page)
    return exit_code.DONE


def _written(pieces: Iterable[bytes], wanted: Namespace) -> int:
    if wanted.output is None:
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.buffer.flush()
    else:
        with Path(wanted.output).open("wb") as target:
            target.writelines(pieces)
    return exit_code.DONE


_KEYS = {
    "elfcorehdr": "loads",
    "fdt": "root",
    "kho2024": "root",
    "kstate": "entries",
    "pkram": "nodes",
}
"""What a document of each format cannot do without."""

_FORMATS: dict[str, Callable[[Mapping[str, Any], Namespace], int]] = {
    "elfcorehdr": _elfcorehdr,
    "fdt": _fdt,
    "kho2024": _kho2024,
    "kstate": _kstate,
    "pkram": _pkram,
}
