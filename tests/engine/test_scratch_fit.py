"""Fit and use of the scratch areas."""

from pathlib import Path

import pytest

from kho_console.engine import scratch_fit
from kho_console.engine.observe import observe
from kho_console.engine.scratch_fit import Fit, Overlap, Use
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Unknown
from tests.engine.machines import edited, recorded
from tests.fixture_folder import KHO, FixtureFolder

MIB = 1 << 20
READY = "linux-7.3.4/ready"
RESTORED = "linux-7.3.4/restored"


def fits(snapshot: Snapshot) -> tuple[Fit, ...]:
    found = scratch_fit.fits(snapshot)
    assert len(found) == 4
    return found


@pytest.fixture
def made(tmp_path: Path) -> FixtureFolder:
    """Two nodes of 1 GiB, `kho_scratch=16M,64M,32M` as 7.2 and later lay it out."""
    folder = FixtureFolder(tmp_path, "7.3.4")
    folder.scratch(
        [
            (0x5D00_0000, 16 * MIB),
            (0x5900_0000, 64 * MIB),
            (0x2D00_0000, 32 * MIB),
            (0x5700_0000, 32 * MIB),
        ]
    )
    folder.file("/proc/cmdline", "kho=on kho_scratch=16M,64M,30M\n")
    folder.file("/sys/devices/system/node/has_memory", "0-1\n")
    folder.file("/sys/kernel/debug/kho/out/fdt", b"")
    folder.file("/sys/kernel/kexec/loaded", "0\n")
    folder.file("/proc/zoneinfo", zone(0, 0, 8192, 7000) + zone(1, 0x40000, 28672, 20000))
    return folder


def zone(node: int, first: int, cma: int, free: int) -> str:
    return (
        f"Node {node}, zone    DMA32\n        spanned  262144\n        cma      {cma}\n"
        f"      nr_free_cma  {free}\n  start_pfn:           {first}\n"
    )


def test_what_is_free_is_known_for_all_areas_of_a_node_together(made: FixtureFolder) -> None:
    found = fits(observe(made.open()))
    node1 = Use(1, 112 * MIB, 20000 * 4096)
    assert [item.use for item in found] == [node1, node1, Use(0, 32 * MIB, 7000 * 4096), node1]


def test_other_cma_on_a_node_hides_what_is_free(made: FixtureFolder) -> None:
    made.file("/proc/zoneinfo", zone(0, 0, 8193, 7000) + zone(1, 0x40000, 28672, 20000))
    use = fits(observe(made.open()))[2].use
    assert isinstance(use, Unknown)
    assert use.reason == "node 0 has 33558528 bytes of CMA for 33554432 bytes of scratch"


def test_without_numbers_of_cma_or_with_two_nodes_it_is_not_known(made: FixtureFolder) -> None:
    made.file("/proc/zoneinfo", "Node 0, zone DMA32\n        spanned  999999\n  start_pfn:  0\n")
    use = fits(observe(made.open()))[0].use
    assert isinstance(use, Unknown) and "no numbers of CMA" in use.reason
    made.file("/proc/zoneinfo", zone(0, 0, 8192, 1) + zone(1, 0x20000, 28672, 1))
    use = fits(observe(made.open()))[2].use
    assert isinstance(use, Unknown) and "of 2 nodes" in use.reason
    made.unreadable("/proc/zoneinfo", 13)
    use = fits(observe(made.open()))[2].use
    assert isinstance(use, Unknown) and use.cause is Cause.NOT_PERMITTED


def test_what_was_asked_for_against_what_is_there(made: FixtureFolder) -> None:
    found = fits(observe(made.open()))
    # 30 MiB are rounded up to 32; a whole block of the largest order more would be too many.
    assert [item.asked for item in found] == [16 * MIB, 64 * MIB, 30 * MIB, 30 * MIB]
    assert all(item.met for item in found)
    request = scratch_fit.request(observe(made.open()))
    assert not isinstance(request, Unknown) and request.text == b"16M,64M,30M"
    made.file("/proc/cmdline", "kho=on kho_scratch=16M,64M,28M\n")
    assert [item.met for item in fits(observe(made.open()))] == [True, True, False, False]
    made.file("/proc/cmdline", "kho=on kho_scratch=300%\n")
    assert [item.asked for item in fits(observe(made.open()))] == [None] * 4


def test_no_request_and_one_that_is_refused_name_no_sizes(made: FixtureFolder) -> None:
    for line in ("kho=on\n", "kho=on kho_scratch=16M\n"):
        made.file("/proc/cmdline", line)
        request = scratch_fit.request(observe(made.open()))
        assert isinstance(request, Unknown) and request.cause is Cause.ABSENT


def test_alignment_is_of_address_and_size(made: FixtureFolder) -> None:
    assert [item.alignment for item in fits(observe(made.open()))] == [
        16 * MIB, 16 * MIB, 16 * MIB, 16 * MIB
    ]  # fmt: skip
    made.scratch([(0x5D00_0000, 0), (0x5900_0000, 3 * MIB), (0x2D00_1000, MIB), (0, 32 * MIB)])
    assert [item.alignment for item in fits(observe(made.open()))] == [0, MIB, 4096, 32 * MIB]


def test_areas_that_share_memory_name_each_other(made: FixtureFolder) -> None:
    made.scratch([(0x1000_0000, 0), (0x1000_0000, 2 * MIB), (0x1010_0000, MIB), (0x1020_0000, MIB)])
    found = fits(observe(made.open()))
    assert [[other.address for other in item.shared] for item in found] == [
        [], [0x1010_0000], [0x1000_0000], []
    ]  # fmt: skip


def test_a_kernel_that_boots_in_scratch_lies_in_it() -> None:
    found = fits(recorded(RESTORED))
    assert found[0].inside == (
        Overlap("Kernel code", 5412416),
        Overlap("Kernel rodata", 2023424),
        Overlap("Kernel data", 1497920),
        Overlap("Kernel bss", 348160),
        Overlap("Crash kernel", 256 * MIB),
    )
    assert [item.inside for item in found[1:]] == [()] * 3
    assert scratch_fit.running_kernel(recorded(RESTORED)) == 11345920


def test_preserved_bytes_in_an_area_are_counted_to_the_byte(tmp_path: Path) -> None:
    assert [item.preserved for item in fits(recorded(READY))] == [0] * 4
    # The region oops ends at 0x6ec0_0000; the area begins in its last page and goes on behind it.
    where = edited(
        READY,
        {
            f"{KHO}/out/scratch_phys": "0x10400000\n0x0\n0xe000000\n0x6ebff800\n",
            f"{KHO}/out/scratch_len": "0x2e800000\n0x0\n0x2400000\n0x1800\n",
        },
    )(tmp_path)
    assert fits(where)[3].preserved == 0x800


def test_what_is_not_known_stays_unknown(tmp_path: Path) -> None:
    masked = edited(READY, {"/proc/iomem": "00000000-00000000 : System RAM\n"}, physmem=False)
    found = fits(masked(tmp_path))[0]
    assert isinstance(found.inside, Unknown) and found.inside.cause is Cause.NOT_PERMITTED
    assert isinstance(found.preserved, Unknown)
    assert scratch_fit.fits(edited(READY, {KHO: None})(tmp_path)) == ()
