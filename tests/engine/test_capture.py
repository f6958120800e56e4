"""A capture shows what its origin showed; a scrambled one tells nobody's names."""

import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from kho_console.engine import walk
from kho_console.engine.capture import capture
from kho_console.engine.diagnose import diagnose
from kho_console.engine.doctor import examine
from kho_console.engine.observe import observe
from kho_console.engine.opening import rehearse
from kho_console.engine.recorder import Limits, Recorder
from kho_console.model.blob import MemblockTree
from kho_console.model.memory import MemoryRange
from kho_console.model.owner import OwnerKind
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import Source
from kho_console.source.recording import Recording, answers
from kho_console.source.recording.writer import RecordingWriter
from tests.engine.same import shape
from tests.fixture_folder import FixtureFolder
from tests.pilot.machines import LiveRecording
from tests.recordings import RECORDINGS, folder
from tests.source.prepared import write_fixture
from tests.source.recorded import FACTS

SOME = [
    name for name in RECORDINGS if name.rpartition("/")[2] in ("hotplugged", "restored", "sessions")
]


def assert_same(capture: Source, origin: Source) -> None:
    seen, expected = observe(capture), observe(origin)
    assert shape(seen) == shape(expected)
    assert examine(capture, seen) == examine(origin, expected)
    assert capture.events().poll(0) == origin.events().poll(0)


@pytest.mark.parametrize("name", SOME)
def test_a_capture_shows_what_its_origin_showed(name: str, tmp_path: Path) -> None:
    origin = FixtureSource(folder(name))
    written = capture(origin, tmp_path / "new")
    assert written.files > 20
    assert_same(FixtureSource(tmp_path / "new"), origin)


@pytest.mark.parametrize("name", SOME)
def test_from_a_recording_back_to_a_folder(name: str, tmp_path: Path) -> None:
    origin = FixtureSource(folder(name))
    with Recorder(origin, tmp_path / "a.kho", Limits(duration=0.0)) as recorder:
        recorder.run()
    capture(Recording(tmp_path / "a.kho").at(0), tmp_path / "new")
    assert_same(FixtureSource(tmp_path / "new"), origin)


def test_a_capture_of_a_running_machine_has_what_a_look_reads(tmp_path: Path) -> None:
    machine = LiveRecording("linux-7.3.4/sessions")
    capture(machine, tmp_path / "new")
    seen, expected = observe(FixtureSource(tmp_path / "new")), observe(machine)
    # A folder without udev rules does not tell that the machine had none.
    assert expected.crash.reloads == () and isinstance(seen.crash.reloads, Unknown)
    seen = replace(seen, crash=replace(seen.crash, reloads=()))
    assert shape(seen) == shape(expected)
    nodes = "/sys/devices/system/node/node0"
    assert FixtureSource(tmp_path / "new").list(nodes) == machine.list(nodes)


def test_a_capture_of_a_twin(tmp_path: Path) -> None:
    twin = rehearse(FixtureSource(folder("linux-6.18.15/finalized")))
    capture(twin, tmp_path / "new")
    seen, expected = observe(FixtureSource(tmp_path / "new")), observe(twin)
    assert (seen.state, seen.proof) == (expected.state, expected.proof)
    assert shape(seen.outgoing) == shape(expected.outgoing)
    assert shape(seen.inventory.ownership) == shape(expected.inventory.ownership)


def test_odd_paths_are_kept(tmp_path: Path) -> None:
    origin = FixtureSource(write_fixture(tmp_path / "origin"))
    capture(origin, tmp_path / "new")
    new = FixtureSource(tmp_path / "new")
    assert new.link("/proc/66/fd/10") == "anon_inode:[luo_session] vm-\udcff"
    assert new.list("/sys/kernel/empty") == ()
    assert new.exists("/sys/kernel/denied") is True
    assert new.exists("/dev/liveupdate") is True
    assert new.processes() == origin.processes()
    assert (new.clock(), new.boot_time()) == (origin.clock(), origin.boot_time())
    for place in (tmp_path / "new", tmp_path / "new/kmsg.txt"):
        assert place.stat().st_mode & 0o077 == 0
    with pytest.raises(FileExistsError):
        capture(origin, tmp_path / "new")


