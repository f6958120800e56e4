"""A twin in a file: whole after every change, and nobody's work lost."""

import errno
from pathlib import Path

import pytest

from kho_console.engine.opening import CannotOpenError, open_twin, writable
from kho_console.model.change import KexecImage, Load, Write
from kho_console.source.protocol import SourceError
from kho_console.source.writable import WritableSource

FINALIZE = "/sys/kernel/debug/kho/out/finalize"
COLD = "linux-6.18.15/cold"


def opened(place: Path, word: str | None = None, *faults: str) -> WritableSource:
    found = writable(open_twin(place, word, faults))
    assert found is not None
    return found


def test_it_goes_on_where_it_ended(tmp_path: Path) -> None:
    place = tmp_path / "twin"
    first = opened(place, COLD)
    assert place.exists()
    first.change(Write(FINALIZE, b"1"))
    second = opened(place)
    assert second.read(FINALIZE).strip() == b"1"
    assert second.kernel_start == first.kernel_start
    assert [item.name for item in tmp_path.iterdir()] == ["twin"]


def test_a_refused_change_is_kept_too_and_a_fault_waits_over_commands(tmp_path: Path) -> None:
    place = tmp_path / "twin"
    opened(place, COLD, "write:2:EBUSY").change(Write(FINALIZE, b"1"))
    with pytest.raises(SourceError) as caught:
        opened(place).change(Write(FINALIZE, b"0"))
    assert caught.value.errno == errno.EBUSY
    opened(place).change(Write(FINALIZE, b"0"))


def test_of_two_that_read_it_only_one_changes_it(tmp_path: Path) -> None:
    place = tmp_path / "twin"
    first, second = opened(place, COLD), opened(place)
    first.change(Write(FINALIZE, b"1"))
    with pytest.raises(SourceError, match="somebody else"):
        second.change(Load(KexecImage("twin:6.18.15", None, b"")))
    assert opened(place).read("/sys/kernel/kexec_loaded") == b"0\n"


def test_what_is_no_twin_and_what_cannot_begin_one(tmp_path: Path) -> None:
    place = tmp_path / "twin"
    for word in (None, "live", str(tmp_path / "gone")):
        with pytest.raises(CannotOpenError):
            open_twin(place, word)
    assert not place.exists()
    place.write_bytes(b"(\xb5/\xfd no twin")
    with pytest.raises(CannotOpenError, match="no file of a twin"):
        open_twin(place)
    with pytest.raises(CannotOpenError):
        open_twin(tmp_path)
