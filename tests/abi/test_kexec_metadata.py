import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import kexec_metadata
from kho_console.abi.error import FormatError
from kho_console.model.blob import Field, KexecMetadata
from kho_console.model.unknown import Cause, Unknown
from tests.abi.page_memory import recorded_file

BLOB = "/sys/kernel/debug/kho/{}/sub_fdts/kexec-metadata"
# version 1, "6.19.8-x", count 0x01020304, written out by hand from the layout.
BY_HAND = b"\x01\0\0\0" + b"6.19.8-x" + bytes(57) + b"\x04\x03\x02\x01"


@pytest.mark.parametrize(
    ("moment", "side", "release", "count"),
    [
        ("linux-7.3.4/restored", "out", b"7.3.4", 2),
        ("linux-7.3.4/restored", "in", b"7.3.4", 1),
        ("linux-7.1.13/cold", "out", b"7.1.13", 1),
    ],
)
def test_recorded(moment: str, side: str, release: bytes, count: int) -> None:
    data = recorded_file(moment, BLOB.format(side))
    metadata = kexec_metadata.decode(data)
    assert metadata == KexecMetadata(1, release, count)
    assert kexec_metadata.encode(metadata) == data


def test_by_hand() -> None:
    assert len(BY_HAND) == 73
    assert kexec_metadata.decode(BY_HAND) == KexecMetadata(1, b"6.19.8-x", 0x01020304)
    assert kexec_metadata.fields(BY_HAND) == (
        Field("version", 0, 4, 1),
        Field("previous_release", 4, 65, b"6.19.8-x", "text"),
        Field("kexec_count", 69, 4, 0x01020304, "count"),
    )


def test_other_version_stops_after_the_version() -> None:
    metadata = kexec_metadata.decode(b"\x02\0\0\0")
    unknown = metadata.previous_release
    assert metadata.version == 2
    assert isinstance(unknown, Unknown)
    assert unknown.cause is Cause.UNSUPPORTED
    assert metadata.kexec_count == unknown
    assert kexec_metadata.fields(b"\x02\0\0\0") == (Field("version", 0, 4, 2),)
    with pytest.raises(ValueError, match="version 1"):
        kexec_metadata.encode(metadata)


@pytest.mark.parametrize(
    ("data", "offset"),
    [(b"\x01\0\0", 3), (BY_HAND[:72], 72), (b"\x01\0\0\0" + b"x" * 65 + bytes(4), 4)],
)
def test_damaged(data: bytes, offset: int) -> None:
    with pytest.raises(FormatError) as caught:
        kexec_metadata.decode(data)
    assert caught.value.offset == offset


def test_what_does_not_fit_is_not_written() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        kexec_metadata.encode(KexecMetadata(1, b"x" * 65, 1))
    assert kexec_metadata.encode(KexecMetadata(1, b"x" * 64, 1))[68:] == b"\0\x01\0\0\0"


@given(st.binary(max_size=80))
def test_any_bytes(data: bytes) -> None:
    try:
        kexec_metadata.decode(data)
        kexec_metadata.fields(data)
    except FormatError:
        pass


@given(st.binary(max_size=64).filter(lambda text: b"\0" not in text), st.integers(0, 2**32 - 1))
def test_written_is_read(release: bytes, count: int) -> None:
    metadata = KexecMetadata(1, release, count)
    assert kexec_metadata.decode(kexec_metadata.encode(metadata)) == metadata
