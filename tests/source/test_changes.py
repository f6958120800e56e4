"""What the live source does on a change; only files of a test's own folder are ever written."""

import errno
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from kho_console.engine import image_files
from kho_console.model.change import Execute, Execution, KexecImage, Load, Unload, Write
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.live import LiveSource, changes, kexec_call
from kho_console.source.protocol import NotAskedError, SourceError
from kho_console.source.writable import Guarded, WritableSource

UNKNOWN_FLAG = 1 << 30
"""A flag that no kernel knows: the call is refused before it takes a lock or frees an image."""


def failed(machine: WritableSource, change: Write | Load | Unload | Execute) -> int | None:
    with pytest.raises(SourceError) as caught:
        machine.change(change)
    return caught.value.errno


def test_a_write_is_one_write_and_never_makes_or_cuts_a_file(tmp_path: Path) -> None:
    machine: WritableSource = LiveSource(tmp_path)
    (tmp_path / "switch").write_bytes(b"0123")
    machine.change(Write("/switch", b"1"))
    assert (tmp_path / "switch").read_bytes() == b"1123"
    assert failed(machine, Write("/gone", b"1")) == errno.ENOENT
    assert not (tmp_path / "gone").exists()
    os.mkfifo(tmp_path / "fifo")
    assert failed(machine, Write("/fifo", b"1")) == errno.EINVAL
    assert failed(machine, Write("relative", b"1")) == errno.EINVAL


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_the_kernels_answer_to_a_write_comes_back() -> None:
    with pytest.raises(SourceError) as caught:
        changes.write("/proc/self/oom_score_adj", "/proc/self/oom_score_adj", b"no number")
    assert caught.value.errno == errno.EINVAL


def test_calls_are_for_the_machine_only(tmp_path: Path) -> None:
    machine = LiveSource(tmp_path)
    for change in (Load(KexecImage("/a", None, b"")), Unload(), Execute(Execution.SYSTEM_CALL)):
        assert failed(machine, change) == errno.ENOSYS


def test_the_right_is_tested_not_assumed(tmp_path: Path) -> None:
    machine: Guarded = LiveSource(tmp_path)
    (tmp_path / "switch").write_bytes(b"0")
    assert machine.refusal(Write("/switch", b"1")) is None
    assert (tmp_path / "switch").read_bytes() == b"0"
    gone = machine.refusal(Write("/gone", b"1"))
    assert gone is not None
    assert gone.cause is Cause.ABSENT
    assert refusal_of(tmp_path, "0000000000000000", whole=True) == Cause.NOT_PERMITTED
    assert refusal_of(tmp_path, "0000000000400000", whole=False) == Cause.NOT_PERMITTED
    assert refusal_of(tmp_path, "0000000000400000", whole=True) is None
    assert refusal_of(tmp_path, "none", whole=True) == Cause.UNREADABLE
    assert refusal_of(tmp_path, "0000000000400000", whole=None) is None


def refusal_of(place: Path, capabilities: str, *, whole: bool | None) -> Cause | None:
    """Of a process with all users of the machine or a part of them; None: it has no name spaces."""
    folder = place / "proc/self"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "status").write_text(f"Name:\tx\nCapEff:\t{capabilities}\n")
    (folder / "uid_map").unlink(missing_ok=True)
    if whole is not None:
        (folder / "uid_map").write_text("0 0 4294967295\n" if whole else "0 1000 1\n")
    found: Unknown | None = LiveSource(place).refusal(Unload())
    return None if found is None else found.cause


def test_the_number_of_the_errors_of_the_call_comes_back() -> None:
    with pytest.raises(SourceError) as caught:
        changes.file_load(-1, -1, UNKNOWN_FLAG)
    assert caught.value.errno in (errno.EINVAL, errno.EPERM, errno.ENOSYS)


def test_each_architecture_has_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def child(
        words: list[str], files: list[int], line: bytes
    ) -> subprocess.CompletedProcess[bytes]:
        asked.append(words[1])
        return subprocess.CompletedProcess(words, 0, b"16\n", b"")

    monkeypatch.setattr(changes, "_child", child)
    for machine in ("x86_64", "aarch64", "riscv64", "s390x", "ppc64le", "i686"):
        monkeypatch.setattr(platform, "machine", lambda name=machine: name)
        with pytest.raises(SourceError) as caught:
            changes.file_load(-1, -1, 0)
        assert caught.value.errno == (errno.ENOSYS if machine == "i686" else errno.EBUSY)
    assert asked == ["320", "294", "294", "381", "382"]


