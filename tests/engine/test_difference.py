"""What is different between two moments."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kho_console.abi import runs
from kho_console.engine.difference import difference, owned, places, ranges_only_in
from kho_console.engine.observe import observe
from kho_console.engine.opening import open_source
from kho_console.model import few
from kho_console.model.crash import Coverage
from kho_console.model.difference import Change, Difference, Subject, Told
from kho_console.model.memory import MemoryRange
from kho_console.model.owner import Owner, OwnerKind, Ownership
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Unknown
from tests.recordings import FIXTURES, RECORDINGS

HOSTILE = [f"hostile/{found.name}" for found in sorted((FIXTURES / "hostile").iterdir())]
MIRROR = {Change.ADDED: Change.GONE, Change.GONE: Change.ADDED}
PIECES = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=9)


@cache
def seen(name: str) -> Snapshot:
    return observe(open_source(str(FIXTURES / name)))


def told(found: tuple[Difference, ...], *subjects: Subject) -> list[str]:
    """In words, of some subjects."""
    return [
        " ".join(filter(None, (item.change, item.name.decode("latin-1"), item.what)))
        for item in found
        if not subjects or item.subject in subjects
    ]


def values(found: tuple[Difference, ...], name: bytes, what: str = "") -> list[object]:
    [item] = [item for item in found if (item.name, item.what) == (name, what)]
    return [at.value if isinstance(at, Told) else at for at in (item.before, item.after)]


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_moment_is_the_same_as_itself(name: str) -> None:
    assert difference(seen(name), observe(open_source(str(FIXTURES / name)))) == ()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_ones_are_told_apart_from_a_sound_one_only(name: str) -> None:
    try:
        found = seen(name)
    except Exception as error:
        pytest.skip(f"no source: {error}")
    assert difference(found, found) == ()
    assert difference(found, seen("linux-7.3.4/sessions"))


def test_6_18_finalizes_and_aborts() -> None:
    cold, finalized, aborted = (
        seen(f"linux-6.18.15/{at}") for at in ("cold", "finalized", "aborted")
    )
    there = difference(cold, finalized)
    what = (Subject.HANDOVER, Subject.PRESERVED, Subject.BLOBS, Subject.PROPERTIES)
    assert sorted(told(there, *what)) == [
        "added blob memblock",
        "added out memblock",
        "added out root tree",
        "added reserve_mem oops",
        "added reserve_mem trace",
        "added root tree",
        "changed map",
        "changed state",
    ]
    assert values(there, b"reserve_mem oops") == [None, 4 << 20]
    assert values(there, b"", "state") == ["open", "finalized"]
    before, after = values(there, b"map")
    assert isinstance(before, Unknown) and before.cause is Cause.NOT_YET and after == 5251072
    back = difference(finalized, aborted)
    assert {item.replace("added", "gone") for item in told(there, *what)} == set(told(back, *what))
    assert difference(cold, aborted)[-1].subject is Subject.FINDINGS
    assert told(difference(cold, aborted), *what) == []


def test_7_3_goes_through_a_live_update() -> None:
    cold, sessions, ready, restored, retrieved = (
        seen(f"linux-7.3.4/{at}") for at in ("cold", "sessions", "ready", "restored", "retrieved")
    )
    staged = difference(cold, sessions)
    assert told(staged, Subject.SESSIONS) == ["added empty", "added vm-db", "added vm-web"]
    assert values(staged, b"memfd 0xabd000") == [None, 2 << 20]
    assert values(staged, b"map", "ranges") == [6, 49]
    assert values(difference(sessions, ready), b"", "loaded") == ["no", "yes"]

    crossed = difference(ready, restored)
    assert values(crossed, b"", "kexec count") == [0, 1]
    assert told(crossed, Subject.BLOBS)[-3:] == ["added in LUO", "added in kexec-metadata",
                                                 "added in memblock"]  # fmt: skip
    # This kernel hides what it preserves: none of it is gone for that.
    assert told(crossed, Subject.PRESERVED) == ["changed map"]
    assert "changed out root tree" in told(crossed, Subject.PROPERTIES)
    assert "moved Kernel code" in told(crossed, Subject.MEMORY)
    assert values(crossed, b"vm-web", "direction") == ["outgoing", "incoming"]

    taken = difference(restored, retrieved)
    # The records were freed when they were read: nobody can tell whether these still wait.
    direction, why = values(taken, b"vm-db", "direction")
    assert direction == "incoming" and isinstance(why, Unknown) and why.cause is Cause.RELEASED
    assert values(taken, b"in LUO", "state") == ["valid", "stale"]


def test_a_dimm_comes_in_one_line() -> None:
    found = difference(seen("linux-7.3.4/crash-loaded"), seen("linux-7.3.4/hotplugged"))
    assert told(found, Subject.MEMORY) == ["added memory32-35", "changed System RAM size"]
    assert told(found, Subject.PRESERVED, Subject.SCRATCH, Subject.FINDINGS) == []
    header = b"ELF core header"
    assert told(found, Subject.CRASH) == [f"changed {header.decode()} {what}"
                                          for what in ("entries", "describes")]  # fmt: skip
    assert values(found, header, "entries") == [6, 7]


def test_a_crash_image_is_loaded() -> None:
    found = difference(seen("linux-6.18.15/finalized"), seen("linux-6.18.15/crash-loaded"))
    assert told(found, Subject.KEXEC, Subject.CRASH) == [
        "changed crash loaded",
        "changed armed",
        "added ELF core header",
    ]
    assert told(found, Subject.FINDINGS) == [
        "gone crash-not-loaded: crash image",
        "added kernel-warning: kernel log",
    ]


def test_what_a_dump_would_lack() -> None:
    whole = seen("linux-7.3.4/hotplugged")
    assert isinstance(whole.crash.coverage, Coverage)

    def lacking(*missing: tuple[int, int]) -> Snapshot:
        assert isinstance(whole.crash.coverage, Coverage)
        ranges = tuple(MemoryRange(*item) for item in missing)
        coverage = replace(whole.crash.coverage, missing=ranges)
        return replace(whole, crash=replace(whole.crash, coverage=coverage))

    def changes(first: Snapshot, second: Snapshot) -> list[str]:
        return told(difference(first, second), Subject.CRASH)

    lack = "memory that a dump lacks"
    assert changes(whole, lacking((4096, 4096))) == [f"added {lack}"]
    assert changes(lacking((4096, 4096)), lacking((8192, 4096))) == [f"moved {lack}"]
    assert changes(lacking((4096, 4096)), lacking((4096, 8192))) == [f"changed {lack} size"]
    hidden = Unknown(Cause.NOT_PERMITTED, "no /proc/kcore")
    unseen = replace(whole, crash=replace(whole.crash, header=hidden, coverage=hidden))
    assert changes(lacking((4096, 4096)), unseen) == ["changed ELF core header"]
    rules = replace(
        whole, crash=replace(whole.crash, reloads=("/etc/udev/rules.d/98-kexec.rules",))
    )
    assert changes(whole, rules) == ["changed rules that reload it"]


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(RECORDINGS), st.sampled_from(RECORDINGS))
def test_the_other_way_round_is_the_mirror(first: str, second: str) -> None:
    there, back = difference(seen(first), seen(second)), difference(seen(second), seen(first))

    def moved_by_their_place(item: Difference) -> Difference:
        return replace(item, name=b"") if item.change is Change.MOVED else item

    mirrored = [
        replace(
            item,
            change=MIRROR.get(item.change, item.change),
            before=item.after,
            after=item.before,
        )
        for item in map(moved_by_their_place, back)
    ]
    assert sorted(map(repr, mirrored)) == sorted(map(repr, map(moved_by_their_place, there)))


@settings(deadline=None)
@given(first=PIECES, second=PIECES)
def test_sets_of_memory(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    a, b = (runs.of_ranges((at, at + size) for at, size in pieces) for pieces in (first, second))
    bytes_a, bytes_b = (
        {byte for start, end in found.pairs() for byte in range(start, end)} for found in (a, b)
    )
    with pytest.MonkeyPatch.context() as patch:
        for most in (1 << 20, 0):
            patch.setattr(few, "FEW", most)
            assert places.common(a, b) == len(bytes_a & bytes_b)
    left = list(places.only_in(a, b))
    assert {byte for start, end in left for byte in range(start, end)} == bytes_a - bytes_b
    assert left == sorted(left)


def test_moved_is_what_did_not_stay() -> None:
    before, after = (
        {b"System RAM": runs.of_ranges([(0x1000, 0x2000), (at, at + 0x1000)])}
        for at in (0x100000, 0x300000)
    )
    [found] = places.memory(Subject.MEMORY, before, after)
    assert (found.change, found.name) == (Change.MOVED, b"System RAM")
    assert values((found,), b"System RAM") == [0x100000, 0x300000]


def test_a_memory_file_at_another_address_has_moved() -> None:
    moved = replace(seen("linux-7.3.4/sessions"))
    found = moved.inventory.ownership
    assert isinstance(found, Ownership)
    owners = tuple(
        replace(owner, name=b"0xfff000") if owner.name == b"0xdce000" else owner
        for owner in found.owners
    )
    shift = [4096 if owner.name == b"0xfff000" else 0 for owner in owners]
    by = np.array(shift, np.uint64)[found.owner_of]
    changed = Ownership(found.starts + by, found.ends + by, found.owner_of, owners)
    other = replace(moved, inventory=replace(moved.inventory, ownership=changed))
    assert told(difference(moved, other)) == ["moved memfd record 0xdce000", "moved memfd 0xdce000"]


def test_millions_of_ranges_of_thousands_of_owners() -> None:
    owners = (Owner(OwnerKind.UNATTRIBUTED), *(Owner(OwnerKind.MEMFD, b"%d" % n, None, 4096)
                                               for n in range(3000)))  # fmt: skip
    starts = np.arange(2_000_000, dtype=np.uint64) * np.uint64(8192)
    numbers = (np.arange(len(starts)) % len(owners)).astype(np.int32)
    there = Ownership(starts, starts + np.uint64(4096), numbers, owners)
    grouped = owned.by_owner(there)
    assert sum(found.bytes for found in grouped.values()) == there.bytes
    # One range of one owner grows.
    ends = starts + np.uint64(4096)
    ends[5] += np.uint64(4096)
    names = [
        {owned.name_of(owner): found for owner, found in owned.by_owner(at).items()}
        for at in (there, Ownership(starts, ends, numbers, owners))
    ]
    [only] = places.memory(Subject.PRESERVED, *names)
    assert (only.change, only.name, only.what) == (Change.CHANGED, b"memfd 4", "size")


def test_ranges_are_listed_when_they_are_asked_for() -> None:
    cold, sessions = seen("linux-7.3.4/cold"), seen("linux-7.3.4/sessions")
    held = [item.inventory.preserved for item in (cold, sessions)]
    sizes = [0 if isinstance(item, Unknown) else item.bytes for item in held]
    assert sum(end - start for start, end in ranges_only_in(sessions, cold)) == sizes[1] - sizes[0]
    assert list(ranges_only_in(cold, sessions)) == []
