"""The verb `compare-mechanisms`: one workload carried through every mechanism there is."""

from argparse import Namespace
from collections.abc import Iterable, Iterator
from textwrap import wrap

from kho_console import text
from kho_console.cli import exit_code, output
from kho_console.documents import mechanisms as documents
from kho_console.engine.formats import FormatError
from kho_console.engine.mechanisms.compare import compare
from kho_console.engine.mechanisms.workload import shipped, workload
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.workload import Carried, Crossed, Workload

USUAL = "guests"
"""The workload where none is named."""

_WIDTH = 79
_WIDTHS = (12, 10, 10, 6, 10, 8, 8, 7)
_HEADS = (
    ("", "metadata", "pages", "copies", "metadata,", "newer", "older", "field"),
    ("", "", "reserved", "", "scattered", "takes it", "takes it", "more"),
)


def compare_mechanisms(wanted: Namespace) -> int:
    """Run it and print what it took; how well a mechanism does is no bad news."""
    word: str = wanted.workload or USUAL
    try:
        found = workload(word)
    except FormatError as error:
        output.say(f"{text.escaped(word)}: {text.escaped(error.reason)}")
        return exit_code.USAGE
    except OSError as error:
        names = ", ".join(shipped())
        said = text.escaped(error.strerror or str(error))
        output.say(f"{said}; workloads that are shipped: {names}")
        return exit_code.NOT_AVAILABLE
    carried = list(compare(found))
    if wanted.json:
        output.document(documents.mechanisms(found, carried))
        return exit_code.DONE
    for line in _lines(found, carried):
        output.line(line)
    return exit_code.DONE


def _lines(found: Workload, carried: list[Carried]) -> Iterator[str]:
    yield from _filled(f"{text.escaped(found.name)}: {text.escaped(found.about)}")
    yield from _filled(_load(found))
    yield ""
    for head in _HEADS:
        yield _row(head)
    for item in carried:
        yield _row(_cells(item))
    yield ""
    yield "what a version change does, and why"
    for item in carried:
        for words in _changes(item):
            yield from _filled(f"{_name(item)}: {words}", "  ")
    yield ""
    yield "what else there is to know"
    for note, names in _notes(carried).items():
        yield from _filled(f"{', '.join(names)}: {note}", "  ")
    yield ""
    yield from _filled(
        "Scattered: with every page of a file apart from the others. Pages are of 4 KiB, the "
        "load's own among them. Copies: how often a record of state is written. Field more: the "
        "layout of the records gets one field."
    )


def _load(found: Workload) -> str:
    parts = [f"{text.escaped(item.name)} {text.size(item.size)}" for item in found.ranges]
    parts += [
        f"{text.escaped(item.name)} {text.size(item.size)} in pages of order {item.order}"
        for item in found.objects
    ]
    parts += [
        f"{text.count(item.count, 'record')} {text.escaped(item.name)} of {text.size(item.size)}"
        for item in found.records
    ]
    return ", ".join(parts) or "nothing at all"


def _name(item: Carried) -> str:
    return f"{item.mechanism} {item.version}"


def _cells(item: Carried) -> tuple[str, ...]:
    compact = item.compact
    if isinstance(compact, Unknown):
        return _name(item), "refused", *("-" * 6)
    scattered = text.told(item.scattered, lambda known: text.size(known.metadata))
    return (
        _name(item),
        text.size(compact.metadata),
        f"{compact.reserved_pages:,}",
        str(compact.copies),
        "refused" if isinstance(item.scattered, Unknown) else scattered,
        *map(_result, (item.newer, item.older, item.changed)),
    )


def _result(found: Maybe[Crossed]) -> str:
    return "-" if isinstance(found, Unknown) else found.result.value


def _row(cells: Iterable[str]) -> str:
    first, *numbers = zip(cells, _WIDTHS, strict=True)
    shown = [f"{cell:>{width}}" for cell, width in numbers[:4]]
    words = [f"{cell:<{width}}" for cell, width in numbers[4:]]
    return " ".join([f"{first[0]:<{first[1]}}", *shown, "", *words]).rstrip()


def _changes(item: Carried) -> Iterator[str]:
    for cost, what in ((item.compact, "it"), (item.scattered, "it scattered")):
        if isinstance(cost, Unknown):
            yield f"does not carry {what}: {text.why(cost)}"
    for crossed in (item.newer, item.older, item.changed):
        if not isinstance(crossed, Unknown):
            yield f"to {crossed.to}, {crossed.result}: {crossed.reason}"


def _notes(carried: Iterable[Carried]) -> dict[str, list[str]]:
    """Notes, each with those that it is about."""
    found: dict[str, list[str]] = {}
    for item in carried:
        said = list(item.notes)
        if isinstance(item.changed, Unknown) and item.changed.cause is Cause.UNSUPPORTED:
            said.append(item.changed.reason)
        for note in said:
            found.setdefault(note, []).append(_name(item))
    return found


def _filled(words: str, indent: str = "") -> list[str]:
    return wrap(
        text.harmless(words), _WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  "
    )
