"""The kernels of the rig: which there are, where they are kept, and how a missing one is made.

`python -m tests.vm.kernels [--within MINUTES] [SERIES ...]` makes those that are not there yet.
"""

import argparse
import fcntl
import os
import re
import shutil
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.vm import build, debian, options

DEFAULT = ("6.18", "7.1", "7.3")
ON_REQUEST = ("6.17", "6.19", "7.2")
GIVEN = "KHO_VM_KERNEL"
"""Environment variable: a bzImage to use instead of those of the cache."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel that can be booted.

    Attributes:
        release: Such as `6.18.15`.
        image: Its bzImage.
    """

    release: str
    image: Path

    @property
    def series(self) -> tuple[int, int]:
        """The first two numbers of its release."""
        major, minor = self.release.split(".")[:2]
        return int(major), int(re.match(r"\d+", minor)[0])  # type: ignore[index]

    def __str__(self) -> str:
        return self.release


def cache() -> Path:
    """Where kernels and the apt lists are kept, outside the checkout."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "kho-console" / "vm"


def chosen(series: list[str]) -> tuple[list[Kernel], dict[str, str]]:
    """The kernels to run on.

    Args:
        series: Those wanted; empty for all in the cache.

    Returns:
        Kernels, and for each wanted series without one the reason.
    """
    given = os.environ.get(GIVEN)
    if given:
        return [Kernel(release_of(Path(given)), Path(given))], {}
    found = {name: cached(name) for name in series or (*DEFAULT, *ON_REQUEST)}
    kernels = sorted((kernel for kernel in found.values() if kernel), key=lambda one: one.series)
    missing = {name: why(name) for name, kernel in found.items() if kernel is None}
    return kernels, missing if series else {}


def cached(series: str) -> Kernel | None:
    """The newest kernel of a series that was built with today's options."""
    images = sorted(
        cache().glob(f"kernels/{series}.*-{options.fingerprint()}/bzImage"),
        key=lambda image: [int(part) for part in re.findall(r"\d+", _release(image))],
    )
    return Kernel(_release(images[-1]), images[-1]) if images else None


def why(series: str) -> str:
    """Why there is no kernel of a series."""
    reason = cache() / "missing" / series
    if reason.exists():
        return reason.read_text().splitlines()[0]
    return f"not built: make vm-kernels KERNELS={series}"


def release_of(image: Path) -> str:
    """The release in a bzImage's header (Documentation/arch/x86/boot.rst, kernel_version)."""
    head = image.read_bytes()[: 64 << 10]
    if head[0x202:0x206] != b"HdrS":
        raise SystemExit(f"{image} is no bzImage")
    start = struct.unpack_from("<H", head, 0x20E)[0] + 0x200
    return head[start : head.index(0, start)].split()[0].decode()


def make(series: str, until: float) -> Kernel:
    """Build the kernel of a series unless it is there.

    Raises:
        NotObtainableError: There are no sources.
        BuildError: They do not build here, or not in time.
    """
    with _alone(series):
        found = cached(series)
        if found:
            _tell(series, f"{found.release} is there")
            return found
        missing = build.lacking()
        if missing:
            raise build.BuildError(f"a build needs: apt-get install {' '.join(missing)}")
        if time.monotonic() > until:
            raise build.BuildError("the time was up before its turn came")
        release, source = _source(series)
        _tell(series, f"building {release}")
        image = build.build(source, until, lambda text: _tell(series, text))
        kept = _keep(release, image, source / ".config")
        shutil.rmtree(source)
        return kept


def main(arguments: list[str] | None = None) -> int:
    """Make the kernels asked for; 1 when one of them could not be made."""
    parser = argparse.ArgumentParser(prog="tests.vm.kernels", description=__doc__)
    parser.add_argument("series", nargs="*", default=[])
    parser.add_argument("--within", type=float, default=600.0, metavar="MINUTES")
    wanted = parser.parse_args(arguments)
    until = time.monotonic() + wanted.within * 60
    failed = 0
    for series in wanted.series or DEFAULT:
        reason = cache() / "missing" / series
        try:
            make(series, until)
            reason.unlink(missing_ok=True)
        except (debian.NotObtainableError, build.BuildError) as error:
            failed += 1
            _tell(series, f"not there: {error}")
            reason.parent.mkdir(parents=True, exist_ok=True)
            reason.write_text(f"{error}\n")
    return 1 if failed else 0


def _source(series: str) -> tuple[str, Path]:
    """Configured sources, of an interrupted build or from Debian."""
    sources = cache() / "src"
    for folder in sorted(sources.glob(f"{series}.*-{options.fingerprint()}")):
        _tell(series, f"going on with {folder.name}")
        return folder.name.split("-")[0], folder
    downloads = cache() / "apt"
    downloads.mkdir(parents=True, exist_ok=True)
    release, tarball = debian.tarball(series, downloads, lambda text: _tell(series, text))
    _tell(series, f"unpacking {release}")
    fresh = sources / f"{release}-unconfigured"
    shutil.rmtree(fresh, ignore_errors=True)
    build.unpack(tarball, fresh)
    tarball.unlink()
    build.configure(fresh)
    return release, fresh.rename(sources / f"{release}-{options.fingerprint()}")


def _keep(release: str, image: Path, config: Path) -> Kernel:
    partly = cache() / "kernels" / f"{release}.partly"
    shutil.rmtree(partly, ignore_errors=True)
    partly.mkdir(parents=True)
    shutil.copy(image, partly / "bzImage")
    shutil.copy(config, partly / "config")
    kept = partly.rename(partly.with_name(f"{release}-{options.fingerprint()}"))
    return Kernel(release, kept / "bzImage")


@contextmanager
def _alone(series: str) -> Iterator[None]:
    """Two runs do not build the same kernel at the same time."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{series}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _release(image: Path) -> str:
    return image.parent.name.split("-")[0]


def _tell(series: str, text: str) -> None:
    print(f"[{series}] {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
