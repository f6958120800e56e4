"""A recording or a capture shows the crash image as the machine does, and keeps no more of it."""

from pathlib import Path

import pytest

from kho_console.engine.capture import capture
from kho_console.engine.observe import observe
from kho_console.engine.recorder import SLOW_EVERY, Limits, Recorder
from kho_console.model.crash import CoreHeader
from kho_console.model.snapshot import Snapshot
from kho_console.source.fixture import FixtureSource
from kho_console.source.recording import Recording
from tests.engine.crash_machines import LOADED, MIB, block, core_header, crash_machine
from tests.engine.same import shape
from tests.engine.test_recorder import Clock
from tests.fixture_folder import FixtureFolder
from tests.pilot.machines import LiveRecording

RAM = (16 * MIB, 1024 * MIB)
REGION = (0x3000_0000, 0x3020_0000)
PLACE = REGION[1] - 64 * 1024
"""Where `kexec_load` puts a header: near the top."""

RULES = """# for Jane of our company
SUBSYSTEM=="memory", ACTION=="online", RUN+="/usr/lib/kdump/kdump-reload"
"""


def region(header: bytes) -> bytes:
    """The memory of the crash kernel, full of what is nobody's business."""
    before = b"secret.." * ((PLACE - REGION[0]) // 8)
    after = bytes(-len(header) % 4096)
    return (before + header + after).ljust(REGION[1] - REGION[0], b"s")


@pytest.fixture
def folder(tmp_path: Path) -> FixtureFolder:
    made = crash_machine(
        tmp_path / "machine", [RAM], [REGION], {REGION[0]: region(core_header([RAM]))}
    )
    made.file("/etc/udev/rules.d/98-kexec.rules", RULES)
    made.file("/etc/udev/rules.d/10-jane.rules", "# Jane's stick\n")
    made.open()
    return made


def live(folder: FixtureFolder) -> LiveRecording:
    return LiveRecording(str(folder.place))


def header(seen: Snapshot) -> CoreHeader:
    assert isinstance(seen.crash.header, CoreHeader)
    return seen.crash.header


def kept_pages(place: Path) -> dict[str, int]:
    return {item.name: item.stat().st_size for item in (place / "physmem").iterdir()}


def test_a_capture_has_the_header_and_not_what_was_searched(
    folder: FixtureFolder, tmp_path: Path
) -> None:
    expected = observe(live(folder)).crash
    assert (expected.address, expected.reloads) == (PLACE, ("/etc/udev/rules.d/98-kexec.rules",))
    for scrambled, pages in (
        (False, {f"0x{REGION[0]:x}.bin": 4096, f"0x{PLACE:x}.bin": 4096}),
        (True, {f"0x{PLACE:x}.bin": 4096}),
    ):
        place = tmp_path / f"new-{scrambled}"
        capture(live(folder), place, scrambled=scrambled)
        assert shape(observe(FixtureSource(place)).crash) == shape(expected)
        assert kept_pages(place) == pages
    told = [item for item in place.rglob("*") if item.is_file()]
    assert not [item for item in told if "jane" in item.name]
    assert not [item for item in told if b"Jane" in item.read_bytes()]


def test_each_slow_look_records_the_header_anew(folder: FixtureFolder, tmp_path: Path) -> None:
    path, clock = tmp_path / "a.kho", Clock()
    machine, expected = live(folder), []
    with Recorder(machine, path, Limits(), clock=clock, now=clock) as recorder:
        recorder.tick()
        expected.append(observe(machine))
        grown = (RAM[0], RAM[1] + 128 * MIB)
        folder.pages({REGION[0]: region(core_header([RAM, (RAM[1], grown[1])]))})
        folder.file("/proc/iomem", f"{grown[0]:08x}-{grown[1] - 1:08x} : System RAM\n"
                    f"  {REGION[0]:08x}-{REGION[1] - 1:08x} : Crash kernel\n")  # fmt: skip
        block(folder, 8)
        clock.now += SLOW_EVERY
        recorder.tick()
        expected.append(observe(machine))
    recording = Recording(path)
    seen = [observe(recording.at(number)) for number in range(2)]
    assert [shape(item.crash) for item in seen] == [shape(item.crash) for item in expected]
    assert header(seen[1]).entries == header(seen[0]).entries + 1
    assert path.stat().st_size < 300_000


def test_an_image_that_was_unloaded_stays_one(folder: FixtureFolder, tmp_path: Path) -> None:
    folder.file(LOADED, "0\n")
    folder.pages({REGION[0]: core_header([RAM])})
    expected = observe(live(folder)).crash
    assert expected.residue is True
    capture(live(folder), tmp_path / "new", scrambled=True)
    assert shape(observe(FixtureSource(tmp_path / "new")).crash) == shape(expected)
