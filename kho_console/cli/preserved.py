"""The verb `preserved`: how much, whose, where."""

from argparse import Namespace
from collections.abc import Iterable

from kho_console import documents, text
from kho_console.cli import exit_code, output
from kho_console.engine import extents, preserved_view
from kho_console.engine.observe import observe
from kho_console.engine.opening import Source
from kho_console.engine.preserved_view import PreservedView
from kho_console.model.owner import Ownership
from kho_console.model.preserved import PreservedMap
from kho_console.model.unknown import Maybe, Unknown


def preserved(source: Source, wanted: Namespace) -> int:
    """The preserved memory, as contiguous ranges or cut by owner."""
    view = preserved_view.look(source, observe(source), wanted.side, unreliable=wanted.residue)
    if wanted.json:
        output.document(_document(view, wanted))
    found = view.preserved
    if isinstance(found, Unknown):
        output.say(f"preserved memory: {text.why(found)}")
        return exit_code.NOT_AVAILABLE
    if not wanted.json:
        if wanted.residue:
            output.say("this is residue of a map that the kernel has released: do not rely on it")
        _print(found, view.ownership, cut=wanted.extents)
    return exit_code.DONE


def _document(view: PreservedView, wanted: Namespace) -> documents.Document:
    if wanted.extents:
        return documents.extents(view.ownership, unreliable=wanted.residue)
    return documents.preserved(view.preserved, unreliable=wanted.residue)


def _print(found: PreservedMap, ownership: Maybe[Ownership], *, cut: bool) -> None:
    output.line(text.preserved(found))
    output.line()
    if isinstance(ownership, Unknown):
        output.line(f"owners: {text.why(ownership)}")
    else:
        rows = (
            (f"{share.bytes:,}", f"{share.extents:,}", text.owner(share.owner))
            for share in extents.shares(ownership)
        )
        output.table(rows, ("bytes", "extents", "owner"), right=(0, 1))
        if not ownership.complete:
            output.line("owners were searched for in a part of this memory only")
    output.line()
    for line in _extent_lines(ownership) if cut else _range_lines(found):
        output.line(line)


def _range_lines(found: PreservedMap) -> Iterable[str]:
    return (f"{text.address(item.start)}  {text.exact(item.size)}" for item in found.ranges)


def _extent_lines(ownership: Maybe[Ownership]) -> Iterable[str]:
    if isinstance(ownership, Unknown):
        return ()
    return (
        f"{text.address(item.range.start)}  {text.size(item.range.size):>10}  "
        f"{text.owner(item.owner)}"
        for item in ownership
    )