@pytest.mark.parametrize(
    "name", ["linux-7.3.4/ready", "linux-7.1.13/restored", "linux-6.18.15/ready"]
)
def test_a_scrambled_capture_tells_no_names(name: str, tmp_path: Path) -> None:
    origin = FixtureSource(folder(name))
    before = observe(origin)
    capture(origin, tmp_path / "new", scrambled=True)
    after = observe(FixtureSource(tmp_path / "new"))
    assert after.machine.hostname == "host"
    sessions, others = before.inventory.sessions, after.inventory.sessions
    words = {before.machine.hostname.encode(), b"live-update-agent"}
    if isinstance(sessions, Unknown) or isinstance(others, Unknown):
        assert type(sessions) is type(others)
    else:
        words |= {item.name for item in sessions if item.name != b"empty"}
        assert sorted(len(item.name) for item in others) == sorted(
            len(item.name) for item in sessions
        )
        assert sorted(str(shape(item.files)) for item in others) == sorted(
            str(shape(item.files)) for item in sessions
        )
        assert not {item.name for item in others} & {item.name for item in sessions}
    boot_id = before.machine.boot_id
    assert isinstance(boot_id, str)
    for place in (tmp_path / "new").rglob("*"):
        if place.is_file():
            content = place.read_bytes()
            assert boot_id.encode() not in content, place
            for word in words:
                assert word not in content, (place, word)
            assert b"MEMFD:" not in content, place
    assert shape(after.outgoing.preserved) == shape(before.outgoing.preserved)
    assert owners(after) == owners(before)
    assert [item.id for item in diagnose(after)] == [item.id for item in diagnose(before)]


def test_the_same_name_becomes_the_same_one_everywhere(tmp_path: Path) -> None:
    capture(FixtureSource(folder("linux-7.3.4/sessions")), tmp_path / "new", scrambled=True)
    scrambled = FixtureSource(tmp_path / "new")
    processes = scrambled.processes()
    assert not isinstance(processes, Unknown)
    (agent,) = processes
    assert agent.pid == 66 and b"agent" not in agent.command
    assert agent.command.count(b"/") == 3
    assert not isinstance(agent.descriptors, Unknown)
    assert sorted(agent.descriptors) == [4, 5, 8, 10]
    assert agent.descriptors[4] == b"/dev/liveupdate"


def test_a_warning_names_no_process_and_no_machine(tmp_path: Path) -> None:
    origin = FixtureFolder(tmp_path / "origin", "7.3.4")
    origin.file("/proc/cmdline", "kho=on root=/dev/disk-of-ours quiet splash-of-ours\n")
    origin.open()
    lines = (
        "------------[ cut here ]------------",
        "WARNING: kernel/kexec_handover.c:100 at kho_preserve+0x1/0x2, CPU#0: our-tool/7",
        "CPU: 0 UID: 0 PID: 7 Comm: our-tool Not tainted 7.3.4 #1 PREEMPT",
        "Hardware name: Our Company Secret-9000, BIOS 1.2",
        "RIP: 0010:kho_preserve+0x1/0x2",
        "---[ end trace 0000000000000000 ]---",
        "usb 1-1: SerialNumber: 0123456789",
    )
    log = "".join(f"[    1.00000{at}] {line}\n" for at, line in enumerate(lines))
    (tmp_path / "origin/kmsg.txt").write_text(log)
    capture(FixtureSource(tmp_path / "origin"), tmp_path / "new", scrambled=True)
    written = (tmp_path / "new/kmsg.txt").read_text()
    assert "kho_preserve" in written
    for word in ("our-tool", "Company", "SerialNumber"):
        assert word not in written
    command_line = (tmp_path / "new/root/proc/cmdline").read_text()
    assert command_line.startswith("kho=on root=/") and " quiet " in command_line
    assert "ours" not in command_line


