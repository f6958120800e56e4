"""From every release to every other: what arrives, what is refused, what is misread, who panics."""

import pytest

from kho_console.engine.observe import observe
from kho_console.model.unknown import Unknown
from kho_console.twin import Twin, TwinSource
from kho_console.twin.memfd import MemoryFile
from tests.twin.scenes import FINALIZE, PID, cold, errno_of, execute, load, preserved, write

RELEASES = ("v6", "6.16", "6.17", "6.18", "6.19", "7.0", "7.1", "7.2", "7.3")

TABLE = """
v6   - E E E R R R R R
6.16 - A A M M M R R R
6.17 - A A M M M R R R
6.18 - M M A A A R R R
6.19 - M M A A P R R R
7.0  - M M A A A R R R
7.1  - R R R R R A R R
7.2  - R R R R R R A A
7.3  - R R R R R R A A
"""
"""From the release of the row to those of `RELEASES`, live update on.

A adopted; E adopted, and nothing was preserved; R refused, boots without; M misread; P panics;
- has no receiving side.
"""

LINE = b"kho=on liveupdate=on kho_scratch=128M,16M,64M reserve_mem=4M:4096:oops"
EXPECTED = {
    (row.split()[0], target): row.split()[1 + RELEASES.index(target)]
    for row in TABLE.strip().splitlines()
    for target in RELEASES
}


def running(release: str, line: bytes = LINE) -> Twin:
    """A freshly booted kernel of a release, on the machine of a recording."""
    twin = cold("linux-7.3.4/cold")
    # A kernel without the handover in between, so that nothing comes in.
    for step in ("6.12", release):
        load(twin, step, line)
        execute(twin)
    assert twin.dead is None
    return twin


def make_ready(twin: Twin) -> None:
    source = TwinSource(twin)
    if twin.kernel.outgoing is not None:
        twin.user.create_session(PID, b"vm")
        twin.user.preserve(b"vm", 7, MemoryFile(1 << 20))
    if source.exists(FINALIZE) is True:
        write(twin, b"1")


def outcome(twin: Twin, came: "tuple[object, ...]") -> str:
    assert twin.outcome is not None
    if twin.dead is not None:
        return "P"
    if not twin.outcome.adopted:
        return "R"
    if not twin.outcome.kept and not twin.outcome.offered:
        return "E"
    return "A" if tuple(twin.kernel.came) == came else "M"


@pytest.mark.parametrize("source", RELEASES)
@pytest.mark.parametrize("target", RELEASES)
def test_crossing(source: str, target: str) -> None:
    twin = running(source)
    make_ready(twin)
    given = preserved(twin) if source != "v6" else ()
    load(twin, target)
    boot = TwinSource(twin).kernel_start
    execute(twin)
    found, expected = outcome(twin, given), EXPECTED[source, target]
    if source == "v6" and found == "A":
        found = "E"
    if expected == "M":
        assert found in ("M", "P")
        return
    assert found == {"-": "R"}.get(expected, expected)
    if found == "P":
        return
    seen = observe(TwinSource(twin))
    assert TwinSource(twin).kernel_start != boot
    assert seen.machine.release == target
    assert seen.booted_through_handover is (found in ("A", "E"))
    assert not isinstance(seen.scratch, Unknown)
    log = str(seen.machine.kernel_log)
    assert ("disabling KHO revival" in log) == (expected == "R")
    assert ("found kexec handover data" in log) == (found in ("A", "E"))
    assert ("Revived memory reservation 'oops'" in log) == (found in ("A", "E"))


def test_a_load_before_finalize_carries_nothing_on_6_18() -> None:
    twin = running("6.18")
    load(twin, "6.18")
    write(twin, b"1")
    execute(twin)
    source = TwinSource(twin)
    assert observe(source).booted_through_handover is False
    assert "KHO" not in str(source.kernel_log()).replace("KHO: scratch areas", "")


def test_without_finalize_6_19_refuses_its_own_tree() -> None:
    twin = running("6.19", LINE.replace(b"liveupdate=on", b""))
    load(twin, "6.19")
    execute(twin)
    assert "KHO: disabling KHO revival: -2" in str(TwinSource(twin).kernel_log())


def test_live_update_finalizes_6_19_in_the_reboot_call() -> None:
    twin = running("6.19")
    load(twin, "6.19")
    execute(twin)
    assert twin.outcome is not None and twin.outcome.adopted


def test_scratch_that_does_not_fit_switches_the_handover_off() -> None:
    twin = running("7.3", LINE.replace(b"128M", b"1000G"))
    assert TwinSource(twin).exists("/sys/kernel/debug/kho") is False
    assert "disabling kexec handover" in str(TwinSource(twin).kernel_log())
    assert twin.kernel.handover is None
    load(twin, "7.3")


@pytest.mark.parametrize(
    "text", [b" 1", b"", b"1 ", b"08", b"-1", b"0x", b"one", b"1\n\n", b"18446744073709551616"]
)
def test_what_is_no_number_is_refused(text: bytes) -> None:
    twin = running("6.18")
    assert errno_of(twin, text) == (34 if text.startswith(b"1844") else 22)
    assert errno_of(twin, b"+0x10\n") == 0


@pytest.mark.parametrize(("release", "size"), [("6.19.11", 152), ("7.1.13", 233), ("7.3.4", 233)])
def test_a_kernel_that_took_nothing_shows_the_window_of_a_cold_boot(
    release: str, size: int
) -> None:
    """The lengths are those of kho-abi 1.4: from 7.1 on the metadata is in the tree by then."""
    twin = cold("linux-6.18.15/cold")
    load(twin, release)
    execute(twin)
    assert twin.outcome is not None and not twin.outcome.adopted
    assert len(TwinSource(twin).read("/sys/kernel/debug/kho/out/fdt")) == size
