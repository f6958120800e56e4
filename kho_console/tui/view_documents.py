"""The JSON documents of what screens show."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

from kho_console.documents.contents import blobs, sessions
from kho_console.documents.crash import crash
from kho_console.documents.machine import checks, scratch, status
from kho_console.documents.shape import Document
from kho_console.engine.observer import View
from kho_console.engine.verdict import judge


def _status(view: View) -> Document:
    verdict = judge(view.snapshot, view.findings)
    return status(view.snapshot, view.findings, asdict(verdict))


def _crash(view: View) -> Document:
    # A view keeps the latest events only; how many there were is told by their flow.
    flow = {"seen": view.flow.seen, "lost": view.flow.lost}
    return {**crash(view.snapshot, []), "events": flow}


SHAPES: Mapping[str, Callable[[View], Document]] = {
    "overview": _status,
    "findings": _status,
    "handover": _status,
    "scratch": lambda view: scratch(view.snapshot),
    "blobs": lambda view: blobs(view.snapshot),
    "sessions": lambda view: sessions(view.snapshot),
    "crash": _crash,
    "doctor": lambda view: checks(view.checks),
}
"""The document of a view, by the subject of its screen."""


def pieces(subject: str, view: View) -> Iterator[str]:
    """The text of a document, made when it is asked for: that may take long."""
    yield f"{json.dumps(SHAPES[subject](view), indent=2)}\n"
