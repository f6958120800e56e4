"""What would be done on which kernel, and why not on the others."""

from functools import partial
from pathlib import Path

import pytest

from kho_console.engine.actions import execute, hotplug, load, step
from kho_console.engine.actions.planning import Planner, plan
from kho_console.engine.observe import observe
from kho_console.model.action import Action, NotApplicable, Risk
from kho_console.model.change import Execution, FileFlag, KexecImage, Load, Unload, Write
from kho_console.model.check import Check, Result
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import Source
from tests.engine.changeable import Changeable
from tests.fixture_folder import FixtureFolder
from tests.recordings import folder

FINALIZE = "/sys/kernel/debug/kho/out/finalize"
IMAGE = KexecImage("/boot/vmlinuz", None, b"kho=on")


def planned(source: Source, planner: Planner) -> Action:
    found = plan(source, planner)
    assert isinstance(found, Action), found
    return found


def refused(source: Source, planner: Planner) -> NotApplicable:
    found = plan(source, planner)
    assert isinstance(found, NotApplicable), found
    return found


def results(action: Action) -> dict[str, Result]:
    return {item.id: item.result for item in action.preconditions}


def recorded(name: str) -> Source:
    return FixtureSource(folder(name))


@pytest.mark.parametrize(
    ("name", "planner", "data", "undone_by"),
    [
        ("linux-6.17.8/cold", step.finalize, b"1", "abort"),
        ("linux-6.18.15/cold", step.finalize, b"1", "abort"),
        ("linux-6.18.15/finalized", step.abort, b"0", None),
        ("linux-6.19.11/cold", step.finalize, b"1", None),
    ],
)
def test_the_step_where_there_is_one(
    name: str, planner: Planner, data: bytes, undone_by: str | None
) -> None:
    action = planned(recorded(name), planner)
    assert action.changes == (Write(FINALIZE, data),)
    assert action.undone_by == undone_by
    assert not action.obstacles
    assert action.expects[0].before != action.expects[0].value == data.decode()


@pytest.mark.parametrize(
    ("name", "planner", "reason"),
    [
        ("linux-6.19.11/finalized", step.abort, "never goes back to 0"),
        ("linux-7.1.13/cold", step.finalize, "stateless"),
        ("linux-7.3.4/ready", step.abort, "stateless"),
        ("linux-6.18.15/cold", step.activate, "not called activate"),
    ],
)
def test_the_step_where_there_is_none(name: str, planner: Planner, reason: str) -> None:
    found = refused(recorded(name), planner)
    assert reason in found.reason
    assert found.instead


def test_the_switch_of_2024(tmp_path: Path) -> None:
    made = FixtureFolder(tmp_path, "6.13.0")
    made.file("/sys/kernel/kho/active", "0\n")
    made.file("/sys/kernel/kho/scratch_phys", "0x1000000\n")
    made.file("/sys/kernel/kho/scratch_len", "0x0\n")
    source = made.open()
    assert refused(source, step.finalize).instead == "use the verb activate"
    action = planned(source, step.activate)
    assert action.changes == (Write("/sys/kernel/kho/active", b"1"),)
    assert [item.id for item in action.obstacles] == ["scratch"]
    made.file("/sys/kernel/kho/scratch_len", "0x4000000\n")
    assert not planned(made.open(), step.activate).obstacles


def test_what_forbids_the_step() -> None:
    assert [
        item.id for item in planned(recorded("linux-6.18.15/finalized"), step.finalize).obstacles
    ] == ["state"]
    assert (
        results(planned(recorded("linux-6.19.11/finalized"), step.finalize))["state"]
        is Result.WARNING
    )
    machine = Changeable("linux-6.18.15/cold")
    machine.files["/sys/kernel/security/lockdown"] = "none [integrity] confidentiality\n"
    machine.forbidden = Unknown(Cause.NOT_PERMITTED, "no")
    assert [item.id for item in planned(machine, step.finalize).obstacles] == ["lockdown", "right"]
    machine = Changeable("linux-6.18.15/cold")
    machine.files["/sys/kernel/kexec_loaded"] = "1\n"
    assert results(planned(machine, step.finalize))["image"] is Result.WARNING


def test_a_machine_without_a_handover(tmp_path: Path) -> None:
    found = refused(FixtureFolder(tmp_path, "6.12.0").open(), step.finalize)
    assert "no handover on this machine" in found.reason


