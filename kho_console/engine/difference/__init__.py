"""What is different between two moments: added, gone, moved or changed, subject by subject."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from kho_console.engine.diagnose import diagnose
from kho_console.engine.difference import contents, host, owned, places
from kho_console.engine.difference.crash import crash
from kho_console.engine.difference.items import Item, items, lists
from kho_console.model.difference import Difference, Subject, Told
from kho_console.model.preserved import Runs
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Maybe, Unknown

__all__ = ["difference", "ranges_only_in"]

_NUMBERED = re.compile(rb"(cpu|memory)(\d+)")


def difference(before: Snapshot, after: Snapshot) -> tuple[Difference, ...]:
    """All that is different, in the order of `Subject`; nothing for twice the same."""
    pair = (before, after)
    return tuple(
        chain(
            items(Subject.MACHINE, *map(host.machine, pair)),
            items(Subject.HANDOVER, *map(host.handover, pair)),
            lists(Subject.SCRATCH, b"areas", *(host.scratch(item.scratch) for item in pair)),
            owned.preserved(before, after),
            *(
                lists(
                    Subject.BLOBS, word + b"blobs", *(contents.blobs(word, item) for item in pair)
                )
                for word in (contents.OUT, contents.IN)
            ),
            *(
                lists(
                    Subject.PROPERTIES,
                    word + b"root tree",
                    *(contents.trees(word, item) for item in pair),
                )
                for word in (contents.OUT, contents.IN)
            ),
            lists(
                Subject.SESSIONS,
                b"sessions",
                contents.sessions(before, after),
                contents.sessions(after, before),
            ),
            items(Subject.KEXEC, *(host.kexec(item.kexec) for item in pair)),
            crash(before.crash, after.crash),
            _joined(lists(Subject.CPUS, b"CPUs", *(host.cpus(item.cpus) for item in pair))),
            _joined(
                lists(
                    Subject.MEMORY, b"blocks", *(host.blocks(item.memory.blocks) for item in pair)
                )
            ),
            _iomem(before, after),
            items(Subject.FINDINGS, *(host.findings(diagnose(item)) for item in pair)),
        )
    )


def ranges_only_in(seen: Snapshot, other: Snapshot) -> Iterator[tuple[int, int]]:
    """Start and end of what is preserved in `seen` and not in `other`; nothing where not known."""
    here, there = seen.outgoing.preserved, other.outgoing.preserved
    if isinstance(here, Unknown) or isinstance(there, Unknown):
        return iter(())
    return places.only_in(here.ranges, there.ranges)


def _iomem(before: Snapshot, after: Snapshot) -> Iterator[Difference]:
    was, now = host.iomem(before.memory.iomem), host.iomem(after.memory.iomem)
    if isinstance(was, Unknown) or isinstance(now, Unknown):
        yield from lists(Subject.MEMORY, b"/proc/iomem", *_counted(was, now))
    else:
        yield from places.memory(Subject.MEMORY, was, now)


def _counted(*found: Maybe[dict[bytes, Runs]]) -> Iterator[Maybe[list[Item]]]:
    for known in found:
        if isinstance(known, Unknown):
            yield known
        else:
            yield [Item(name, Told(runs.bytes, "bytes"), {}) for name, runs in known.items()]


def _joined(found: Iterable[Difference]) -> Iterator[Difference]:
    """Neighbours that differ in the same way as one: `memory32-35`.

    To add a tebibyte is to add thousands of blocks.
    """
    waiting: list[Difference] = []
    for item in sorted(found, key=_place):
        if waiting and not _goes_on(waiting[-1], item):
            yield _as_one(waiting)
            waiting = []
        waiting.append(item)
    if waiting:
        yield _as_one(waiting)


def _place(item: Difference) -> tuple[str, int]:
    found = _NUMBERED.fullmatch(item.name)
    return item.change, int(found[2]) if found else -1


def _goes_on(before: Difference, item: Difference) -> bool:
    same = replace(item, name=before.name) == before
    return same and _place(item)[1] == _place(before)[1] + 1


def _as_one(found: list[Difference]) -> Difference:
    if len(found) == 1:
        return found[0]
    return replace(found[0], name=b"%s-%d" % (found[0].name, _place(found[-1])[1]))
