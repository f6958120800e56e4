"""What a twin is told of the files that are loaded on it."""

from pathlib import Path

import pytest

from kho_console.engine.rehearsal import tell
from kho_console.model.change import KexecImage
from kho_console.source.protocol import SourceError
from tests.abi.kernel_files import bzimage

LZ4 = b"\x02\x21\x4c\x18" + bytes(range(256))


def test_a_kernel_that_cannot_be_expanded_here_behaves_as_its_release_does(tmp_path: Path) -> None:
    file = tmp_path / "vmlinuz"
    for release, words in (
        (b"7.3.4", ("kho-v4", "luo-v5", "memfd-v2")),
        (b"7.1.2", ("kho-v3", "luo-v1", "memfd-v2")),
    ):
        file.write_bytes(bzimage(LZ4).replace(b"7.3.4", release))
        told = tell(KexecImage(str(file), None, b""))
        assert told.release == release.decode()
        assert (*told.kho, *told.luo, *told.memfd) == words
        assert told.memory_size == 16 << 20
    file.write_bytes(bzimage(LZ4).replace(b"7.3.4", b"9.9.9"))
    with pytest.raises(SourceError, match="lz4"):
        tell(KexecImage(str(file), None, b""))