def test_one_content_of_many_files_fills_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "MOST_BYTES", 3 << 20)
    writer = RecordingWriter(tmp_path / "a.kho")
    writer.run(FACTS)
    zeros = answers.known(bytes(1 << 20))
    writer.moment(1.0, 1, {answers.path_key(answers.FILE, f"/a/{at}"): zeros for at in range(40)})
    writer.close()
    capture(Recording(tmp_path / "a.kho").at(0), tmp_path / "new")
    capture(FixtureSource(tmp_path / "new"), tmp_path / "newer")
    for place in ("new", "newer"):
        assert len(list((tmp_path / place / "root/a").iterdir())) == 3
        manifest = json.loads((tmp_path / place / "manifest.json").read_text())
        assert len([item for item in manifest["unreadable"] if item["errno"] == errno.EFBIG]) == 37


def owners(seen: Snapshot) -> list[tuple[MemoryRange, OwnerKind, int]] | Unknown:
    """Whose the preserved memory is; names of `reserve_mem` regions are an operator's."""
    found = seen.inventory.ownership
    if isinstance(found, Unknown):
        return found
    return [(item.range, item.owner.kind, len(item.owner.name)) for item in found]


SECRETS = {
    "proc/version": "Linux version 7.3.4 (HIDDEN-builder@HIDDEN-host.corp) #1\n",
    "proc/sys/kernel/hostname": "HIDDEN-host\n",
    "proc/sys/kernel/domainname": "HIDDEN.corp\n",
    "proc/net/arp": "10.0.0.1 HIDDEN\n",
    "proc/77/cmdline": "HIDDEN-tool\0",
    "proc/77/environ": "HIDDEN=1",
    "sys/class/dmi/id/product_serial": "HIDDEN\n",
    "sys/kernel/debug/HIDDEN/state": "1\n",
    "sys/kernel/debug/kho/out/sub_fdts/acme-vmm": "\1\2tenant=HIDDEN\0",
    "home/HIDDEN/notes": "x",
    "etc/HIDDEN.conf": "x",
    "etc/udev/rules.d/70-HIDDEN.rules": "x",
    "etc/udev/rules.d/98-kdump.rules": '# HIDDEN\nRUN+="kdump on HIDDEN-host"\n',
    "opt/HIDDEN": "x",
    "proc/config.gz": 'CONFIG_LIVEUPDATE=y\nCONFIG_CMDLINE="HIDDEN"\n',
    "boot/config-7.3.4": 'CONFIG_DEFAULT_HOSTNAME="HIDDEN"\n',
}
LOG = (
    "Linux version 7.3.4-kho (HIDDEN-builder) #1",
    "systemd[1]: Starting kdump.service of HIDDEN",
    'audit: type=1400 exe="/home/HIDDEN/kexec"',
    "KHO: found kexec handover data on HIDDEN-host",
)


