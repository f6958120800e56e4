"""The verb `tree`: a root tree or a blob as device tree source, JSON, or raw bytes."""

import os
from argparse import Namespace

from kho_console import text
from kho_console.cli import exit_code, output
from kho_console.documents import contents as documents
from kho_console.engine import trees
from kho_console.engine.observe import observe
from kho_console.engine.opening import Source
from kho_console.model.blob import Blob
from kho_console.model.tree import FlatTree
from kho_console.model.unknown import Cause, Maybe, Unknown


def tree(source: Source, wanted: Namespace) -> int:
    """Print one tree of one side."""
    side = trees.side(observe(source), wanted.side)
    if isinstance(side, Unknown):
        return _nothing(wanted, side)
    name = None if wanted.name is None else os.fsencode(wanted.name)
    if wanted.raw:
        content = trees.content(side, name)
        if isinstance(content, Unknown):
            return _nothing(wanted, content)
        output.raw(content)
        return exit_code.DONE
    found = trees.tree(side, name)
    if wanted.json:
        blob = None if name is None else trees.blob_called(side, name)
        return _json(wanted, name, found, blob)
    if isinstance(found, Unknown):
        return _nothing(wanted, found)
    for fault in found.faults:
        place = f"at 0x{fault.offset:x}: {text.escaped(fault.reason)}"
        output.say(f"the tree is not whole: {place}")
    output.write(trees.source_text(found))
    return exit_code.DONE


def _json(
    wanted: Namespace, name: bytes | None, found: Maybe[FlatTree], blob: Maybe[Blob] | None
) -> int:
    if not isinstance(found, Unknown):
        output.document(documents.tree(wanted.side, name, found))
    elif found.cause is Cause.UNSUPPORTED and isinstance(blob, Blob):
        output.document(documents.struct(wanted.side, blob))
    else:
        return _nothing(wanted, found)
    return exit_code.DONE


def _nothing(wanted: Namespace, why: Unknown) -> int:
    what = "root tree" if wanted.name is None else f"blob {text.escaped(wanted.name)}"
    output.say(f"{wanted.side} {what}: {text.reason(why)}")
    if why.cause is Cause.UNSUPPORTED:
        output.say("--json prints its decoded values, --raw its bytes")
    return exit_code.NOT_AVAILABLE
