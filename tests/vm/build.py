"""Configures and builds a kernel."""

import os
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from tests.vm import options

TAIL = 30
"""Lines of a broken build that are shown."""

STEP = 250
"""Files between two lines of progress; a whole kernel is about 2000."""

PROGRAMS = {
    "make": "make", "gcc": "gcc", "flex": "flex", "bison": "bison", "bc": "bc", "xz": "xz-utils",
    "zstd": "zstd", "dpkg-deb": "dpkg", "tar": "tar",
}  # fmt: skip
HEADERS = {"libelf.h": "libelf-dev", "openssl/opensslv.h": "libssl-dev"}


class BuildError(Exception):
    """A build that cannot be, broke or took too long; with its last lines."""


def lacking() -> list[str]:
    """Debian packages that a build needs and this system has not."""
    missing = [package for name, package in PROGRAMS.items() if shutil.which(name) is None]
    if "gcc" not in missing:
        for header, package in HEADERS.items():
            asked = ["gcc", "-E", "-x", "c", "-include", header, "-o", os.devnull, os.devnull]
            if subprocess.run(asked, capture_output=True, check=False).returncode:
                missing.append(package)
    return missing


def unpack(tarball: Path, folder: Path) -> None:
    """Unpack sources, all or nothing."""
    partly = folder.with_name(folder.name + ".partly")
    shutil.rmtree(partly, ignore_errors=True)
    partly.mkdir(parents=True)
    words = ["tar", "-xf", str(tarball), "--strip-components=1", "-C", str(partly)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"unpacking {tarball.name}: {done.stderr.strip()}")
    partly.rename(folder)


def configure(source: Path) -> None:
    """`tinyconfig` and our options.

    Raises:
        BuildError: A step failed, or an option that everything needs could not be had.
    """
    for words in (
        ["make", "-s", "tinyconfig"],
        ["./scripts/config", *options.script_arguments()],
        ["make", "-s", "olddefconfig"],
    ):
        done = subprocess.run(words, cwd=source, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildError(f"{' '.join(words[:3])}: {done.stdout}{done.stderr}")
    config = (source / ".config").read_text()
    missing = [name for name in options.NEEDED if f"CONFIG_{name}=y\n" not in config]
    if missing:
        raise BuildError(f"this release does not let us set {', '.join(missing)}")


def build(source: Path, until: float, tell: Callable[[str], None]) -> Path:
    """Build until a moment of the monotonic clock, telling how far it is.

    A build that ran out of time goes on where it stopped when it is started again.

    Raises:
        BuildError: It broke, with its last lines, or it is late.
    """
    log = source / "build.log"
    words = ["nice", "make", f"-j{os.cpu_count() or 1}", "bzImage"]
    started = time.monotonic()
    with log.open("w") as written:
        running = subprocess.Popen(
            words, cwd=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert running.stdout is not None
        for number, line in enumerate(running.stdout, 1):
            written.write(line)
            if number % STEP == 0:
                tell(f"{number} files built, {(time.monotonic() - started) / 60:.0f} min")
            if time.monotonic() > until:
                running.terminate()
                running.wait()
                raise BuildError(f"the time was up after {number} files; the next run goes on")
    if running.wait():
        raise BuildError(f"the build broke; its last lines:\n{_tail(log)}")
    return source / "arch/x86/boot/bzImage"


def _tail(log: Path) -> str:
    with log.open(errors="replace") as lines:
        return "".join(deque(lines, TAIL))
