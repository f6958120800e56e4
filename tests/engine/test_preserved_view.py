"""Which map and which owners a side shows."""

from kho_console.engine import preserved_view
from kho_console.engine.observe import observe
from kho_console.engine.paths import IN, OUT
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureSource
from tests.recordings import folder


def view(name: str, side: str, *, unreliable: bool = False) -> preserved_view.PreservedView:
    source = FixtureSource(folder(name))
    return preserved_view.look(source, observe(source), side, unreliable=unreliable)


def test_the_outgoing_map_with_the_owners_that_were_found() -> None:
    found = view("linux-7.3.4/sessions", OUT)
    assert not isinstance(found.preserved, Unknown)
    assert not isinstance(found.ownership, Unknown)
    assert found.preserved.bytes == 15896576
    assert sum(found.ownership.bytes_by_owner().values()) == 15896576


def test_what_came_in_is_released_with_its_owners() -> None:
    found = view("linux-6.18.15/restored", IN)
    assert isinstance(found.preserved, Unknown)
    assert found.preserved.cause is Cause.RELEASED
    assert found.ownership is found.preserved


def test_after_a_cold_boot_nothing_came_in() -> None:
    for unreliable in (False, True):
        found = view("linux-7.3.4/sessions", IN, unreliable=unreliable)
        assert isinstance(found.preserved, Unknown)
        assert found.preserved.cause is Cause.ABSENT
        assert found.ownership is found.preserved


def test_residue_that_was_not_recorded() -> None:
    found = view("linux-6.18.15/restored", IN, unreliable=True)
    assert isinstance(found.preserved, Unknown)
    assert found.preserved.cause is Cause.NOT_RECORDED
