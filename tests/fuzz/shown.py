"""Everything that the faces say of one look at a machine, none of which may steer a terminal."""

import io
import json
from argparse import Namespace
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from importlib import metadata
from unittest.mock import patch

from kho_console.cli import crash, doctor, output, preserved, show, status, tree
from kho_console.cli.parser import parse
from kho_console.config.settings import Settings
from kho_console.documents.shape import Document
from kho_console.engine.extents import Rows, select, shares
from kho_console.engine.observer import Observer, View
from kho_console.model.snapshot import Side
from kho_console.model.unknown import Unknown
from kho_console.source.protocol import Source
from kho_console.tui import extent_export

_VERBS = {
    "status": status.status,
    "scratch": show.scratch,
    "blobs": show.blobs,
    "preserved": preserved.preserved,
    "sessions": show.sessions,
    "crash": crash.crash,
    "tree": tree.tree,
    "doctor": doctor.doctor,
}
_WORDS = (
    ("status",),
    ("scratch",),
    ("blobs",),
    ("preserved", "--extents"),
    ("preserved", "--filter", "owner:memfd size:>4k"),
    ("preserved", "--side", "in", "--residue"),
    ("sessions",),
    ("crash",),
    ("tree", "out"),
    ("tree", "in"),
    ("doctor",),
)
_CODES = (0, 1, 3)
_asked_version = metadata.version


def look(source: Source) -> View:
    """A whole look: observe, diagnose, doctor, strip, events."""
    with patch.object(metadata, "version", _version):
        return Observer(source).look()


def printed(source: Source, view: View) -> None:
    """Every verb, as text and as JSON."""
    with _one_look(view):
        for words in (*_WORDS, *_trees(view)):
            _printed(source, words)
            _printed(source, (*words, "--json"))


def exported(view: View) -> None:
    """The files that the preserved screen writes."""
    found, ownership = view.snapshot.inventory.preserved, view.snapshot.inventory.ownership
    if isinstance(found, Unknown) or isinstance(ownership, Unknown):
        return
    rows: Rows = select(ownership, None)
    files = (extent_export.of_extents(found, rows, ""), extent_export.of_shares(shares(rows), ""))
    for suffix, pieces in (item for file in files for item in file.items()):
        content = "".join(pieces)
        clean(content)
        if suffix == "json":
            json.loads(content)


def clean(words: str) -> None:
    """That nothing in it steers a terminal. Device tree source is indented with tabs."""
    kept = words.replace("\n", "").replace("\t", "")
    assert kept.isprintable(), [letter for letter in kept if not letter.isprintable()]


@cache
def _version(name: str) -> str:
    """What a library says of its version, which no machine changes, and which takes long."""
    return _asked_version(name)


def _printed(source: Source, words: tuple[str, ...]) -> None:
    out, err = io.StringIO(), io.StringIO()
    wanted = _wanted(words)
    with redirect_stdout(out), redirect_stderr(err):
        code = _VERBS[wanted.verb](source, wanted)
    assert code in _CODES, words
    assert out.getvalue() or err.getvalue(), words
    clean(out.getvalue())
    clean(err.getvalue())


def _document(found: Document) -> None:
    """In place of printing it with indents, which takes most of a case's time."""
    print(json.dumps(found))
    _strings(found)


@cache
def _wanted(words: tuple[str, ...]) -> Namespace:
    wanted = parse(list(words))
    wanted.settings = Settings()
    return wanted


def _strings(value: object) -> None:
    """That no text of a document has a control character behind its escapes."""
    if isinstance(value, str):
        clean(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            clean(key)
            _strings(item)
    elif isinstance(value, list):
        for item in value:
            _strings(item)


def _trees(view: View) -> Iterable[tuple[str, ...]]:
    """The verb for two blobs of each side."""
    sides = (("out", view.snapshot.outgoing), ("in", view.snapshot.incoming))
    for word, side in sides:
        if isinstance(side, Side) and not isinstance(side.blobs, Unknown):
            for blob in side.blobs[:2]:
                name = blob.name.decode("utf-8", "surrogateescape")
                if not name.startswith("-"):
                    yield "tree", word, name


@contextmanager
def _one_look(view: View) -> Iterator[None]:
    """The verbs each look at the machine anew; here they share what was seen."""
    modules = (status, show, tree, preserved, doctor, crash)
    with ExitStack() as patches:
        for module in modules:
            patches.enter_context(patch.object(module, "observe", lambda source: view.snapshot))
        patches.enter_context(patch.object(output, "document", _document))
        patches.enter_context(patch.object(metadata, "version", _version))
        yield
