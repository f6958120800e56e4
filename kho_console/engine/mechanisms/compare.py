"""One workload through every mechanism; each figure comes out of a run."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from kho_console.engine.mechanisms import kstate, mainline, pkram, series2024
from kho_console.engine.mechanisms.placing import Placed, place
from kho_console.model.kstate import KstateVersion
from kho_console.model.pkram import PkramVersion
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.workload import Carried, Crossed, Workload

T = TypeVar("T")

_NO_NEWER = Unknown(Cause.ABSENT, "it is the newest there is")
_NO_OLDER = Unknown(Cause.ABSENT, "it is the first there is")
_NO_LAYOUT = Unknown(Cause.UNSUPPORTED, "it does not know how records are laid out")
_NO_RECORDS = Unknown(Cause.ABSENT, "there are no records")


def compare(workload: Workload) -> Iterator[Carried]:
    """The mechanisms from the oldest release of each to the newest, one after the other."""
    compact, scattered = place(workload, scattered=False), place(workload, scattered=True)
    yield _of_2024(compact, scattered)
    for name, older, newer in _neighbours(mainline.NAMES):
        yield _of_release(name, older, newer, compact, scattered)
    for series, before, after in _neighbours(tuple(PkramVersion)):
        yield _of_pkram(series, before, after, compact, scattered)
    for version, first, last in _neighbours(kstate.VERSIONS):
        yield _of_kstate(version, first, last, compact, scattered)


def _of_2024(compact: Placed, scattered: Placed) -> Carried:
    cost, tree = series2024.run(compact)
    newer = tree if isinstance(tree, Unknown) else series2024.crossed(tree)
    return Carried(
        "kho",
        series2024.VERSION,
        cost,
        series2024.run(scattered)[0],
        newer,
        _NO_OLDER,
        _NO_LAYOUT,
        series2024.notes(compact),
    )


def _of_release(
    name: str, older: str | None, newer: str | None, compact: Placed, scattered: Placed
) -> Carried:
    cost, machine = mainline.run(name, compact)

    def crossed(to: str | None, none: Unknown) -> Maybe[Crossed]:
        if isinstance(machine, Unknown):
            return machine
        return none if to is None else mainline.crossed(machine, to, compact)

    return Carried(
        "kho",
        name,
        cost,
        mainline.run(name, scattered)[0],
        crossed(newer, _NO_NEWER),
        crossed(older, _NO_OLDER),
        _NO_LAYOUT,
        mainline.notes(name, compact),
    )


def _of_pkram(
    series: PkramVersion,
    older: PkramVersion | None,
    newer: PkramVersion | None,
    compact: Placed,
    scattered: Placed,
) -> Carried:
    cost, left = pkram.run(series, compact)

    def crossed(to: PkramVersion | None, none: Unknown) -> Maybe[Crossed]:
        if isinstance(left, Unknown):
            return left
        return none if to is None else pkram.crossed(left, to, compact)

    return Carried(
        "pkram",
        series,
        cost,
        pkram.run(series, scattered)[0],
        crossed(newer, _NO_NEWER),
        crossed(older, _NO_OLDER),
        _NO_LAYOUT,
        pkram.notes(series, compact),
    )


def _of_kstate(
    version: KstateVersion,
    older: KstateVersion | None,
    newer: KstateVersion | None,
    compact: Placed,
    scattered: Placed,
) -> Carried:
    cost, left, notes = kstate.run(version, compact)

    def crossed(to: KstateVersion | None, none: Unknown) -> Maybe[Crossed]:
        if isinstance(left, Unknown):
            return left
        return none if to is None else kstate.crossed(left, to)

    changed: Maybe[Crossed] = _NO_RECORDS
    if isinstance(left, Unknown):
        changed = left
    elif left.records:
        changed = kstate.changed(left)
    return Carried(
        "kstate",
        version,
        cost,
        kstate.run(version, scattered)[0],
        crossed(newer, _NO_NEWER),
        crossed(older, _NO_OLDER),
        changed,
        notes,
    )


def _neighbours(versions: Sequence[T]) -> Iterator[tuple[T, T | None, T | None]]:
    """Each with the one before and the one behind it."""
    yield from zip(versions, (None, *versions[:-1]), (*versions[1:], None), strict=True)
