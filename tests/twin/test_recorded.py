"""The same scene on a twin and as a real kernel was recorded in it: the same reads and errnos."""

import errno

import pytest

from kho_console.engine.observe import observe
from kho_console.model.owner import OwnerKind
from kho_console.model.unknown import Unknown
from kho_console.source.protocol import Source
from kho_console.twin import TwinSource, twin_of
from tests.twin.scenes import (
    Files,
    cold,
    errno_of,
    execute,
    handover_files,
    hold,
    load,
    preserved,
    recorded,
    regions,
    write,
)

SMALL: Files = {
    b"vm-web": ((0x1001, 2 << 20), (0x1002, 64 << 10)),
    b"vm-db": ((0x2001, 5 << 20),),
    b"empty": (),
}
LARGE: Files = {**SMALL, b"vm-db": ((0x2001, 8 << 20),)}
HELD = {"6.19.11": SMALL, "7.1.13": LARGE, "7.2.13": SMALL, "7.3.4": LARGE}


def owned(source: Source) -> dict[tuple[OwnerKind, bytes, int | None], int]:
    """Preserved bytes by owner; of memory files without their addresses."""
    ownership = observe(source).inventory.ownership
    assert not isinstance(ownership, Unknown), ownership
    found: dict[tuple[OwnerKind, bytes, int | None], int] = {}
    for owner, size in ownership.bytes_by_owner().items():
        addressed = owner.kind in (OwnerKind.MEMFD, OwnerKind.MEMFD_RECORD)
        key = (owner.kind, b"" if addressed else owner.name, owner.size)
        found[key] = found.get(key, 0) + size
    return found


def blocks(source: Source) -> dict[int, int]:
    found = observe(source).inventory.preserved
    assert not isinstance(found, Unknown), found
    return found.blocks_by_order


@pytest.mark.parametrize("release", ["6.17.8", "6.18.15"])
def test_finalize_and_abort(release: str) -> None:
    after = recorded(f"linux-{release}/finalized")
    twin = cold(f"linux-{release}/cold", places=regions(f"linux-{release}/finalized"))
    source = TwinSource(twin)
    assert errno_of(twin, b"0") == errno.ENOENT
    write(twin, b"1\n")
    assert handover_files(source) == handover_files(after)
    assert owned(source) == owned(after)
    assert blocks(source) == blocks(after)
    assert errno_of(twin, b"1") == errno.EEXIST
    write(twin, b"0")
    assert handover_files(source) == handover_files(recorded(f"linux-{release}/aborted"))
    assert not preserved(twin)


def test_finalize_latches_on_6_19() -> None:
    before, after = recorded("linux-6.19.11/sessions"), recorded("linux-6.19.11/finalized")
    twin = cold("linux-6.19.11/cold", places=regions("linux-6.19.11/finalized"))
    source = TwinSource(twin)
    processes = before.processes()
    assert not isinstance(processes, Unknown)
    holder = next(item for item in processes if item.descriptors)
    hold(twin, SMALL, holder.command)
    assert errno_of(twin, b"0") == errno.EINVAL
    assert handover_files(source) == handover_files(before)
    write(twin, b"1")
    write(twin, b"0x1")
    assert errno_of(twin, b"0") == errno.EINVAL
    assert handover_files(source) == handover_files(after)
    assert owned(source) == owned(after)
    assert sum(blocks(source).values()) == sum(blocks(after).values())


@pytest.mark.parametrize("release", ["7.1.13", "7.2.13", "7.3.4"])
def test_sessions_of_stateless_kernels(release: str) -> None:
    after = recorded(f"linux-{release}/sessions")
    twin = twin_of(recorded(f"linux-{release}/cold"))
    source = TwinSource(twin)
    assert errno_of(twin, b"1") == errno.ENOENT
    hold(twin, HELD[release])
    assert handover_files(source) == handover_files(after)
    assert owned(source) == owned(after)
    assert names(source) == names(after)


@pytest.mark.parametrize("release", ["6.17.8", "6.18.15", "6.19.11", "7.1.13", "7.2.13", "7.3.4"])
def test_a_kexec_of_the_same_release(release: str) -> None:
    before, after = recorded(f"linux-{release}/ready"), recorded(f"linux-{release}/restored")
    twin = twin_of(before, files=HELD.get(release, {}))
    source = TwinSource(twin)
    load(twin, release)
    execute(twin)
    assert twin.outcome is not None and twin.outcome.panic is None
    assert twin.outcome.adopted and twin.outcome.kept == twin.outcome.offered > 0
    mine, theirs = handover_files(source), handover_files(after)
    # From 7.2 on the kernel frees the page of the incoming blob, and whatever comes shows in it.
    for files in (mine, theirs):
        files.pop("/sys/kernel/debug/kho/in/sub_fdts/LUO", None)
    assert mine == theirs
    seen, was = observe(source), observe(after)
    assert (seen.generation.protocol, seen.state) == (was.generation.protocol, was.state)
    assert (seen.booted_through_handover, seen.previous_release, seen.kexec_count) == (
        was.booted_through_handover,
        was.previous_release,
        was.kexec_count,
    )
    assert HELD.get(release) is None or waiting(source) == {
        name: {token for token, _ in files} for name, files in HELD[release].items()
    }
    if release != "7.2.13":
        assert waiting(source) == waiting(after)


def names(source: Source) -> set[bytes]:
    found = observe(source).inventory.sessions
    assert not isinstance(found, Unknown), found
    return {item.name for item in found}


def waiting(source: Source) -> dict[bytes, set[int]] | None:
    """Tokens of the sessions that came in; None where none did."""
    found = observe(source).inventory.sessions
    if isinstance(found, Unknown):
        return None
    return {
        item.name: set() if isinstance(item.files, Unknown) else {file.token for file in item.files}
        for item in found
    }
