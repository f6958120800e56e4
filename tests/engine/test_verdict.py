from collections.abc import Mapping
from dataclasses import replace

import pytest

from kho_console.engine import machine
from kho_console.engine.diagnose import diagnose
from kho_console.engine.observe import observe
from kho_console.engine.verdict import Standing, judge
from kho_console.model.finding import About, Finding, Severity
from kho_console.model.generation import Finalize, Generation, Protocol, State
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureSource
from tests.recordings import folder


def recorded(name: str) -> Snapshot:
    return observe(FixtureSource(folder(name)))


def loaded(snapshot: Snapshot, value: object, **more: object) -> Snapshot:
    return replace(snapshot, kexec=replace(snapshot.kexec, loaded=value, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "standing", "words"),
    [
        ("linux-6.18.15/cold", Standing.NOT_YET, "not finalized"),
        ("linux-6.18.15/aborted", Standing.NOT_YET, "not finalized"),
        ("linux-6.18.15/finalized", Standing.NOT_YET, "finalized, but no image is loaded"),
        ("linux-6.18.15/loaded-first", Standing.NOT_YET, "the image was loaded while"),
        ("linux-6.18.15/ready", Standing.CONDITIONAL, "the image was loaded after finalizing"),
        ("linux-7.1.13/cold", Standing.NOT_YET, "no image is loaded"),
        ("linux-7.3.4/ready", Standing.READY, "the next reboot will kexec into it"),
        ("linux-7.3.4/restored", Standing.NOT_YET, "no image is loaded"),
    ],
)
def test_recorded_states(name: str, standing: Standing, words: str) -> None:
    found = judge(recorded(name))
    assert found.standing is standing
    assert words in found.sentence


def test_what_a_ready_answer_rests_on_is_told() -> None:
    assert "kexec -s" in judge(recorded("linux-7.3.4/ready")).detail
    assert "load it again (kexec -s)" in judge(recorded("linux-6.18.15/ready")).detail
    assert "load it again" in judge(recorded("linux-6.18.15/loaded-first")).detail


def latching(state: State, *, live_update: bool) -> Snapshot:
    snapshot = recorded("linux-6.18.15/ready")
    generation = Generation(Protocol.KHO_V1, Finalize.LATCHING, "6.19 and 7.0", "/kho/out")
    return replace(snapshot, generation=generation, state=state, liveupdate_device=live_update)


def test_the_kernels_that_latch() -> None:
    found = judge(latching(State.OPEN, live_update=False))
    assert found.standing is Standing.NOT_YET
    assert "nothing is finalized" in found.sentence
    found = judge(latching(State.OPEN, live_update=True))
    assert found.standing is Standing.READY
    assert "the reboot finalizes by itself" in found.sentence
    found = judge(latching(State.FINALIZED, live_update=False))
    assert found.standing is Standing.READY
    found = judge(loaded(latching(State.OPEN, live_update=False), False))
    assert found.sentence == "not finalized; no image is loaded"


def test_errors_make_a_ready_answer_a_warned_one() -> None:
    snapshot = recorded("linux-7.3.4/ready")
    error = Finding("tree-torn", Severity.ERROR, "out/fdt", "torn", (), None, About.BLOBS)
    assert judge(snapshot, (error,)).standing is Standing.FLAWED
    assert judge(snapshot, (replace(error, severity=Severity.WARNING),)).standing is Standing.READY
    assert judge(recorded("linux-7.3.4/cold"), (error,)).standing is Standing.NOT_YET
    found = judge(recorded("linux-6.18.15/ready"), (error,))
    assert found.standing is Standing.FLAWED
    assert found.sentence == "but only if the image was loaded after finalizing"


def test_where_the_order_does_not_matter_there_is_no_condition() -> None:
    snapshot = recorded("linux-6.18.15/ready")
    generation = replace(snapshot.generation, order_matters=False)
    found = judge(replace(snapshot, generation=generation))
    assert (found.standing, found.sentence) == (
        Standing.READY,
        "finalized, and an image is loaded",
    )
    not_loaded = judge(loaded(snapshot, False))
    assert not_loaded.sentence == "finalized, but no image is loaded"


def test_loading_that_is_disabled() -> None:
    found = judge(loaded(recorded("linux-7.3.4/cold"), False, load_disabled=True))
    assert found.standing is Standing.NO
    assert "loading is disabled" in found.sentence


def test_an_image_that_nobody_can_see_is_not_one_that_is_missing() -> None:
    why = Unknown(Cause.NOT_RECORDED, "kexec_loaded is not recorded")
    found = judge(loaded(recorded("linux-7.3.4/ready"), why))
    assert found.standing is Standing.UNKNOWN
    assert found.detail == why.reason


def unavailable(why: Unknown, **changes: object) -> Snapshot:
    snapshot = recorded("linux-7.3.4/cold")
    return replace(snapshot, state=State.UNAVAILABLE, unavailable=why, **changes)  # type: ignore[arg-type]


GONE = Unknown(Cause.ABSENT, "/sys/kernel/debug/kho is not there")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"CONFIG_KEXEC_HANDOVER": "y"}, "off for this boot"),
        ({"CONFIG_KEXEC": "y"}, "built without kexec handover"),
    ],
)
def test_no_handover_in_the_words_of_the_finding(config: Mapping[str, str], words: str) -> None:
    machine = replace(
        recorded("linux-7.3.4/cold").machine, config=config, command_line=b"kho=off\n"
    )
    snapshot = unavailable(GONE, machine=machine)
    findings = diagnose(snapshot)
    found = judge(snapshot, findings)
    assert found.standing is Standing.NO
    assert words in found.sentence
    assert found.sentence in {item.text for item in findings}


def test_a_handover_that_cannot_be_seen() -> None:
    closed = Unknown(Cause.NOT_PERMITTED, "debugfs is for root")
    assert judge(unavailable(closed)).standing is Standing.UNKNOWN
    missing = machine.NOT_MOUNTED
    snapshot = unavailable(GONE, debugfs=missing)
    found = judge(snapshot, diagnose(snapshot))
    assert found.standing is Standing.UNKNOWN
    assert "debugfs is not mounted" in found.sentence


def test_the_2024_series() -> None:
    snapshot = recorded("linux-6.18.15/ready")
    generation = Generation(
        Protocol.RFC_2024,
        Finalize.ACTIVE_FILE,
        "never in a release",
        "/sys/kernel/kho",
        order_matters=True,
    )
    found = judge(replace(snapshot, generation=generation, state=State.OPEN))
    assert found.standing is Standing.NOT_YET
    assert "write 1 to active, then load it again" in found.detail
    active = judge(replace(snapshot, generation=generation, state=State.FINALIZED))
    assert active.standing is Standing.CONDITIONAL
    assert active.sentence == "the image was loaded after writing 1 to active"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hostile-kho2024-scratch", "lies in the scratch area"),
        ("hostile-kho2024-beyond", "does not lie in RAM"),
        ("hostile-kho2024-torn", "map of preserved memory cannot be read"),
        ("hostile-kho2024-no-tree", "root tree is damaged"),
        ("kho2024-without-scratch", "no scratch memory"),
    ],
)
def test_what_no_further_step_mends_is_a_no(name: str, words: str) -> None:
    snapshot = recorded(f"made/{name}")
    findings = diagnose(snapshot)
    found = judge(snapshot, findings)
    assert found.standing is Standing.NO
    assert words in found.sentence
    told = [item.remedy for item in findings if item.id == "not-finalized"]
    assert not any(told)
