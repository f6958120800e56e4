"""What hypothesis makes up from nothing is read, or refused."""

import pytest

from tests.fuzz import properties
from tests.fuzz.target import CASES, SEED


@pytest.mark.parametrize("name", properties.PROPERTIES)
def test_whatever_is_made_up(name: str) -> None:
    properties.run(name, SEED, max(CASES // 100, 1))
