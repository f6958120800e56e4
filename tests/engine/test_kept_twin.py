"""A twin in a file: whole after every change, and nobody's work lost."""

import errno
import os
from pathlib import Path

import pytest

from kho_console.engine import kept_twin
from kho_console.engine.actions import step
from kho_console.engine.actions.perform import Writer, perform
from kho_console.engine.actions.probe import with_before
from kho_console.engine.observe import observe
from kho_console.engine.opening import CannotOpenError, open_twin, writable
from kho_console.model.action import Action
from kho_console.model.change import KexecImage, Load, Write
from kho_console.model.outcome import Ending
from kho_console.source.protocol import NotAskedError, SourceError
from kho_console.source.writable import WritableSource
from kho_console.twin import keep

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


def test_a_link_where_a_draft_would_lie_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"theirs")
    for name in (str(os.getpid()), "0123"):
        (tmp_path / f".twin.{name}").symlink_to(other)
    opened(tmp_path / "twin", COLD).change(Write(FINALIZE, b"1"))
    monkeypatch.setattr("kho_console.engine.kept_twin.secrets.token_hex", lambda size: "0123")
    with pytest.raises(NotAskedError):
        opened(tmp_path / "twin").change(Write(FINALIZE, b"0"))
    assert other.read_bytes() == b"theirs"


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
    with pytest.raises(NotAskedError, match="changed by somebody else"):
        second.change(Load(KexecImage("twin:6.18.15", None, b"")))
    assert opened(place).read("/sys/kernel/kexec_loaded") == b"0\n"
    outcome = perform(second, step.finalize, action_of(second), Writer())
    assert outcome.ending is Ending.REFUSED and outcome.explained is None
    place.unlink()
    with pytest.raises(NotAskedError, match="removed by somebody else"):
        first.change(Write(FINALIZE, b"0"))


def test_what_cannot_be_kept_has_not_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "twin"
    machine = opened(place, COLD)
    events = machine.events()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("kho_console.engine.kept_twin.os.fsync", full)
        outcome = perform(machine, step.finalize, action_of(machine), Writer())
    assert outcome.ending is Ending.REFUSED
    assert "No space left" in outcome.text and "as it was" in outcome.text
    for found in (machine, opened(place)):
        assert found.read(FINALIZE).strip() == b"0"
    assert [item.name for item in tmp_path.iterdir()] == ["twin"]
    machine.change(Write(FINALIZE, b"1"))
    assert opened(place).read(FINALIZE).strip() == b"1"
    events.close()


@pytest.mark.parametrize("links", [True, False])
def test_of_two_that_begin_one_the_second_goes_on_from_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    place = tmp_path / "twin"
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", no_links)
    first = opened(place, COLD)
    first.change(Write(FINALIZE, b"1"))
    kept = kept_twin.kept
    too_early: list[bool] = []

    def late(file: Path) -> keep.Kept | None:
        return None if too_early and too_early.pop() else kept(file)

    monkeypatch.setattr(kept_twin, "kept", late)
    too_early.append(True)
    assert opened(place, COLD).read(FINALIZE).strip() == b"1"
    assert [item.name for item in tmp_path.iterdir()] == ["twin"]
    too_early.append(True)
    with pytest.raises(CannotOpenError, match="holds a twin of"):
        open_twin(place, "linux-6.17.8/cold")


def no_links(place: Path, target: Path) -> None:
    raise PermissionError(errno.EPERM, "this file system has no hard links", str(place))


def action_of(machine: WritableSource) -> Action:
    # What was agreed to holds for the twin that this process has read.
    found = step.finalize(observe(machine))
    assert isinstance(found, Action)
    return with_before(machine, found)


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