def test_load_and_unload(tmp_path: Path) -> None:
    machine = Changeable("linux-6.18.15/cold")
    action = planned(machine, partial(load.loading, change=Load(IMAGE), validation=()))
    assert action.changes == (Load(IMAGE),)
    assert IMAGE.all_flags == FileFlag.NO_INITRAMFS
    assert action.undone_by == "unload"
    gone = KexecImage(str(tmp_path / "gone"), None, b"")
    assert "is not there" in refused(machine, partial(load.load, image=gone)).reason
    simulated = KexecImage("twin:7.3.4", None, b"")
    assert "no file" in refused(machine, partial(load.load, image=simulated)).reason
    (tmp_path / "text").write_bytes(b"no kernel" * 1000)
    text = KexecImage(str(tmp_path / "text"), None, b"kho=on")
    checked = planned(machine, partial(load.load, image=text))
    assert "image-format" in [item.id for item in checked.obstacles]
    limit = "/proc/sys/kernel/kexec_load_limit_reboot"
    machine.files[limit] = "0\n"
    assert [item.id for item in planned(machine, load.unload).obstacles] == ["load-limit"]
    machine.files[limit] = "1\n"
    assert results(planned(machine, load.unload))["load-limit"] is Result.WARNING
    machine.files["/proc/sys/kernel/kexec_load_disabled"] = "1\n"
    assert [item.id for item in planned(machine, load.unload).obstacles] == ["load-disabled"]


def test_a_crash_image_is_loaded_only_after_complete_validation() -> None:
    image = KexecImage("/boot/vmlinuz", "/boot/initrd", b"", crash=True)
    assert image.all_flags == FileFlag.ON_CRASH
    source = recorded("linux-7.3.4/crash-loaded")
    whole = Check("image-complete", Result.UNKNOWN, "whether the file is whole")
    modules = Check("initrd-modules", Result.UNKNOWN, "what is in the initrd")
    both = whole, modules
    action = planned(source, partial(load.loading, change=Load(image), validation=both))
    assert action.obstacles == (whole,)
    assert (action.undone_by, action.risk) == (None, Risk.LOSS)
    assert "frees the crash image" in " ".join(action.effects)
    first = planned(
        recorded("linux-7.3.4/cold"), partial(load.loading, change=Load(image), validation=both)
    )
    assert (first.undone_by, first.risk, first.effects) == ("unload --crash", Risk.SMALL, ())
    assert not planned(source, partial(load.loading, change=Load(IMAGE), validation=both)).obstacles
    assert planned(source, partial(load.unload, crash=True)).changes == (Unload(crash=True),)


def test_execute_wants_an_image_and_says_what_becomes_of_sessions() -> None:
    source = Changeable("linux-7.3.4/sessions")
    start = partial(execute.execute, how=Execution.SYSTEM_CALL)
    assert [item.id for item in planned(source, start).obstacles] == ["loaded"]
    source.files["/sys/kernel/kexec_loaded"] = "1\n"
    action = planned(source, start)
    assert not action.obstacles
    assert results(action)["sessions"] is Result.PASS
    gentle = partial(execute.execute, how=Execution.SYSTEMD)
    action = planned(source, gentle)
    assert [item.id for item in action.obstacles] == ["systemd"]
    assert results(action)["sessions"] is Result.WARNING
    assert "cold boot" in " ".join(action.effects)
    source.files["/run/systemd/system"] = ""
    assert not planned(source, gentle).obstacles


def test_hotplug() -> None:
    source = recorded("linux-7.3.4/hotplugged")
    blocks = observe(source).memory.blocks
    assert not isinstance(blocks, Unknown)
    online = next(item for item in blocks if item.state == "online")
    word = f"memory{online.number}"
    action = planned(source, partial(hotplug.hotplug, word=word, online=False))
    assert action.changes == (Write(f"/sys/devices/system/memory/{word}/state", b"offline"),)
    assert action.undone_by == "online"
    assert results(action)["crash-image"] is Result.PASS
    back = planned(source, partial(hotplug.hotplug, word=word, online=True))
    assert [item.id for item in back.obstacles] == ["state"]
    assert (
        "memory9999"
        in refused(source, partial(hotplug.hotplug, word="memory9999", online=True)).reason
    )
    hole = refused(source, partial(hotplug.hotplug, word="memory20", online=False))
    assert hole.instead == "there are memory0-15, memory32-35"
    assert refused(source, partial(hotplug.hotplug, word="cpu4095", online=True)).instead
    for wrong in ("memory", "cpu-1", "memory01", "node0", "cpu1\n", "memory٣"):
        with pytest.raises(ValueError, match="neither"):
            hotplug.target(wrong)


def test_a_block_that_cannot_be_moved_is_told_beforehand() -> None:
    source = recorded("linux-7.3.4/cold")
    snapshot = observe(source)
    assert not isinstance(snapshot.scratch, Unknown)
    assert not isinstance(snapshot.memory.blocks, Unknown)
    area = snapshot.scratch[0].range
    block = next(item for item in snapshot.memory.blocks if item.range.overlaps(area))
    action = planned(source, partial(hotplug.hotplug, word=f"memory{block.number}", online=False))
    assert results(action)["unmovable"] is Result.WARNING
