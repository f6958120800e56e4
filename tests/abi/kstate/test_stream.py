"""Headers of streams: as they lie one by one, and what stops a walk."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kho_console.abi.kstate.command_line import StreamPlace, parse, write
from kho_console.abi.kstate.detect import detect
from kho_console.abi.reader import Bytes
from kho_console.model.kstate import KstateVersion
from tests.abi.kstate.streams import V1, V1_NESTED, V2, V3, walked

PLAIN = KstateVersion.V2
SIZES = st.lists(st.one_of(st.integers(0, 40), st.sampled_from((24, 24, 24, 13))), max_size=30)


def stream_of(sizes: list[int], form: str = "<4i") -> bytes:
    headers = {"<4i": (), "<5i": (2,)}[form]
    return b"".join(
        struct.pack(form, *headers, 9, 1, at + 1, size) + b"\xff" * size
        for at, size in enumerate(sizes)
    )


@given(SIZES, st.integers(1, 60), st.sampled_from((KstateVersion.V1, PLAIN, KstateVersion.DEV)))
@settings(deadline=None)
def test_sizes_that_repeat_are_those_of_one_by_one(
    sizes: list[int], times: int, version: KstateVersion
) -> None:
    many = sizes * times
    stream = stream_of(many, "<5i" if version.has_sections else "<4i") + b"\xff" * 4
    found, faults, terminated = walked(stream, version)
    assert [(item.size, item.instance_id) for item in found] == [
        (size, at + 1) for at, size in enumerate(many)
    ]
    assert [item.end for item in found[:-1]] == [item.offset for item in found[1:]]
    assert (faults, terminated) == ([], True)


def test_headers_across_the_windows_of_reading() -> None:
    many = [24] * 60000 + [3_000_000, 7] + [30, 13, 54] * 20000
    found, faults, terminated = walked(stream_of(many) + b"\xff" * 4, PLAIN)
    assert [item.size for item in found] == many
    assert (faults, terminated) == ([], True)


@pytest.mark.parametrize(
    ("stream", "version", "count", "offset", "reason"),
    [
        (b"", PLAIN, 0, 0, "without an end mark"),
        (stream_of([8]), PLAIN, 1, 24, "without an end mark"),
        (stream_of([8]) + bytes(9), PLAIN, 1, 24, "ends in a header"),
        (struct.pack("<4i", 9, 1, 1, -1) + bytes(8), PLAIN, 0, 0, "a size of -1 bytes"),
        (struct.pack("<4i", 9, 1, 1, 9) + bytes(8), PLAIN, 0, 0, "runs over the end"),
        (stream_of([8] * 40) + bytes(99), PLAIN, 40, 960, "zeros in place of a header"),
        (bytes(4096), KstateVersion.V1, 0, 0, "zeros in place of a header"),
        (struct.pack("<4i", 0, 1, 1, 0), PLAIN, 0, 0, "state id 0"),
        (struct.pack("<5i", 3, 9, 1, 1, 0), KstateVersion.DEV, 0, 0, "3 is no type of a section"),
        (V1, KstateVersion.V3, 0, 0, "no magic number"),
    ],
)
def test_what_ends_a_walk(
    stream: bytes, version: KstateVersion, count: int, offset: int, reason: str
) -> None:
    found, faults, terminated = walked(stream, version)
    assert (len(found), terminated) == (count, False)
    assert faults[-1].offset == offset
    assert reason in faults[-1].reason


def test_id_0_of_v1_is_an_id() -> None:
    stream = struct.pack("<4i", 0, 1, 1, 0) + b"\xff" * 4
    assert walked(stream, KstateVersion.V1)[1:] == ([], True)


def test_a_subsection_without_a_section_is_told_and_passed() -> None:
    stream = struct.pack("<5i", 1, 9, 1, 1, 0) + b"\xff" * 4
    found, faults, terminated = walked(stream, KstateVersion.DEV)
    assert (len(found), len(faults), terminated) == (1, 1, True)


@pytest.mark.parametrize(
    ("stream", "version", "sure"),
    [
        (V1, KstateVersion.V1, True),
        (V1_NESTED, KstateVersion.V1, True),
        (V2, KstateVersion.V2, True),
        (V3, KstateVersion.V3, True),
        (V3[4:], KstateVersion.DEV, True),
        (b"", KstateVersion.V2, False),
        (b"\xff" * 4, KstateVersion.V2, False),
    ],
)
def test_the_series_of_a_stream(stream: bytes, version: KstateVersion, sure: bool) -> None:
    found, doubt = detect(Bytes(stream))
    assert (found, doubt is None) == (version, sure)


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        (b"0x1000", StreamPlace(4096, 0), StreamPlace(4096, 0)),
        (b"8M@0x1000", StreamPlace(4096, 8 << 20), StreamPlace(8 << 20, 4096)),
        (None, StreamPlace(None, 0, True), StreamPlace(None, 0, True)),
        (b"@16", StreamPlace(16, 0), StreamPlace(0, 16)),
        (b"", StreamPlace(0, 0, True), StreamPlace(0, 0, True)),
        (b"zzz", StreamPlace(0, 0, True), StreamPlace(0, 0, True)),
        (b"8M@", StreamPlace(0, 8 << 20), StreamPlace(8 << 20, 0)),
        (b"010@0x1ejunk", StreamPlace(0x1E, 8), StreamPlace(8, 0x1E)),
    ],
)
def test_the_option_of_each_series(
    text: bytes | None, first: StreamPlace, second: StreamPlace
) -> None:
    assert parse(text, KstateVersion.V1) == first
    assert parse(text, KstateVersion.V2) == second
    assert first.migrated == (text is not None)


def test_the_option_as_kernels_write_it() -> None:
    place = StreamPlace(0x7F000000, 12288)
    assert write(place, KstateVersion.V1) == b"migrate_stream=0x07f000000 "
    assert write(place, KstateVersion.V2) == b"kstate_stream=0x07f000000@12288 "
    with pytest.raises(ValueError, match="no option"):
        parse(b"", KstateVersion.V3)
