"""The verb `preserved`: how much, whose, where."""

from argparse import Namespace
from collections.abc import Iterable
from functools import partial

from kho_console import text, text_mechanisms
from kho_console.cli import exit_code, output
from kho_console.documents import contents
from kho_console.documents.shape import Document
from kho_console.engine import arrived, extents, preserved_view
from kho_console.engine.arrived import Fates
from kho_console.engine.extents import Rows
from kho_console.engine.filter import Filter, FilterError, Searched, parsed
from kho_console.engine.observe import observe
from kho_console.engine.opening import Source
from kho_console.engine.paths import IN
from kho_console.model.generation import Protocol
from kho_console.model.memory import MemoryRange
from kho_console.model.owner import Ownership
from kho_console.model.preserved import PreservedMap, Runs
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Maybe, Unknown


def preserved(source: Source, wanted: Namespace) -> int:
    """The preserved memory, as contiguous ranges or cut by owner, all of it or what a filter lets.

    A filter is read before the machine is, so that a wrong one costs nothing.
    """
    try:
        wanted_by = parsed(wanted.filter or "")
    except FilterError as error:
        output.say(f"--filter {text.escaped(wanted.filter)}: {error}")
        return exit_code.USAGE
    snapshot = observe(source)
    view = preserved_view.look(source, snapshot, wanted.side, unreliable=wanted.residue)
    rows = _rows(view.preserved, view.ownership, snapshot, wanted_by)
    fates = _fates(snapshot, wanted)
    if wanted.json:
        output.document(_document(view.preserved, rows, fates, wanted))
    found = view.preserved
    if isinstance(found, Unknown):
        output.say(f"preserved memory: {text.why(found)}")
        if wanted.side != IN and preserved_view.came(snapshot):
            output.say("instead: --side in, for what the kernel before this one preserved")
        return exit_code.NOT_AVAILABLE
    if isinstance(rows, Unknown) and wanted.filter:
        output.say(f"--filter {text.escaped(wanted.filter)}: {text.why(rows)}")
        return exit_code.NOT_AVAILABLE
    if not wanted.json:
        if wanted.residue:
            output.say("this is residue of a map that the kernel has released: do not rely on it")
        _print(found, rows, fates, wanted)
    return exit_code.DONE


def _rows(
    found: Maybe[PreservedMap], ownership: Maybe[Ownership], snapshot: Snapshot, wanted: Filter
) -> Maybe[Rows]:
    if isinstance(found, Unknown):
        return found
    if isinstance(ownership, Unknown):
        return ownership
    return wanted.rows(Searched(ownership, found, snapshot.memory.nodes, text.owner))


def _ranges(found: Maybe[PreservedMap], rows: Maybe[Rows], wanted: Namespace) -> Maybe[Runs]:
    if wanted.filter:
        return rows if isinstance(rows, Unknown) else rows.joined()
    return found if isinstance(found, Unknown) else found.ranges


def _fates(snapshot: Snapshot, wanted: Namespace) -> Fates | None:
    """What became of incoming memory; None where the mechanism does not tell."""
    if wanted.side != IN or snapshot.generation.protocol is not Protocol.RFC_2024:
        return None
    return arrived.fates(snapshot.incoming)


def _document(
    found: Maybe[PreservedMap], rows: Maybe[Rows], fates: Fates | None, wanted: Namespace
) -> Document:
    more = {} if fates is None else contents.fates(fates)
    if wanted.extents:
        orders = None if isinstance(found, Unknown) else partial(extents.orders, found)
        known = contents.extents(rows, orders, unreliable=wanted.residue, filtered=wanted.filter)
        return known | more
    ranges = _ranges(found, rows, wanted)
    return contents.ranges(ranges, unreliable=wanted.residue, filtered=wanted.filter) | more


def _print(found: PreservedMap, rows: Maybe[Rows], fates: Fates | None, wanted: Namespace) -> None:
    output.line(text.preserved(found))
    if fates is not None:
        output.line(text_mechanisms.fates(fates.shares()))
    if isinstance(rows, Unknown):
        output.line()
        output.line(f"owners: {text.why(rows)}")
    else:
        if wanted.filter:
            left = text.kept(len(rows), len(rows.ownership), rows.bytes)
            output.line(f"filter {text.escaped(wanted.filter)}: {left}")
        output.line()
        shares = (
            (f"{share.bytes:,}", f"{share.extents:,}", text.owner(share.owner))
            for share in extents.shares(rows)
        )
        output.table(shares, ("bytes", "extents", "owner"), right=(0, 1))
        if not rows.ownership.complete:
            output.line("owners were searched for in a part of this memory only")
    output.line()
    lines = (
        _extent_lines(found, rows, fates)
        if wanted.extents
        else _range_lines(_ranges(found, rows, wanted), fates)
    )
    for line in lines:
        output.line(line)


def _range_lines(ranges: Maybe[Runs], fates: Fates | None) -> Iterable[str]:
    if isinstance(ranges, Unknown):
        return ()
    return (
        f"{text.address(item.start)}  {text.exact(item.size)}{_met(fates, item)}" for item in ranges
    )


def _met(fates: Fates | None, item: MemoryRange) -> str:
    return "" if fates is None else f"  {', '.join(fates.within(item)) or 'not seen'}"


def _extent_lines(found: PreservedMap, rows: Maybe[Rows], fates: Fates | None) -> Iterable[str]:
    if isinstance(rows, Unknown):
        return
    yield f"{'address':<15}  {'size':>10}  {'order':>5}  owner"
    for item in rows:
        orders = text.orders(extents.orders(found, item.range))
        yield (
            f"{text.address(item.range.start)}  {text.size(item.range.size):>10}  {orders:>5}  "
            f"{text.owner(item.owner)}{_met(fates, item.range)}"
        )
