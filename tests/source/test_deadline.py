import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kho_console.model.unknown import Cause, Unknown
from kho_console.source.live import LiveSource, source
from kho_console.source.live.files import STUCK_PER_MOUNT, DeadlineReader, mount_of
from kho_console.source.protocol import SourceError
from tests.source.prepared import write_tree

DEBUG = "/sys/kernel/debug/kho/out/fdt"


class Fifo:
    """A file whose reader waits until the test ends."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self.readers: list[threading.Thread] = []

    def read(self) -> bytes:
        self.readers.append(threading.current_thread())
        return self.path.read_bytes()

    def release(self) -> None:
        while any(reader.is_alive() for reader in self.readers):
            descriptor = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
            self.readers[-1].join(0.01)
            os.close(descriptor)
            self.readers = [reader for reader in self.readers if reader.is_alive()]


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Fifo]:
    made = Fifo(tmp_path / "never")
    yield made
    made.release()


def assert_late(reader: DeadlineReader, fifo: Fifo, path: str = DEBUG) -> None:
    with pytest.raises(SourceError) as caught:
        reader.run(path, fifo.read)
    assert caught.value.unknown.cause is Cause.LATE
    assert caught.value.errno == errno.ETIMEDOUT
    assert caught.value.path == path


def test_a_late_read_is_given_up_and_the_next_one_served(fifo: Fifo) -> None:
    reader = DeadlineReader(0.05)
    assert_late(reader, fifo)
    assert reader.run(DEBUG, lambda: 7) == 7


def test_threads_are_kept_for_the_next_call() -> None:
    reader = DeadlineReader()
    first = reader.run(DEBUG, threading.current_thread)
    assert reader.run("/proc/stat", threading.current_thread) is first
    assert first.daemon
    del reader
    first.join(10)
    assert not first.is_alive()


def test_errors_come_through() -> None:
    def fail() -> None:
        raise PermissionError(errno.EPERM, "no")

    reader = DeadlineReader()
    with pytest.raises(PermissionError):
        reader.run(DEBUG, fail)
    assert reader.run(DEBUG, lambda: 1) == 1


def test_stuck_threads_are_bounded_by_mount(fifo: Fifo) -> None:
    reader = DeadlineReader(0.02)
    for _ in range(STUCK_PER_MOUNT):
        assert_late(reader, fifo)
    ran: list[int] = []
    with pytest.raises(SourceError, match="/sys/kernel/debug never came back") as caught:
        reader.run(DEBUG, lambda: ran.append(1))
    assert caught.value.unknown.cause is Cause.LATE
    assert ran == []
    assert len(fifo.readers) == STUCK_PER_MOUNT
    assert reader.run("/sys/kernel/kexec_loaded", lambda: 1) == 1
    fifo.release()
    assert reader.run(DEBUG, lambda: 2) == 2


def test_a_stuck_read_does_not_keep_the_program_alive(fifo: Fifo) -> None:
    program = (
        "import sys\n"
        "from kho_console.source.live.files import DeadlineReader\n"
        "try:\n"
        "    DeadlineReader(0.05).run('/proc/x', lambda: open(sys.argv[1]).read())\n"
        "except OSError as error:\n"
        "    print(error.strerror)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(fifo.path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert "no answer within 0.05 s" in run.stdout


def test_a_live_read_that_is_late(
    fifo: Fifo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = LiveSource(write_tree(tmp_path / "tree"), deadline=0.05)
    monkeypatch.setattr(source, "read_regular", lambda *_: fifo.read())
    monkeypatch.setattr(source, "read_log", lambda *_: fifo.read())
    with pytest.raises(SourceError) as caught:
        live.read("/sys/kernel/kexec_loaded")
    assert caught.value.unknown.cause is Cause.LATE
    log = live.kernel_log()
    assert isinstance(log, Unknown)
    assert log.cause is Cause.LATE
    assert live.list("/sys/kernel/empty") == ()


def test_a_fifo_is_refused_without_waiting(fifo: Fifo) -> None:
    live = LiveSource(fifo.path.parent)
    with pytest.raises(SourceError, match="no regular file"):
        live.read("/never")
    assert fifo.readers == []


def test_importing_the_live_source_imports_neither_psutil_nor_pyudev() -> None:
    program = (
        "import sys, kho_console.source.live\n"
        "print({'psutil', 'pyudev', 'numpy', 'textual'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert run.stdout == b"set()\n"


@pytest.mark.parametrize(
    ("path", "mount"),
    [
        ("/sys/kernel/debug/kho", "/sys/kernel/debug"),
        ("/sys/kernel/debugger", "/sys"),
        ("/sys", "/sys"),
        ("/proc/iomem", "/proc"),
        ("/etc/hostname", "/"),
    ],
)
def test_mounts_by_name(path: str, mount: str) -> None:
    assert mount_of(path) == mount


def test_devices_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "device").symlink_to("/dev/null")
    opened: list[object] = []

    def open_counted(*arguments: object) -> int:
        opened.append(arguments)
        raise AssertionError

    monkeypatch.setattr("kho_console.source.regular.os.open", open_counted)
    with pytest.raises(SourceError, match="no regular file"):
        LiveSource(tmp_path).read("/device")
    assert opened == []
