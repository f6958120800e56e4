"""Files of the operator's disk: kernels, initial RAM disks, and the configuration beside them."""

import gzip
import os
from pathlib import Path

import pytest

from kho_console.engine import image_files
from kho_console.engine.image_files import CancelledError, Watch
from kho_console.model.unknown import Unknown
from kho_console.source.protocol import SourceError
from tests.abi.kernel_files import bzimage, cpio, vmlinux
from tests.vm import kernels

REAL = sorted(kernels.cache().glob("kernels/*/bzImage"))


def test_a_kernel_and_its_own_configuration(tmp_path: Path) -> None:
    place = tmp_path / "vmlinuz"
    place.write_bytes(bzimage(gzip.compress(vmlinux())))
    found = image_files.kernel(str(place))
    assert (found.release, found.complete) == ("7.3.4", True)
    assert not isinstance(found.config, Unknown)
    assert found.config["CONFIG_LIVEUPDATE"] == "y"


def test_the_configuration_beside_a_kernel_that_has_none(tmp_path: Path) -> None:
    place = tmp_path / "vmlinuz"
    place.write_bytes(bzimage(b"\x02\x21\x4c\x18" + bytes(50)))
    alone = image_files.kernel(str(place))
    assert isinstance(alone.config, Unknown)
    assert "no config-7.3.4 is beside it or in /boot" in alone.config.reason
    (tmp_path / "config-7.3.4").write_text("CONFIG_KEXEC_HANDOVER=y\n")
    assert image_files.kernel(str(place)).config == {"CONFIG_KEXEC_HANDOVER": "y"}
    (tmp_path / "config-7.3.4").write_text("nothing\n")
    assert isinstance(image_files.kernel(str(place)).config, Unknown)


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name, words in (("fifo", "no regular file"), ("", "directory"), ("none", "not there")):
        for read in (image_files.kernel, image_files.initial_ram_disk):
            with pytest.raises(SourceError, match=words):
                read(str(tmp_path / name))


def test_reading_can_be_followed_and_called_off(tmp_path: Path) -> None:
    place = tmp_path / "initrd"
    place.write_bytes(cpio("lib/modules/7.3.4/x", content=bytes(3 << 20)))
    told: list[tuple[str, int, int]] = []
    found = image_files.initial_ram_disk(str(place), Watch(lambda *step: told.append(step)))
    assert found.releases == ("7.3.4",)
    assert told[0] == (str(place), 0, found.size)
    assert told[-1] == (str(place), found.size, found.size)
    with pytest.raises(CancelledError):
        image_files.initial_ram_disk(str(place), Watch(cancelled=lambda: True))


@pytest.mark.skipif(not REAL, reason="no kernels of the rig here: python -m tests.vm.kernels")
@pytest.mark.parametrize("image", REAL, ids=lambda image: image.parent.name)
def test_the_kernels_of_the_rig(image: Path) -> None:
    """Words as luo-abi section 12 found them, the configuration as it was built."""
    found = image_files.kernel(str(image))
    series = kernels.Kernel(str(found.release), image).series
    assert (found.release, found.complete, found.faults) == (kernels.release_of(image), True, ())
    assert not isinstance(found.words, Unknown)
    expected = {
        (6, 17): (("kho-v1",), (), ()),
        (6, 18): (("kho-v1",), (), ()),
        (6, 19): (("kho-v1",), ("luo-v1", "luo-session-v2"), ("memfd-v1",)),
        (7, 1): (("kho-v3",), ("luo-v1", "luo-flb-v1", "luo-session-v2"), ("memfd-v2",)),
        (7, 2): (("kho-v4",), ("luo-v5",), ("memfd-v2",)),
        (7, 3): (("kho-v4",), ("luo-v5",), ("memfd-v2",)),
    }
    assert (found.words.kho, found.words.luo, found.words.memfd) == expected[series]
    assert not isinstance(found.config, Unknown)
    built = (image.parent / "config").read_text()
    assert all(f"{name}=" in built for name in found.config)
    assert found.config["CONFIG_KEXEC_HANDOVER"] == "y"
