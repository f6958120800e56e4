"""A twin's crash image keeps up with its memory as the recorded kernels' did."""

import errno

import pytest

from kho_console.engine.observe import observe
from kho_console.model.change import KexecImage, Load, Unload, Write
from kho_console.model.crash import CrashImage
from kho_console.model.memory import MemoryRange
from kho_console.model.unknown import Unknown
from kho_console.source.protocol import Source, SourceError
from kho_console.twin import Twin, TwinSource, keep, twin_of
from kho_console.twin.history import Dimm
from kho_console.twin.refused import Refused
from tests.twin.scenes import recorded

RELEASES = ("6.18.15", "7.1.13", "7.3.4")
DIMM = MemoryRange(4 << 30, 512 << 20)
BLOCKS = range(32, 36)
REGION = 0x6F000000
MEMORY = "/sys/devices/system/memory"


def header(source: Source) -> bytes:
    return source.memory.read(REGION, 4096)


def switch(twin: Twin, number: int, word: bytes) -> None:
    TwinSource(twin).change(Write(f"{MEMORY}/memory{number}/state", word))


def crash(source: Source) -> CrashImage:
    return observe(source).crash


def stale(source: Source) -> tuple[MemoryRange, ...]:
    found = crash(source).coverage
    assert not isinstance(found, Unknown), found
    return found.stale


@pytest.mark.parametrize("release", RELEASES)
def test_a_dimm_leaves_the_very_bytes_of_the_recording(release: str) -> None:
    twin = twin_of(recorded(f"linux-{release}/crash-loaded"))
    after = recorded(f"linux-{release}/hotplugged")
    source = TwinSource(twin)
    twin.plug(Dimm(True, DIMM, 1))
    assert header(source) == header(recorded(f"linux-{release}/crash-loaded"))
    switch(twin, 32, b"online_movable")
    assert header(source) == header(after)
    for number in BLOCKS[1:]:
        switch(twin, number, b"online_movable")
    assert header(source) == header(after)
    assert source.read("/proc/iomem") == after.read("/proc/iomem")
    assert source.list(MEMORY) == after.list(MEMORY)
    folder = f"{MEMORY}/memory33"
    assert source.list(folder) == after.list(folder)
    for name in ("state", "online", "phys_index", "phys_device", "removable"):
        assert source.read(f"{folder}/{name}") == after.read(f"{folder}/{name}")
    happened = [(event.action, event.device) for event in twin.events]
    assert happened == [(action, f"memory{at}") for action in ("add", "online") for at in BLOCKS]
    assert crash(source).coverage == crash(after).coverage
    assert observe(source).memory.nodes == observe(after).memory.nodes


@pytest.mark.parametrize("release", RELEASES)
def test_a_load_writes_the_very_header_of_the_recording(release: str) -> None:
    before = recorded(f"linux-{release}/hotplugged")
    twin = twin_of(before)
    source = TwinSource(twin)
    source.change(Unload(crash=True))
    assert header(source) == header(before)
    assert crash(source).residue
    source.change(Load(KexecImage(f"twin:{release}", None, b"", crash=True)))
    assert header(source) == header(before)
    assert crash(source).armed is True


def test_a_dimm_that_goes_leaves_a_stale_range_until_the_next_event() -> None:
    twin = twin_of(recorded("linux-7.3.4/hotplugged"))
    source = TwinSource(twin)
    with pytest.raises(Refused) as refusal:
        twin.plug(Dimm(False, DIMM, 1))
    assert refusal.value.errno == errno.EBUSY
    for number in BLOCKS:
        switch(twin, number, b"offline")
    assert not stale(source)
    twin.plug(Dimm(False, DIMM, 1))
    assert stale(source) == (DIMM,)
    assert source.read("/proc/iomem") == recorded("linux-7.3.4/crash-loaded").read("/proc/iomem")
    twin.plug(Dimm(True, MemoryRange(8 << 30, 128 << 20), 1))
    assert stale(source) == (DIMM,)
    switch(twin, 64, b"online")
    assert not stale(source)


def test_a_block_that_is_online_is_not_set_online_again() -> None:
    twin = twin_of(recorded("linux-7.3.4/hotplugged"))
    with pytest.raises(SourceError) as refusal:
        switch(twin, BLOCKS[0], b"online_movable")
    assert refusal.value.errno == errno.EINVAL


def test_without_an_image_nothing_is_written() -> None:
    twin = twin_of(recorded("linux-7.3.4/crash-loaded"))
    source = TwinSource(twin)
    source.change(Unload(crash=True))
    twin.plug(Dimm(True, DIMM, 1))
    switch(twin, 32, b"online")
    assert header(source) == header(recorded("linux-7.3.4/crash-loaded"))


def test_an_image_that_the_kernel_does_not_keep_up_stays_as_it_was() -> None:
    twin = twin_of(recorded("linux-7.3.4/crash-loaded"))
    twin.hardware.files.put(f"{MEMORY}/crash_hotplug", b"0\n")
    twin.plug(Dimm(True, DIMM, 1))
    switch(twin, 32, b"online")
    assert header(TwinSource(twin)) == header(recorded("linux-7.3.4/crash-loaded"))


def test_a_header_that_has_no_room_stays_and_the_log_says_so() -> None:
    twin = twin_of(recorded("linux-7.3.4/crash-loaded"))
    twin.hardware.files.put("/sys/kernel/crash_elfcorehdr_size", b"336\n")
    for at in range(70):
        twin.plug(Dimm(True, MemoryRange((32 + 2 * at) << 27, 1 << 27), 0))
    switch(twin, 32, b"online")
    source = TwinSource(twin)
    assert header(source) == header(recorded("linux-7.3.4/crash-loaded"))
    log = source.kernel_log()
    assert isinstance(log, str)
    assert log.endswith("crash hp: update elfcorehdr elfsz 8192 > memsz 4096\n")


def test_a_kept_twin_plugs_its_dimms_again() -> None:
    base = recorded("linux-7.3.4/crash-loaded")
    twin = twin_of(base)
    twin.plug(Dimm(True, DIMM, 1))
    switch(twin, 32, b"online")
    again = keep.restore(keep.read(keep.write(twin, "word")), base)
    assert again.events == twin.events
    assert header(TwinSource(again)) == header(TwinSource(twin))
