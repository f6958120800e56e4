import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi.scratch_request import (
    Malformed,
    Scratch,
    ScratchRequest,
    ScratchRules,
    ScratchScale,
    ScratchSize,
    ScratchSizes,
    meaning,
)

MIB = 1 << 20
NO = "refused"


def read(text: bytes | None, rules: ScratchRules) -> Scratch | str:
    found = meaning(ScratchRequest(b"kho_scratch", text), rules)
    return NO if isinstance(found, Malformed) else found


@pytest.mark.parametrize(
    ("text", "nonzero", "zero_allowed"),
    [
        (b"16M,64M,32M", ScratchSizes(16 * MIB, 64 * MIB, 32 * MIB), None),
        (b"0,64M,32M", NO, ScratchSizes(0, 64 * MIB, 32 * MIB)),
        (b"16M,0,0", NO, ScratchSizes(16 * MIB, 0, 0)),
        (b"0,0,0", NO, NO),
        (b"16M,64M", NO, NO),
        (b"16M", NO, NO),
        (b"16M,64M,32Mx", ScratchSizes(16 * MIB, 64 * MIB, 32 * MIB), NO),
        (b"16M,64M,32M,1M", ScratchSizes(16 * MIB, 64 * MIB, 32 * MIB), NO),
        (b"16M, 64M,32M", NO, NO),
        (b"16M,,32M", NO, NO),
        (b"K,16M,M", NO, ScratchSizes(0, 16 * MIB, 0)),
        (b"8E,8E,0", NO, NO),
        (b"200%", ScratchScale(200), None),
        (b"0%", ScratchScale(0), None),
        (b"%", NO, NO),
        (b"-1%", NO, NO),
        (b"4294967295%", ScratchScale(4294967295), None),
        (b"4294967296%", NO, NO),
        (b"00000000001%", NO, NO),
        (b"16M,64M,32%", NO, NO),
        (b"", NO, NO),
        (None, NO, NO),
    ],
)
def test_mainline(
    text: bytes | None, nonzero: Scratch | str, zero_allowed: Scratch | str | None
) -> None:
    assert read(text, ScratchRules.NONZERO) == nonzero
    assert read(text, ScratchRules.ZERO_ALLOWED) == (zero_allowed or nonzero)


def test_series_of_2024_takes_one_size() -> None:
    assert read(b"512M", ScratchRules.SINGLE) == ScratchSize(512 * MIB)
    assert read(b"512M,1M,1M", ScratchRules.SINGLE) == ScratchSize(512 * MIB)
    assert read(b"50%", ScratchRules.SINGLE) == ScratchSize(50)
    assert read(b"lots", ScratchRules.SINGLE) == NO


def test_refusal_has_a_reason() -> None:
    request = ScratchRequest(b"kho_bootmem", b"0,64M,32M")
    refused = meaning(request, ScratchRules.NONZERO)
    assert refused == Malformed(b"0,64M,32M", "size 1 of 3 is zero")
    taken = meaning(request, ScratchRules.ZERO_ALLOWED)
    assert taken == ScratchSizes(0, 64 * MIB, 32 * MIB)


@given(st.binary(max_size=30) | st.text("0169KMx,%", max_size=12).map(str.encode))
def test_any_bytes(text: bytes) -> None:
    for rules in ScratchRules:
        found = meaning(ScratchRequest(b"kho_scratch", text), rules)
        assert not isinstance(found, Malformed) or found.reason
