"""Live-update sessions: errnos by release, and what becomes of memory."""

import errno
import re
from collections.abc import Callable

import pytest

from kho_console.model.change import Execute, Execution
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import SourceError
from kho_console.twin import ProducerRefuses, Twin, TwinSource, twin_of
from kho_console.twin.luo import Outgoing
from kho_console.twin.memfd import MemoryFile
from kho_console.twin.refused import Refused
from tests.recordings import folder
from tests.twin.scenes import PID, execute, handover_files, load, preserved, recorded
from tests.twin.test_crossings import running


def outgoing(twin: Twin) -> Outgoing:
    found = twin.kernel.outgoing
    assert found is not None
    return found


def refusal(call: Callable[[], object]) -> int:
    with pytest.raises(Refused) as found:
        call()
    return found.value.errno or 0


@pytest.mark.parametrize("release", ["6.19", "7.0", "7.1", "7.2", "7.3"])
def test_errnos_of_outgoing_sessions(release: str) -> None:
    twin = running(release)
    user, row = twin.user, twin.kernel.row
    user.create_session(PID, b"vm")
    assert refusal(lambda: user.create_session(PID, b"vm")) == errno.EEXIST
    if row.sessions_checked:
        assert refusal(lambda: user.create_session(PID, b"")) == errno.EINVAL
        assert refusal(lambda: user.create_session(PID, b"x" * 64)) == errno.EINVAL
    else:
        user.create_session(PID, b"x" * 64)
        assert b"x" * 63 in outgoing(twin).sessions
    file = MemoryFile(10_000)
    user.preserve(b"vm", 2**64 - 1, file)
    assert refusal(lambda: user.preserve(b"vm", 2**64 - 1, MemoryFile(1))) == errno.EEXIST
    if row.same_inode_refused:
        assert refusal(lambda: user.preserve(b"vm", 0, file)) == errno.EBUSY
    else:
        user.preserve(b"vm", 0, file)
    assert refusal(lambda: user.wrong_direction(b"vm")) == errno.EINVAL


@pytest.mark.parametrize(
    ("release", "files", "sessions"), [("7.1", errno.ENOSPC, errno.ENOMEM), ("7.3", 0, 0)]
)
def test_limits_up_to_7_1(release: str, files: int, sessions: int) -> None:
    twin = running(release)
    for number in range(818):
        twin.user.create_session(PID, b"%d" % number)
    twin.user.create_session(PID, b"last")
    for token in range(128):
        twin.user.preserve(b"last", token, MemoryFile(0))
    if not files:
        twin.user.preserve(b"last", 128, MemoryFile(0))
        twin.user.create_session(PID, b"more")
        return
    assert refusal(lambda: twin.user.preserve(b"last", 128, MemoryFile(0))) == files
    assert refusal(lambda: twin.user.create_session(PID, b"more")) == sessions


@pytest.mark.parametrize("release", ["6.19", "7.1", "7.3"])
def test_closing_a_session_takes_everything_back(release: str) -> None:
    twin = running(release)
    before = preserved(twin)
    for round_ in range(2):
        twin.user.create_session(PID, b"vm")
        twin.user.preserve(b"vm", round_, MemoryFile(3 << 20))
        assert preserved(twin) != before
        twin.user.close_session(b"vm")
        left = set(preserved(twin)) - set(before)
        # From 7.2 on the block of session records stays.
        assert sum(item.size for item in left) <= (4096 if release == "7.3" else 0)


