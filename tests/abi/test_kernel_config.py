import gzip
import tracemalloc

import pytest

from kho_console.abi import kernel_config
from kho_console.abi.error import FormatError
from tests.abi.page_memory import recorded_file

TEXT = (
    b'# comment\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=m\nCONFIG_D="two words"\nCONFIG_E=12\n'
)


def test_the_recorded_configuration() -> None:
    options = kernel_config.parse(recorded_file("linux-7.3.4/cold", "/proc/config.gz"))
    wanted = ("CONFIG_KEXEC_HANDOVER", "CONFIG_LIVEUPDATE", "CONFIG_KEXEC_HANDOVER_DEBUGFS")
    assert [options.get(name) for name in wanted] == ["y", "y", "y"]
    assert "CONFIG_WERROR" not in options


@pytest.mark.parametrize("data", [TEXT, gzip.compress(TEXT, mtime=0)])
def test_options(data: bytes) -> None:
    assert kernel_config.parse(data) == {
        "CONFIG_A": "y",
        "CONFIG_C": "m",
        "CONFIG_D": "two words",
        "CONFIG_E": "12",
    }


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no CONFIG_"),
        (b"# CONFIG_A is not set\n", "no CONFIG_"),
        (b"\x1f\x8b", "is cut"),
        (b"\x1f\x8b" + bytes(40), "damaged gzip"),
        (gzip.compress(TEXT, mtime=0)[:-9], "is cut"),
        (gzip.compress(b"nothing", mtime=0), "no CONFIG_"),
    ],
)
def test_what_is_none(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        kernel_config.parse(data)


def test_a_small_file_that_expands_without_end() -> None:
    bomb = gzip.compress(bytes(64 << 20), 9)
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="when expanded"):
            kernel_config.parse(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 << 20
