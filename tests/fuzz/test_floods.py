"""What is small to make and large to read ends soon, in little memory, with an answer."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kho_console.source.fixture import FixtureError, FixtureSource
from tests.fuzz import screens, shown
from tests.fuzz.floods import FLOODS, Flood, made
from tests.fuzz.guard import limited

REFUSED = {
    "link_of_many_names": r"links holds the path '(/a){49}; it must be absolute",
    "links_in_many_folders": "links stand in more than 16384 folders",
    "manifest_of_empty_lists": r"manifest\.json is longer than 4194304 bytes",
    "manifest_with_a_long_value": r"page_size is 'x{200,300}\.\.; correct it",
}
"""The folders that cannot be opened, and why."""


@pytest.fixture(autouse=True, scope="module")
def application() -> Iterator[None]:
    yield
    screens.close()


@pytest.mark.parametrize("flood", FLOODS, ids=lambda flood: flood.__name__)
def test_a_flood_is_answered(flood: Flood, tmp_path: Path) -> None:
    place = made(flood, tmp_path / "flood")
    try:
        if flood.__name__ in REFUSED:
            with limited(), pytest.raises(FixtureError, match=REFUSED[flood.__name__]):
                FixtureSource(place)
            return
        with limited():
            source = FixtureSource(place)
            view = shown.look(source)
        with limited():
            shown.printed(source, view)
            shown.exported(view)
        with limited():
            screens.drawn(view)
    finally:
        shutil.rmtree(place)
