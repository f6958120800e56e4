"""Live-update sessions with memfds, 6.19 and later; the scenes follow one another."""

from collections import Counter

from tests.vm.guest import Guest
from tests.vm.scenes import facts, live_update
from tests.vm.scenes.facts import PAGE


def APPLIES(series: tuple[int, int]) -> bool:  # noqa: N802
    return series >= (6, 19)


def test_sessions_and_preserved_bytes(guest: Guest) -> None:
    before = guest.document("status")
    assert guest.document("sessions")["sessions"] == []
    held = live_update.hold(guest)
    pid = int(guest.read("/run/hold.pid"))

    shown = guest.document("sessions")["sessions"]
    assert [session["name"] for session in shown] == sorted(live_update.HELD)
    for session in shown:
        assert session["direction"] == "outgoing"
        assert [holder["pid"] for holder in session["holders"]] == [pid]
        assert "agent.py" in session["holder"]["command"]
        assert session["files"] is None

    if guest.kernel.series <= (7, 0):
        guest.run(f"echo 1 > {facts.KHO}/out/finalize")
    ranges = guest.document("preserved")["ranges"]
    frames = [
        frame for files in held.values() for file in files.values() for frame in file["frames"]
    ]
    assert len(frames) * PAGE == sum(sum(files.values()) for files in live_update.HELD.values())
    assert [frame for frame in frames if not facts.covers(ranges, frame, PAGE)] == []

    after = guest.document("status")
    if guest.kernel.series >= (7, 1):
        grown = after["outgoing"]["preserved"]["bytes"] - before["outgoing"]["preserved"]["bytes"]
        assert grown >= len(frames) * PAGE


def test_memfds_are_recognised_by_their_records(guest: Guest) -> None:
    extents = guest.document("preserved", "--extents")["extents"]
    sizes: Counter[str] = Counter()
    for extent in extents:
        if extent["owner"]["kind"] == "memfd":
            sizes[extent["owner"]["name"]] += extent["size"]
    wanted = [size for files in live_update.HELD.values() for size in files.values()]
    assert sorted(sizes.values()) == sorted(wanted)


def test_nothing_is_left_when_the_holder_ends(guest: Guest) -> None:
    guest.run(
        "kill $(cat /run/hold.pid); while test -e /proc/$(cat /run/hold.pid)/maps; do :; done"
    )
    assert guest.document("sessions")["sessions"] == []