def test_nothing_that_nobody_reads_is_in_a_scrambled_capture(tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    shutil.copytree(folder("linux-7.3.4/ready"), origin)
    for path, content in SECRETS.items():
        place = origin / "root" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    (origin / "kmsg.txt").write_text("".join(f"[    1.000000] {line}\n" for line in LOG))
    # A blob whose bytes no decoder knows any more, in its file and in memory.
    blob = origin / "root/sys/kernel/debug/kho/out/sub_fdts/memblock"
    known, strange = blob.read_bytes(), b"HIDDEN".ljust(blob.stat().st_size, b"\5")
    pages = [item for item in (origin / "physmem").iterdir() if known in item.read_bytes()]
    assert pages
    for item in (blob, *pages):
        item.write_bytes(item.read_bytes().replace(known, strange))
    manifest = json.loads((origin / "manifest.json").read_text())
    manifest |= {"hostname": "HIDDEN-host.corp", "links": {"/root/HIDDEN": "/HIDDEN"}}
    (origin / "manifest.json").write_text(json.dumps(manifest))

    capture(FixtureSource(origin), tmp_path / "new", scrambled=True)
    for item in (tmp_path / "new").rglob("*"):
        assert "HIDDEN" not in item.name
        assert item.is_dir() or b"HIDDEN" not in item.read_bytes(), item
    after = observe(FixtureSource(tmp_path / "new"))
    config, before = after.machine.config, observe(FixtureSource(origin))
    assert not isinstance(config, Unknown) and config == {"CONFIG_LIVEUPDATE": "y"}
    assert "KHO: found" in (tmp_path / "new/kmsg.txt").read_text()
    assert shape(after.outgoing.preserved) == shape(before.outgoing.preserved)
    blobs = after.outgoing.blobs
    assert not isinstance(blobs, Unknown)
    left_out = {item.name for item in blobs if isinstance(item.content, Unknown)}
    assert len(left_out) == 2 and b"memblock" in left_out and b"acme-vmm" not in left_out


WHOSE = (
    "Command line: kho=on tenant=HIDDEN-built-in",
    'Unknown kernel command line parameters "HIDDEN-splash", will be passed to user space.',
    "Lockdown: HIDDEN: tool: kexec of unsigned images is restricted; see man kernel_lockdown.7",
    "luo_session: Unable to finish session [HIDDEN] on release",
    "HIDDEN runs kexec now",
    "ACME: kexec by HIDDEN",
    "Revived memory reservation 'HIDDEN' from KHO",
    "crash hp: kexec_trylock() failed, kdump image may be inaccurate",
    "cannot allocate crashkernel (size:0x10000000)",
)


def test_what_a_scrambled_log_and_its_paths_tell_is_nobodys(tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    shutil.copytree(folder("linux-7.3.4/ready"), origin)
    (origin / "kmsg.txt").write_text("".join(f"[    1.000000] {line}\n" for line in WHOSE))
    manifest = json.loads((origin / "manifest.json").read_text())
    manifest |= {"hostname": "HIDDEN", "release": "7.3.4-HIDDEN"}
    (origin / "manifest.json").write_text(json.dumps(manifest))
    (origin / "root/boot").mkdir()
    (origin / "root/boot/config-7.3.4-HIDDEN").write_text("CONFIG_KEXEC=y\n")
    (origin / "root/proc/config.gz").unlink()
    (origin / "root/sys/kernel/debug/kho/out/sub_fdts/HIDDEN-vmm").write_bytes(b"\1\2")

    capture(FixtureSource(origin), tmp_path / "new", scrambled=True)
    for item in (tmp_path / "new").rglob("*"):
        assert "HIDDEN" not in item.name
        assert item.is_dir() or b"HIDDEN" not in item.read_bytes(), item
    log = (tmp_path / "new/kmsg.txt").read_text()
    assert "crash hp: " in log and "cannot allocate crashkernel" in log
    assert " kexec of unsigned images is restricted" in log
    after = observe(FixtureSource(tmp_path / "new"))
    assert after.machine.config == {"CONFIG_KEXEC": "y"}


def test_a_region_has_one_name_in_its_blob_and_on_the_command_line(tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    shutil.copytree(folder("linux-7.3.4/restored"), origin)
    line = origin / "root/proc/cmdline"
    line.write_text(line.read_text().rstrip("\n") + " ramoops.mem_name=oops\n")
    capture(FixtureSource(origin), tmp_path / "new", scrambled=True)
    before, after = observe(FixtureSource(origin)), observe(FixtureSource(tmp_path / "new"))
    assert isinstance(after.machine.command_line, bytes) and not isinstance(after.incoming, Unknown)
    blob = after.incoming.blob(b"memblock")
    assert blob is not None and isinstance(blob.payload, MemblockTree)
    names = [region.name for region in blob.payload.regions]
    assert b"oops" not in names and b"=oops" not in after.machine.command_line
    for name in names:
        assert b":4096:" + name in after.machine.command_line
    assert [item.id for item in diagnose(after)] == [item.id for item in diagnose(before)]


@pytest.mark.parametrize("host", ["kernel", "System"])
def test_a_host_named_as_everybody_breaks_no_capture(host: str, tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    shutil.copytree(folder("linux-7.3.4/ready"), origin)
    manifest = json.loads((origin / "manifest.json").read_text()) | {"hostname": host}
    (origin / "manifest.json").write_text(json.dumps(manifest))
    capture(FixtureSource(origin), tmp_path / "new", scrambled=True)
    before, after = observe(FixtureSource(origin)), observe(FixtureSource(tmp_path / "new"))
    assert after.machine.hostname == "host"
    assert [item.id for item in diagnose(after)] == [item.id for item in diagnose(before)]
