"""A recording with any of its files damaged is looked at, or refused as no fixture, and said."""

from collections.abc import Iterator

import pytest

from tests.fuzz import recordings, screens
from tests.fuzz.target import CASES, SEED, attempt, damaged

MOMENTS = (
    "linux-6.18.15/ready",
    "linux-6.19.11/sessions",
    "linux-7.1.13/restored",
    "linux-7.3.4/hotplugged",
    "linux-7.3.4/sessions",
)
SHARE = 0.008
DRAWN_SHARE = 0.001


@pytest.fixture(autouse=True, scope="module")
def application() -> Iterator[None]:
    yield
    screens.close()


@pytest.mark.parametrize("drawn", [False, True], ids=["said", "drawn"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_any_file_may_be_damaged(moment: str, drawn: bool) -> None:
    target = recordings.target(moment, drawn=drawn)
    attempt(target, {})
    for number in range(max(int(CASES * (DRAWN_SHARE if drawn else SHARE)), 1)):
        try:
            attempt(target, damaged(target, SEED, number))
        except BaseException as error:
            error.add_note(f"replay: python -m tests.fuzz --case '{target.name}' {SEED} {number}")
            raise


def test_all_that_is_read_may_be_damaged() -> None:
    """What a recording offers to damage is what the console reads of it."""
    pieces = recordings.copied("linux-7.3.4/sessions").pieces
    for file in (
        "manifest.json",
        "kmsg.txt",
        "root/proc/iomem",
        "root/proc/zoneinfo",
        "root/sys/kernel/debug/kho/out/fdt",
        "root/sys/kernel/debug/kho/out/sub_fdts/memblock",
    ):
        assert file in pieces
    assert sum("@" in name for name in pieces) > 20
