"""Memory for a crash kernel after a boot, against the recorded kernels."""

import pytest

from kho_console.abi import iomem
from kho_console.model.memory import MemoryRange
from kho_console.source.protocol import Source
from kho_console.twin import TwinSource, twin_of
from tests.twin.scenes import execute, load, recorded

MIB = 1 << 20
SIZE = "/sys/kernel/kexec_crash_size"
RECORDED = ("6.17.8", "6.18.15", "6.19.11", "7.1.13", "7.2.13", "7.3.4")


def regions(source: Source) -> tuple[MemoryRange, ...]:
    return iomem.named(iomem.parse(source.read("/proc/iomem")), "Crash kernel")


@pytest.mark.parametrize("release", RECORDED)
def test_after_a_handover_it_comes_from_scratch_or_not_at_all(release: str) -> None:
    real = recorded(f"linux-{release}/restored")
    twin = twin_of(recorded(f"linux-{release}/ready"))
    execute(twin)
    source = TwinSource(twin)
    assert source.read(SIZE) == real.read(SIZE)
    assert [item.size for item in regions(source)] == [item.size for item in regions(real)]
    hand = twin.kernel.handover
    assert hand is not None
    for region in regions(source):
        assert region.start % (16 * MIB) == 0
        assert any(area.size and area.contains(region) for area in hand.scratch)
    real_log = real.kernel_log()
    assert isinstance(real_log, str)
    for words in ("cannot allocate crashkernel", "crashkernel reserved"):
        assert (words in "\n".join(twin.kernel.log or ())) is (words in real_log)


@pytest.mark.parametrize(
    ("line", "size"),
    [
        (b"kho=on", 0),
        (b"kho=on crashkernel=64M", 64),
        (b"kho=on crashkernel=64M crashkernel=bogus", 0),
        (b"kho=on crashkernel=1G-2G:32M,2G-:96M@32M", 96),
        (b"kho=on crashkernel=256M", 256),
        (b"kho=on crashkernel=64M,high", 64),
        (b"kho=on crashkernel=8G", 0),
    ],
)
def test_a_boot_without_a_handover_reserves_what_it_is_asked_for(line: bytes, size: int) -> None:
    twin = twin_of(recorded("linux-7.3.4/cold"))
    old = regions(TwinSource(twin))
    for release in ("6.12", "7.3"):
        load(twin, release, line)
        execute(twin)
    found = regions(TwinSource(twin))
    assert sum(item.size for item in found) == size * MIB
    assert TwinSource(twin).read(SIZE) == b"%d\n" % (size * MIB)
    assert (found == old) is (size == 256)
    hand = twin.kernel.handover
    assert hand is not None
    assert not any(area.overlaps(region) for area in hand.scratch for region in found)


def test_what_lies_in_the_old_region_goes_with_it() -> None:
    twin = twin_of(recorded("linux-7.3.4/ready"))
    old = TwinSource(twin).read("/proc/iomem")
    line = next(item for item in old.splitlines(True) if item.endswith(b": Crash kernel\n"))
    inner = b"    6f000000-6f000fff : inner\n"
    twin.hardware.files.put("/proc/iomem", old.replace(line, line + inner))
    execute(twin)
    assert len(regions(TwinSource(twin))) == 1
    assert b"inner" not in TwinSource(twin).read("/proc/iomem")
