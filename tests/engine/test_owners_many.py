"""Owners of few ranges are found by plain Python, those of many by numpy: it must be the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kho_console.abi import runs
from kho_console.engine import extents, owners
from kho_console.engine.owners import REST, Claim
from kho_console.model import few
from kho_console.model.generation import MapFormat
from kho_console.model.owner import Owner, OwnerKind
from kho_console.model.preserved import PreservedMap

A, B = Owner(OwnerKind.BLOB, b"a"), Owner(OwnerKind.MEMFD, b"b")
RANGES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=9)


@settings(deadline=None)
@given(
    preserved=RANGES, claims=st.lists(st.tuples(st.sampled_from([A, B, REST]), RANGES), max_size=5)
)
def test_owners(
    preserved: list[tuple[int, int]], claims: list[tuple[Owner, list[tuple[int, int]]]]
) -> None:
    ranges = runs.of_ranges((at, at + size) for at, size in preserved if size)
    found_map = PreservedMap(MapFormat.RADIX, 1, 0, runs.empty(), {0: ranges}, ranges)
    held = [
        Claim(owner, runs.of_ranges((at, at + size) for at, size in pieces))
        for owner, pieces in claims
    ]
    made = []
    with pytest.MonkeyPatch.context() as patch:
        for most in (1 << 20, 0):
            patch.setattr(few, "FEW", most)
            found = owners.attribute(found_map, held, True)
            rows = extents.select(found, None)
            parts = (found.owners, tuple(found), found.bytes, found.bytes_by_owner())
            made.append((*parts, rows.bytes, extents.shares(rows)))
    assert made[0] == made[1]
    assert made[0][2] == ranges.bytes
    assert sum(share.bytes for share in made[0][-1]) == ranges.bytes
