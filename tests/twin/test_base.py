"""A twin of a recording shows the recording, until something changes it."""

import contextlib

import pytest

from kho_console.model.change import Change, Execute, Execution, KexecImage, Load, Write
from kho_console.source.fixture import FixtureError, FixtureSource
from kho_console.source.protocol import SourceError
from kho_console.twin import CannotSimulate, TwinSource, twin_of
from tests.recordings import FIXTURES, RECORDINGS, folder
from tests.twin.looks import look
from tests.twin.scenes import FINALIZE

HOSTILE = sorted(item.name for item in (FIXTURES / "hostile").iterdir())


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_fresh_look_shows_the_recording(name: str) -> None:
    source = FixtureSource(folder(name))
    assert look(TwinSource(twin_of(source))) == look(source)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_damaged_recording_makes_a_twin_or_is_refused(name: str) -> None:
    try:
        source = FixtureSource(FIXTURES / "hostile" / name)
        twin = twin_of(source)
    except (FixtureError, CannotSimulate):
        return
    shown = TwinSource(twin)
    assert look(shown) == look(source)
    image = KexecImage(f"twin:{source.facts().release}", None, b"kho=on liveupdate=on")
    changes: list[Change] = [Write(FINALIZE, b"1"), Load(image), Execute(Execution.SYSTEM_CALL)]
    for change in changes:
        with contextlib.suppress(SourceError):
            shown.change(change)
    look(shown)