@pytest.mark.parametrize("release", ["6.19", "7.0", "7.1", "7.2", "7.3"])
def test_sessions_go_through_two_handovers(release: str) -> None:
    twin = running(release)
    twin.user.create_session(PID, b"vm")
    twin.user.create_session(PID, b"none")
    twin.user.preserve(b"vm", 1, MemoryFile(1 << 20, position=17, seals=2))
    twin.user.preserve(b"vm", 2, MemoryFile(0))
    content = outgoing(twin).sessions[b"vm"].files[1].file.pages
    load(twin, release)
    execute(twin)
    user, source = twin.user, TwinSource(twin)
    waiting = source.memory_total()
    user.open_device(PID)
    assert refusal(lambda: user.open_device(PID)) == errno.EBUSY
    assert refusal(lambda: user.retrieve_session(PID, b"other")) == errno.ENOENT
    user.retrieve_session(PID, b"vm")
    assert refusal(lambda: user.retrieve_session(PID, b"vm")) == errno.EINVAL
    file = user.retrieve_file(b"vm", 1)
    assert (file.size, file.position, file.pages) == (1 << 20, 17, content)
    assert file.seals == (2 if twin.kernel.row.memfd == 2 else 0)
    assert source.memory.read(file.pages[0].start, 7) == b"MEMFD:0"
    assert refusal(lambda: user.retrieve_file(b"vm", 9)) == errno.ENOENT
    user.create_session(PID, b"vm")
    if twin.kernel.row.same_inode_refused:
        assert refusal(lambda: user.preserve(b"vm", 1, file)) == errno.EBUSY
    user.finish(b"vm")
    user.finish(b"vm")
    user.preserve(b"vm", 1, file)
    user.close_incoming(b"vm")
    assert isinstance(waiting, int)
    load(twin, release)
    execute(twin)
    assert twin.outcome is not None and twin.outcome.adopted
    twin.user.open_device(PID)
    twin.user.retrieve_session(PID, b"vm")
    assert twin.user.retrieve_file(b"vm", 1).size == 1 << 20
    # What nobody staged again was not carried over.
    assert refusal(lambda: twin.user.retrieve_session(PID, b"none")) == errno.ENOENT
    assert b"liveupdate number: 2" in str(source.kernel_log()).encode()


def test_systemd_stops_the_holders_and_the_bare_call_does_not() -> None:
    for how, survives in ((Execution.SYSTEMD, False), (Execution.SYSTEM_CALL, True)):
        twin = running("7.3")
        twin.user.create_session(PID, b"vm")
        load(twin, "7.3")
        TwinSource(twin).change(Execute(how))
        twin.user.open_device(PID)
        came = twin.kernel.incoming
        assert came is not None and came.sessions is not None
        assert (b"vm" in came.sessions) is survives


def test_a_handler_that_refuses_leaves_all_as_it_was() -> None:
    twin = running("7.3")
    twin.user.create_session(PID, b"vm")
    load(twin, "7.3")
    twin.arm(ProducerRefuses(errno.EBUSY))
    boot = TwinSource(twin).kernel_start
    with pytest.raises(SourceError) as found:
        execute(twin)
    assert found.value.errno == errno.EBUSY
    assert TwinSource(twin).kernel_start == boot
    execute(twin)
    assert twin.outcome is not None and twin.outcome.adopted


@pytest.mark.parametrize("release", ["6.19.11", "7.1.13"])
def test_retrieving_as_it_was_recorded(release: str) -> None:
    twin = twin_of(recorded(f"linux-{release}/restored"))
    after = FixtureSource(folder(f"linux-{release}/retrieved"))
    twin.user.process(PID, b"agent")
    twin.user.open_device(PID)
    twin.user.retrieve_session(PID, b"vm-web")
    assert twin.user.retrieve_file(b"vm-web", 0x1001).size == 2 << 20
    twin.user.finish(b"vm-web")
    assert handover_files(TwinSource(twin)) == handover_files(after)


def test_a_session_that_was_retrieved_before_the_twin_began() -> None:
    twin = twin_of(recorded("linux-7.3.4/retrieved"))
    assert not outgoing(twin).sessions
    assert set(twin.user.held) == {(b"vm-web", True)}
    load(twin, "7.3")
    TwinSource(twin).change(Execute(Execution.SYSTEMD))
    assert twin.outcome is not None and twin.outcome.adopted


def held_by(twin: Twin) -> list[str]:
    source = TwinSource(twin)
    return [
        target
        for name in source.list(f"/proc/{PID}/fd")
        if re.search("luo_session", target := source.link(f"/proc/{PID}/fd/{name}"))
    ]


def test_sessions_show_as_open_files() -> None:
    twin = running("7.3")
    twin.user.create_session(PID, b"a b")
    assert held_by(twin) == ["anon_inode:[luo_session] a b"]
    twin.user.close_session(b"a b")
    assert held_by(twin) == []
