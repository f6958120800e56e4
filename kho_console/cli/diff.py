"""The verb `diff`: two moments, subject by subject."""

import textwrap
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from kho_console import text, text_over_time
from kho_console.cli import exit_code, output
from kho_console.documents import compared as documents
from kho_console.engine.difference import difference, ranges_only_in
from kho_console.engine.observe import observe
from kho_console.engine.opening import CannotOpenError, Source, open_source
from kho_console.model.difference import Difference
from kho_console.model.snapshot import Snapshot

_WIDTH = 80
_CHANGE = 8


def diff(source: Source, wanted: Namespace) -> int:
    """Print what is different; bad news if anything is."""
    try:
        other = open_source(wanted.other)
    except CannotOpenError as error:
        output.say(str(error))
        return exit_code.NOT_AVAILABLE
    before, after = observe(source), observe(other)
    found = difference(before, after)
    only = (ranges_only_in(before, after), ranges_only_in(after, before)) if wanted.ranges else None
    code = exit_code.BAD_NEWS if found else exit_code.DONE
    with output.as_far_as_read():
        if wanted.json:
            output.document(documents.compared(before, after, found, only))
            return code
        for line in (*_lines(before, after, found), *_ranges(only or ())):
            output.line(line)
    return code


def _lines(before: Snapshot, after: Snapshot, found: Sequence[Difference]) -> Iterator[str]:
    yield f"DIFF    {text_over_time.differences(found)}"
    for word, seen in (("first", before), ("second", after)):
        kernel = f"{text.escaped(seen.machine.hostname)}, {text.escaped(seen.machine.release)}"
        yield f"{word:<8}{seen.source.kind} {text.escaped(seen.source.name)}  ({kernel})"
        if seen.source.moment is not None:
            yield f"{'':<8}{text.which(seen.source.moment)}"
    for subject, items in groupby(found, key=lambda item: item.subject):
        listed = list(items)
        yield ""
        yield f"{subject}: {text.count(len(listed), 'difference')}"
        for item in listed:
            yield from _wrapped(item)


def _ranges(only: Iterable[Iterable[tuple[int, int]]]) -> Iterator[str]:
    for word, ranges in zip(("gone", "added"), only, strict=False):
        for start, end in ranges:
            yield f"    {word:<{_CHANGE}}{text.address(start)}  {text.exact(end - start)}"


def _wrapped(item: Difference) -> list[str]:
    return textwrap.wrap(
        f"{item.change:<{_CHANGE}}{text_over_time.difference(item)}",
        _WIDTH,
        initial_indent="    ",
        subsequent_indent=" " * (4 + _CHANGE + 2),
        break_on_hyphens=False,
    )