def test_files_and_command_line_reach_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child gets both files open, the flags, and the command line with its NUL counted."""
    (tmp_path / "kernel").write_bytes(b"KERNEL")
    (tmp_path / "initrd").write_bytes(b"INITRD")
    fake = tmp_path / "call.py"
    script = Path(kexec_call.__file__).read_text()
    fake.write_text(script.replace('if __name__ == "__main__":', _FAKE))
    monkeypatch.setattr(kexec_call, "__file__", str(fake))
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    image = KexecImage("/kernel", "/initrd", "kho=on ä".encode(), crash=True, flags=0x10)
    changes.load(Load(image), str(tmp_path / "kernel"), str(tmp_path / "initrd"))
    seen = (tmp_path / "seen").read_bytes()
    assert seen == b"KERNEL INITRD 18 10 " + "kho=on ä".encode() + b"\0"
    bare = KexecImage("/kernel", None, b"")
    changes.load(Load(bare), str(tmp_path / "kernel"), None)
    assert (tmp_path / "seen").read_bytes() == b"KERNEL -1 4 0 "
    with pytest.raises(SourceError) as caught:
        changes.load(Load(bare), str(tmp_path / "gone"), None)
    assert caught.value.errno == errno.ENOENT


@pytest.mark.parametrize("crash", [False, True])
def test_the_kernel_gets_the_very_files_that_were_validated_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crash: bool
) -> None:
    asked: list[tuple[int, int]] = []

    def file_load(kernel: int, initrd: int, flags: int, line: bytes = b"") -> None:
        asked.append((os.fstat(kernel).st_ino, os.fstat(initrd).st_ino))

    monkeypatch.setattr(changes, "file_load", file_load)
    kernel, initrd = tmp_path / "kernel", tmp_path / "initrd"
    for place in (kernel, initrd):
        place.write_bytes(b"validated")
    image = KexecImage(str(kernel), str(initrd), b"", crash)

    def validated() -> Load:
        found = image_files.kernel(str(kernel)), image_files.initial_ram_disk(str(initrd))
        return Load(image, *(item.identity for item in found))

    agreed = validated()
    LiveSource().change(agreed)
    assert asked == [(kernel.stat().st_ino, initrd.stat().st_ino)]
    (tmp_path / "new").write_bytes(b"exchanged")
    os.utime(tmp_path / "new", ns=(0, kernel.stat().st_mtime_ns))
    (tmp_path / "new").replace(kernel)
    with pytest.raises(NotAskedError, match="kernel: another file is in its place"):
        LiveSource().change(agreed)
    agreed = validated()
    initrd.write_bytes(b"grown, too")
    with pytest.raises(NotAskedError, match="initrd: it has 10 bytes, and had 9"):
        LiveSource().change(agreed)
    agreed = validated()
    initrd.write_bytes(b"rewritten!")
    os.utime(initrd, ns=(0, initrd.stat().st_mtime_ns + 1))
    with pytest.raises(NotAskedError, match="initrd: it was written to"):
        LiveSource().change(agreed)
    assert len(asked) == 1


_FAKE = """def _answer(number, kernel, initrd, length, text, flags):
    held = [b"-1" if item.value < 0 else os.read(item.value, 99) for item in (kernel, initrd)]
    words = [*held, b"%d" % flags.value, b"%d" % length.value]
    line = ctypes.string_at(text, length.value) if length.value else b""
    with open(os.path.join(os.path.dirname(__file__), "seen"), "wb") as file:
        file.write(b" ".join(words) + b" " + line)
    return 0


if __name__ == "__main__":"""


def test_what_has_begun_is_waited_for_through_a_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "call.py"
    fake.write_text(
        "import os, signal, sys\n"
        "os.kill(os.getppid(), signal.SIGINT)\n"
        "sys.stdin.read()\n"
        f"open({str(tmp_path / 'ended')!r}, 'w').close()\n"
        "print(0)\n"
    )
    monkeypatch.setattr(kexec_call, "__file__", str(fake))
    changes.file_load(-1, -1, UNKNOWN_FLAG)
    assert (tmp_path / "ended").exists()


def test_a_loader_that_is_killed_takes_nobody_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "call.py"
    fake.write_text("import os\nos.kill(os.getpid(), 9)\n")
    monkeypatch.setattr(kexec_call, "__file__", str(fake))
    with pytest.raises(SourceError) as caught:
        changes.file_load(-1, -1, UNKNOWN_FLAG)
    assert caught.value.errno == errno.ENOMEM
    fake.write_text("raise SystemExit('no ctypes here')\n")
    with pytest.raises(SourceError, match="no ctypes here"):
        changes.file_load(-1, -1, UNKNOWN_FLAG)
    monkeypatch.setattr(sys, "executable", str(fake))
    with pytest.raises(SourceError, match="cannot be started: Permission denied") as caught:
        changes.execute(Execution.SYSTEM_CALL)
    assert caught.value.path == str(fake)


def test_the_child_needs_nothing_of_the_console() -> None:
    script = "import runpy, sys; runpy.run_path(sys.argv[1]); print('kho_console' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-IS", "-c", script, kexec_call.__file__],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "False\n"
