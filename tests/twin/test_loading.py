"""What a load answers, what it costs, and what it leaves."""

import errno

import pytest

from kho_console.model.change import FileFlag, KexecImage, Load, Unload, Write
from kho_console.source.protocol import Source, SourceError
from kho_console.twin import ImageTold, LoadFails, Twin, TwinSource, twin_of
from tests.twin.scenes import execute, load, preserved, recorded
from tests.twin.test_crossings import LINE, running

LIMIT = "/proc/sys/kernel/kexec_load_limit_reboot"
LOADED = "/sys/kernel/kexec_loaded"
CRASH = "/sys/kernel/kexec_crash_loaded"


def answer(twin: Twin, image: KexecImage) -> int:
    try:
        TwinSource(twin).change(Load(image))
    except SourceError as error:
        return error.errno or -1
    return 0


def image(line: bytes = b"", *, crash: bool = False, flags: int = 0) -> KexecImage:
    return KexecImage("twin:7.3", None, line, crash, flags)


def sized(memory: int, initrd: int) -> ImageTold:
    return ImageTold("7.3", ("kho-v4",), ("luo-v5",), ("memfd-v2",), memory, initrd)


def test_segments_lie_in_scratch_or_the_load_is_refused() -> None:
    twin = running("7.3")
    hand = twin.kernel.handover
    assert hand is not None
    twin.tell = lambda _: sized(60 << 20, 50 << 20)
    assert answer(twin, KexecImage("k", "i", b"")) == 0
    assert twin.kernel.loaded is not None
    for segment in twin.kernel.loaded.segments:
        assert any(area.contains(segment) for area in hand.scratch)
    twin.tell = lambda _: sized(60 << 20, 128 << 20)
    assert answer(twin, KexecImage("k", "i", b"")) == errno.EADDRNOTAVAIL
    # A load that fails leaves the old image where it is.
    assert TwinSource(twin).read(LOADED) == b"1\n"


@pytest.mark.parametrize("release", ["6.17.8", "6.18.15", "6.19.11", "7.1.13", "7.2.13", "7.3.4"])
def test_the_table_of_areas_lies_where_the_real_kernel_put_it(release: str) -> None:
    """It is placed before anything else, so it is at the end of the first area."""
    twin = twin_of(recorded(f"linux-{release}/ready"))
    execute(twin)
    assert handover_of(TwinSource(twin)) == handover_of(recorded(f"linux-{release}/restored"))


def handover_of(source: Source) -> bytes:
    """What the boot protocol says of the handover, by the running kernel."""
    folder = "/sys/kernel/boot_params/setup_data"
    (found,) = (
        source.read(f"{folder}/{name}/data")
        for name in source.list(folder)
        if source.read(f"{folder}/{name}/type") == b"0xa\n"
    )
    return found


def test_a_crash_load_frees_the_old_image_first() -> None:
    assert answer(running("7.3"), image(crash=True)) == errno.EADDRNOTAVAIL  # no crashkernel=
    twin = running("7.3", LINE + b" crashkernel=256M")
    source = TwinSource(twin)
    assert answer(twin, image(crash=True)) == 0
    assert source.read(CRASH) == b"1\n"
    twin.arm(LoadFails(1, errno.ENOMEM))
    assert answer(twin, image(crash=True)) == errno.ENOMEM
    assert source.read(CRASH) == b"0\n"
    assert source.read("/sys/devices/system/memory/crash_hotplug") == b"0\n"
    twin.tell = lambda _: sized(300 << 20, 0)
    assert answer(twin, image(crash=True)) == errno.EADDRNOTAVAIL


@pytest.mark.parametrize(
    ("release", "flags", "wanted"),
    [
        ("6.16", FileFlag.NO_CMA, errno.EINVAL),
        ("6.17", FileFlag.NO_CMA, 0),
        ("6.17", FileFlag.FORCE_DTB, errno.EINVAL),
        ("6.18", FileFlag.FORCE_DTB, 0),
        ("7.3", 0x40, errno.EINVAL),
    ],
)
def test_flags_by_release(release: str, flags: int, wanted: int) -> None:
    assert answer(running(release), image(flags=flags)) == wanted


def test_the_longest_command_line() -> None:
    twin = running("7.3")
    assert answer(twin, image(b"x" * 2016)) == 0
    assert answer(twin, image(b"x" * 2017)) == errno.EINVAL


def test_limits_are_spent_by_every_call_and_only_shrink() -> None:
    twin = running("7.3")
    source = TwinSource(twin)
    source.change(Write(LIMIT, b"3"))
    with pytest.raises(SourceError) as larger:
        source.change(Write(LIMIT, b"4"))
    assert larger.value.errno == errno.EINVAL
    assert answer(twin, image(flags=0x40)) == errno.EINVAL
    assert answer(twin, image()) == 0
    source.change(Unload())
    assert source.read(LIMIT) == b"0\n"
    assert answer(twin, image()) == errno.EPERM
    source.change(Write("/proc/sys/kernel/kexec_load_disabled", b"1"))
    with pytest.raises(SourceError) as disabled:
        source.change(Unload(crash=True))
    assert disabled.value.errno == errno.EPERM


def test_nothing_loaded_nothing_executed() -> None:
    twin = running("7.3")
    with pytest.raises(SourceError) as found:
        execute(twin)
    assert found.value.errno == errno.EINVAL
    assert answer(twin, KexecImage("/boot/vmlinuz", None, b"")) == errno.ENOEXEC


def test_a_kernel_with_another_live_update_word_panics() -> None:
    twin = running("7.3")
    told = ImageTold("7.2.0-rc1", ("kho-v4",), ("luo-v4",), ("memfd-v2",))
    twin.tell = lambda _: told
    load(twin, "ignored", LINE)
    execute(twin)
    assert twin.outcome is not None and twin.outcome.panic is not None
    source = TwinSource(twin)
    with pytest.raises(SourceError, match="panicked"):
        source.read(LOADED)


def test_a_target_that_is_told_to_leave_kho_off_keeps_the_memory_and_shows_nothing() -> None:
    twin = running("7.3")
    given = preserved(twin)
    load(twin, "7.3", LINE.replace(b"kho=on", b"kho=off"))
    execute(twin)
    source = TwinSource(twin)
    assert source.exists("/sys/kernel/debug/kho") is False
    assert source.exists("/dev/liveupdate") is False
    assert tuple(twin.kernel.came) == given
    assert source.read("/sys/kernel/boot_params/setup_data/1/type") == b"0xa\n"
