import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from kho_console.engine import machine
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import SMALL_FILE, SourceError
from tests.engine.changeable import Changeable
from tests.fixture_folder import FixtureFolder
from tests.recordings import folder

CRASH = "linux-7.3.4/crash-loaded"


@pytest.fixture
def made(tmp_path: Path) -> FixtureFolder:
    return FixtureFolder(tmp_path, "7.3.4")


def cause(value: object) -> Cause:
    assert isinstance(value, Unknown), value
    return value.cause


def test_the_recorded_host() -> None:
    source = FixtureSource(folder(CRASH))
    host = machine.machine(source)
    assert (host.hostname, host.release, host.architecture) == ("hv-17", "7.3.4", "x86_64")
    assert host.page_size == 4096
    assert isinstance(host.command_line, bytes)
    assert b"liveupdate=on" in host.command_line.split()
    assert not isinstance(host.config, Unknown)
    assert host.config["CONFIG_KEXEC_HANDOVER"] == "y"
    state = machine.kexec(source, machine.crash_size(source))
    assert (state.loaded, state.crash_loaded, state.crash_size) == (False, True, 256 << 20)
    assert (state.load_disabled, state.load_limit_reboot, state.load_limit_panic) == (False, -1, -1)
    found = machine.cpus(source)
    assert (found.possible, found.online) == ((0, 1), (0, 1))


def test_nothing_is_recorded(made: FixtureFolder) -> None:
    source = made.open()
    host = machine.machine(source)
    for value in (host.command_line, host.boot_id, host.config, host.lockdown):
        assert cause(value) is Cause.ABSENT
    assert cause(host.memory_total) is cause(host.kernel_log) is Cause.NOT_RECORDED
    state = machine.kexec(source, machine.crash_size(source))
    assert {cause(value) for value in (state.loaded, state.crash_loaded, state.crash_size)} == {
        Cause.ABSENT
    }
    assert cause(machine.crash_hotplug(source)) is Cause.ABSENT
    assert cause(machine.cpus(source).online) is Cause.ABSENT


def test_a_load_that_holds_the_lock_leaves_it_open_whether_the_image_is_updated() -> None:
    """Both files answer at once, 0 and EBUSY, for the seconds that a load of an image takes."""
    source = Answering(CRASH)
    source.answers = iter(("0\n", "0\n"))
    source.busy = True
    assert cause(machine.crash_hotplug(source)) is Cause.UNREADABLE


@pytest.mark.parametrize(
    ("loaded", "answers", "updates"),
    [("1\n", ("0\n", "1\n"), True), ("1\n", ("0\n", "0\n"), False), ("0\n", ("0\n",), False)],
)
def test_a_busy_lock_is_not_taken_for_an_answer(
    loaded: str, answers: tuple[str, ...], updates: bool
) -> None:
    """Of a loaded image 0 is read twice: the file says so as well while the lock is taken."""
    source = Answering(CRASH)
    source.files["/sys/kernel/kexec_crash_loaded"] = loaded
    source.answers = iter(answers)
    assert machine.crash_hotplug(source) is updates
    assert next(source.answers, None) is None


class Answering(Changeable):
    """A machine that runs; answers of `crash_hotplug` follow one another."""

    answers: Iterator[str]
    busy = False

    def read(self, path: str, limit: int = SMALL_FILE) -> bytes:
        if self.busy and path.endswith("/kexec_crash_size"):
            raise SourceError.from_errno(path, errno.EBUSY)
        if path.endswith("/crash_hotplug"):
            return next(self.answers).encode()
        return super().read(path, limit)


def test_the_configuration_beside_the_kernel(made: FixtureFolder) -> None:
    made.file("/boot/config-7.3.4", "CONFIG_KEXEC_HANDOVER=y\n")
    config = machine.machine(made.open()).config
    assert not isinstance(config, Unknown)
    assert dict(config) == {"CONFIG_KEXEC_HANDOVER": "y"}


@pytest.mark.parametrize(
    ("content", "mode"),
    [
        ("[none] integrity confidentiality\n", "none"),
        ("none [integrity] confidentiality\n", "integrity"),
        ("none integrity [confidentiality]\n", "confidentiality"),
    ],
)
def test_lockdown(made: FixtureFolder, content: str, mode: str) -> None:
    made.file("/sys/kernel/security/lockdown", content)
    assert machine.machine(made.open()).lockdown == mode


@pytest.mark.parametrize("content", ["", "none integrity\n", "[\x1b[2J]\n", "\xff"])
def test_lockdown_that_says_nothing(made: FixtureFolder, content: str) -> None:
    made.file("/sys/kernel/security/lockdown", content)
    assert cause(machine.machine(made.open()).lockdown) is Cause.INVALID


@pytest.mark.parametrize(
    ("content", "loaded"), [("0\n", False), ("1\n", True), ("1", True), (" 0 \n", False)]
)
def test_flags(made: FixtureFolder, content: str, loaded: bool) -> None:
    made.file("/sys/kernel/kexec_loaded", content)
    assert machine.kexec(made.open(), 0).loaded is loaded


@pytest.mark.parametrize("content", ["", "2\n", "-1\n", "yes\n", "9" * 5000, "\x1b[2J"])
def test_flags_that_are_none(made: FixtureFolder, content: str) -> None:
    made.file("/sys/kernel/kexec_loaded", content)
    assert cause(machine.kexec(made.open(), 0).loaded) is Cause.INVALID


@pytest.mark.parametrize("content", ["", "x\n", "1 2\n", "9" * 5000])
def test_numbers_that_are_none(made: FixtureFolder, content: str) -> None:
    made.file("/sys/kernel/kexec_crash_size", content)
    assert cause(machine.crash_size(made.open())) is Cause.INVALID


def test_a_file_without_end(made: FixtureFolder) -> None:
    made.file("/proc/cmdline", "x" * ((1 << 20) + 1))
    assert cause(machine.machine(made.open()).command_line) is Cause.UNREADABLE


@pytest.mark.parametrize(
    ("mounts", "place"),
    [
        ("debugfs /sys/kernel/debug debugfs rw 0 0\n", "/sys/kernel/debug"),
        ("none /a\\040b\\134c debugfs rw 0 0\n", "/a b\\c"),
        ("x /debugfs tmpfs rw 0 0\nd /first debugfs rw 0 0\nd /second debugfs rw 0 0\n", "/first"),
    ],
)
def test_where_debugfs_is(made: FixtureFolder, mounts: str, place: str) -> None:
    made.file("/proc/mounts", mounts)
    assert machine.debugfs(made.open()) == place


@pytest.mark.parametrize(
    "mounts", ["", "\n", "debugfs /sys/kernel/debug\n", "proc /proc proc rw\n"]
)
def test_debugfs_that_is_not_mounted(made: FixtureFolder, mounts: str) -> None:
    made.file("/proc/mounts", mounts)
    assert cause(machine.debugfs(made.open())) is Cause.ABSENT
