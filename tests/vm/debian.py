"""Kernel sources from Debian's archive, through apt, which checks every signature.

Apt works on lists and a cache of its own; the system's are neither read nor written. The archive
drops old source packages without notice, so every version it still lists is tried, newest first.
"""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MIRROR = "http://deb.debian.org/debian"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SUITES = ["trixie-backports", "sid"]
SECONDS = 600
"""Longest that one apt command may take."""


class NotObtainableError(Exception):
    """Sources that Debian does not give, and why."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One version of a kernel's source in the archive.

    Attributes:
        version: Debian's version, such as `6.18.15-1~bpo13+1`.
        package: `linux` for the upstream tarball of the source package, else the binary package
            that holds a tarball.
    """

    version: str
    package: str

    @property
    def release(self) -> str:
        """The kernel's release, such as `6.18.15`."""
        return re.split(r"[-~+]", self.version)[0]

    @property
    def order(self) -> tuple[tuple[int, ...], bool]:
        """Newest last; of one release the unmodified sources last."""
        return tuple(int(part) for part in self.release.split(".")), self.package == "linux"


def tarball(series: str, folder: Path, tell: Callable[[str], None]) -> tuple[str, Path]:
    """Fetch the newest sources of a series into `folder`.

    Returns:
        The release and its tarball.

    Raises:
        NotObtainableError: There is no apt, no network, or nothing of this series.
    """
    apt = _Apt(folder)
    apt.update(tell)
    offers = apt.offers(series)
    if not offers:
        raise NotObtainableError(f"Debian ({', '.join(SUITES)}) lists no kernel {series}")
    for offer in offers:
        found = apt.fetch(offer)
        if found:
            return offer.release, found
        tell(f"{offer.package} {offer.version} is listed but cannot be had")
    listed = ", ".join(dict.fromkeys(offer.release for offer in offers))
    raise NotObtainableError(f"Debian lists {listed} but gives none of their sources")


class _Apt:
    def __init__(self, folder: Path) -> None:
        if shutil.which("apt-get") is None or not KEYRING.exists():
            raise NotObtainableError(f"kernel sources come through apt-get and {KEYRING}")
        self._folder = folder
        self._configuration = folder / "apt.conf"
        for part in ("state/lists/partial", "cache/archives/partial", "fetched"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        sources = folder / "sources.list"
        signed = f"[signed-by={KEYRING} arch=amd64]"
        sources.write_text(
            "".join(
                f"{kind} {signed} {MIRROR} {suite} main\n"
                for suite in SUITES
                for kind in ("deb", "deb-src")
            )
        )
        self._configuration.write_text(
            f'Dir::State "{folder}/state";\nDir::State::status "/dev/null";\n'
            f'Dir::Cache "{folder}/cache";\nDir::Etc::sourcelist "{sources}";\n'
            'Dir::Etc::sourceparts "/dev/null";\nAPT::Architecture "amd64";\n'
            'APT::Architectures { "amd64"; };\nAcquire::Languages "none";\n'
            'Acquire::Retries "2";\nAPT::Sandbox::User "";\n'
        )

    def update(self, tell: Callable[[str], None]) -> None:
        tell(f"reading Debian's lists ({', '.join(SUITES)})")
        done = self._run("apt-get", "update", "--error-on=any")
        if done.returncode:
            raise NotObtainableError(f"apt-get update: {_last_line(done.stderr)}")

    def offers(self, series: str) -> list[Offer]:
        """What is listed of a series, newest first."""
        found = set()
        for package in ("linux", f"linux-source-{series}"):
            for line in self._run("apt-cache", "madison", package).stdout.splitlines():
                fields = [field.strip() for field in line.split("|")]
                source = len(fields) == 3 and fields[2].endswith(" Sources")
                if source == (package == "linux") and fields[1].startswith(f"{series}."):
                    found.add(Offer(fields[1], package))
        return sorted(found, key=lambda offer: offer.order, reverse=True)

    def fetch(self, offer: Offer) -> Path | None:
        """The tarball of an offer; None where the archive has dropped it."""
        fetched = self._folder / "fetched"
        shutil.rmtree(fetched, ignore_errors=True)
        fetched.mkdir()
        wanted = f"{offer.package}={offer.version}"
        if offer.package == "linux":
            words = ["source", "--download-only", "--tar-only", "--only-source", wanted]
        else:
            words = ["download", wanted]
        if self._run("apt-get", "--quiet", *words, where=fetched).returncode:
            return None
        found = next(fetched.glob("*.orig.tar.*"), None)
        package = next(fetched.glob("*.deb"), None)
        return _unpacked(package, fetched) if package else found

    def _run(self, *words: str, where: Path | None = None) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                words,
                cwd=where or self._folder,
                env={
                    "APT_CONFIG": str(self._configuration),
                    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                },
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NotObtainableError(f"{words[0]} took longer than {SECONDS} s") from None


def _unpacked(package: Path, folder: Path) -> Path | None:
    done = subprocess.run(["dpkg-deb", "--extract", package, folder / "deb"], check=False)
    return None if done.returncode else next(folder.glob("deb/usr/src/*.tar.xz"), None)


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else "no answer"
