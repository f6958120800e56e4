"""The parts of the rig that need no kernel."""

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vm import build, initramfs, kernels, options
from tests.vm.debian import Offer
from tests.vm.scenes import facts


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(kernels.GIVEN, raising=False)
    yield tmp_path / "kho-console" / "vm"


def bzimage(path: Path, release: str) -> Path:
    """As much of one as says its release: the version lies 0x200 behind what 0x20e tells."""
    head = bytearray(0x1000)
    head[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", head, 0x20E, 0x400)
    head[0x600:0x700] = f"{release} (someone@somewhere) #1 SMP\0".encode().ljust(0x100, b"\0")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head)
    return path


def built(cache: Path, release: str, fingerprint: str = "") -> Path:
    name = f"{release}-{fingerprint or options.fingerprint()}"
    return bzimage(cache / "kernels" / name / "bzImage", release)


def test_the_newest_kernel_of_a_series_is_taken_by_number(cache: Path) -> None:
    built(cache, "6.18.9")
    image = built(cache, "6.18.15")
    built(cache, "6.18.20", "other-options")
    assert kernels.cached("6.18") == kernels.Kernel("6.18.15", image)
    assert kernels.cached("6.1") is None


def test_a_missing_kernel_has_a_reason(cache: Path) -> None:
    built(cache, "7.3.4")
    (cache / "missing").mkdir()
    (cache / "missing" / "7.1").write_text("Debian lists none\nmore\n")
    found, missing = kernels.chosen(["7.3", "7.1", "6.18"])
    assert [kernel.release for kernel in found] == ["7.3.4"]
    assert missing == {
        "7.1": "Debian lists none",
        "6.18": "not built: make vm-kernels KERNELS=6.18",
    }


def test_a_kernel_that_is_given_is_the_only_one(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(cache, "7.3.4")
    monkeypatch.setenv(kernels.GIVEN, str(bzimage(tmp_path / "mine", "7.4.0-rc2+")))
    (found,), missing = kernels.chosen(["7.3", "7.1"])
    assert found.release == "7.4.0-rc2+"
    assert found.series == (7, 4)
    assert missing == {}


def test_a_kernel_whose_turn_comes_too_late_is_a_skip_with_that_reason(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "lacking", list)
    assert kernels.main(["--within", "0", "7.3"]) == 1
    assert kernels.chosen(["7.3"]) == ([], {"7.3": "the time was up before its turn came"})


def test_newest_source_first_and_unmodified_before_debians() -> None:
    offers = [
        Offer("6.18.9-1~bpo13+1", "linux"),
        Offer("6.18.15-1~bpo13+1", "linux-source-6.18"),
        Offer("6.18.15-1~bpo13+1", "linux"),
    ]
    ordered = sorted(offers, key=lambda offer: offer.order, reverse=True)
    assert [(offer.release, offer.package) for offer in ordered] == [
        ("6.18.15", "linux"),
        ("6.18.15", "linux-source-6.18"),
        ("6.18.9", "linux"),
    ]


def test_the_initial_ram_disk_is_an_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "busybox"
    program.write_bytes(b"static")
    monkeypatch.setattr(initramfs, "busybox", lambda: str(program))
    initramfs.write(tmp_path / "initrd")
    archive = gzip.decompress((tmp_path / "initrd").read_bytes())
    assert archive[:6] == b"070701"
    # c_filesize and c_namesize are the 7th and the 12th number behind the magic.
    assert int(archive[54:62], 16) == len(b"static")
    assert archive[110:118] == b"busybox\0"
    assert archive[120:126] == b"static"
    assert archive.rstrip(b"\0").endswith(b"TRAILER!!!")


def test_series_hand_over_as_their_sources_say() -> None:
    assert facts.kind((6, 17)).map_format == "chunks-512"
    assert facts.kind((6, 18)) == facts.Kind("kho-v1", "chunks-page", "reversible")
    assert facts.kind((6, 19)).finalize == "latching"
    assert facts.kind((7, 1)).generation == "kho-v3"
    assert facts.kind((7, 3)) == facts.Kind("kho-v4", "radix", "none")
