"""Machines of the series of 2024, as every other machine is looked at, checked and changed."""

import errno
from functools import partial
from pathlib import Path

import pytest

from kho_console.engine.actions import execute, load, step, steps
from kho_console.engine.actions.perform import perform
from kho_console.engine.actions.planning import Planner, plan
from kho_console.engine.capture import capture
from kho_console.engine.diagnose import diagnose
from kho_console.engine.life_cycle import WayBack, life_cycle
from kho_console.engine.observe import observe
from kho_console.engine.preflight import check
from kho_console.engine.rehearsal import rehearsed
from kho_console.engine.verdict import judge
from kho_console.model.action import Action, Risk
from kho_console.model.blob import BlobState
from kho_console.model.change import KexecImage
from kho_console.model.check import Result
from kho_console.model.finding import Severity
from kho_console.model.generation import MapFormat, State
from kho_console.model.outcome import Ending
from kho_console.model.owner import OwnerKind
from kho_console.model.preserved import PreservedMap
from kho_console.model.snapshot import Side, Snapshot
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureSource
from kho_console.twin import TwinSource
from tests.engine.answers import unknown
from tests.engine.changeable import Changeable, refuse
from tests.engine.same import shape
from tests.engine.test_perform import LOAD, explained, writer
from tests.made_2024 import CACHE_AT, GUEST, ODD, SCRATCH, TREE_AT, buffer, made
from tests.recordings import folder


def source(name: str) -> FixtureSource:
    return FixtureSource(folder(f"made/{name}"))


def seen(name: str) -> Snapshot:
    return observe(source(f"kho2024-{name}"))


def came_in(name: str) -> Side:
    found = seen(name).incoming
    assert isinstance(found, Side)
    return found


def ranges_of(found: object) -> list[tuple[int, int]]:
    assert isinstance(found, PreservedMap)
    assert found.format is MapFormat.MEM_ARRAYS
    return list(found.ranges.pairs())


EXPECTED = [
    (0x1000_0000, 0x1000_2000),
    (0x1010_0000, 0x1010_4000),
    (GUEST.start, GUEST.end),
    (ODD.start - 0x800, ODD.end + 0x800),
]
"""Whole pages, joined where they touch."""


def test_what_goes_out_and_whose_it_is() -> None:
    snapshot = seen("active")
    assert snapshot.state is State.FINALIZED
    assert ranges_of(snapshot.outgoing.preserved) == EXPECTED
    blobs = snapshot.outgoing.blobs
    assert not isinstance(blobs, Unknown)
    assert [(item.name, item.compatible, item.state) for item in blobs] == [
        (b"ftrace", b"ftrace-v1", BlobState.VALID),
        (b"guest", b"acme,guest-v1", BlobState.VALID),
    ]
    fields = {item.path: item.value for item in blobs[0].fields}
    assert fields["/events/2/crc"] == 0xC0FFEE
    assert fields["/global-trace/trace-flags"] == 0x5700
    assert fields["/global-trace/cpu1/mem/3/address"] == buffer(1).pages[1][1].start
    owners = snapshot.inventory.ownership
    assert not isinstance(owners, Unknown)
    assert {(item.owner.kind, item.owner.name) for item in owners} == {
        (OwnerKind.TRACE_BUFFER, b"global-trace/cpu0"),
        (OwnerKind.TRACE_BUFFER, b"global-trace/cpu1"),
        (OwnerKind.BLOB, b"guest"),
    }
    assert not snapshot.booted_through_handover


@pytest.mark.parametrize("name", ["restored", "restored-arm64"])
def test_what_came_in_and_what_became_of_it(name: str) -> None:
    snapshot, side = seen(name), came_in(name)
    assert snapshot.booted_through_handover is True
    assert snapshot.state is State.OPEN
    assert snapshot.outgoing.preserved == Unknown(Cause.NOT_YET, "not active yet")
    assert not isinstance(side.tree, Unknown) and side.tree.address == TREE_AT
    found = side.preserved
    assert ranges_of(found) == EXPECTED
    assert isinstance(found, PreservedMap) and found.root == CACHE_AT
    assert not isinstance(side.blobs, Unknown)
    assert [item.reason for item in side.blobs] == [
        "of 8 ranges 4 claimed, 4 returned, 0 waiting",
        "of 2 ranges 0 claimed, 0 returned, 2 waiting",
    ]


def test_a_mem_cache_that_is_gone_leaves_the_tree_to_tell() -> None:
    assert ranges_of(came_in("restored").preserved) == EXPECTED
    side = observe(source("hostile-kho2024-cache")).incoming
    assert isinstance(side, Side) and ranges_of(side.preserved) == EXPECTED


def test_a_torn_tree_is_not_shown_as_an_empty_map() -> None:
    found = unknown(observe(source("hostile-kho2024-torn")).outgoing.preserved)
    assert found.cause is Cause.INVALID
    assert unknown(observe(source("hostile-kho2024-no-tree")).outgoing.preserved).cause is (
        Cause.INVALID
    )


@pytest.mark.parametrize("name", made())
def test_a_capture_shows_the_same(name: str, tmp_path: Path) -> None:
    origin = source(name)
    capture(origin, tmp_path / "new")
    assert shape(observe(FixtureSource(tmp_path / "new"))) == shape(observe(origin))


def test_its_own_life_cycle() -> None:
    cycle = life_cycle(seen("inactive"))
    assert cycle.stations == ("inactive", "active", "loaded", "next kernel")
    assert cycle.verbs == ("activate", "load", "execute")
    assert cycle.back == (WayBack(1, 0, "deactivate"), WayBack(2, 1, "unload"))
    assert (cycle.here, life_cycle(seen("active")).here) == (0, 1)
    assert steps.of(seen("active"))[:2] == ("activate", "deactivate")


def test_activate_and_deactivate_are_proven_by_what_is_read_back(tmp_path: Path) -> None:
    twin = rehearsed(source("kho2024-inactive"))
    for planner, wanted in ((step.activate, State.FINALIZED), (step.deactivate, State.OPEN)):
        action = plan(twin, planner)
        assert isinstance(action, Action)
        assert perform(twin, planner, action, writer(tmp_path)).ending is Ending.DONE
        assert observe(twin).state is wanted


@pytest.mark.parametrize(
    ("number", "meaning"),
    [
        (errno.EINVAL, "a producer failed"),
        (errno.ENOMEM, "no scratch area is reserved"),
        (errno.EACCES, "the kernel keeps this file shut"),
    ],
)
def test_errnos_in_words(number: int, meaning: str) -> None:
    machine = Changeable("made/kho2024-inactive", refuse(number))
    assert meaning in explained(machine, step.activate).text


def test_a_load_that_scratch_forbids_in_words() -> None:
    machine = Changeable("made/hostile-kho2024-scratch", refuse(errno.EINVAL, "kexec_file_load"))
    assert "preserved memory lies in the scratch area" in explained(machine, LOAD).text
    machine = Changeable("made/kho2024-active", refuse(errno.EINVAL, "kexec_file_load"))
    assert "does not take the command line" in explained(machine, LOAD).text


@pytest.mark.parametrize(
    ("release", "result"),
    [
        ("2024-rfc", Result.PASS),
        ("6.7", Result.FAIL),
        ("6.16", Result.FAIL),
        ("6.18", Result.FAIL),
        ("7.3", Result.FAIL),
    ],
)
def test_only_its_own_kind_takes_its_handover(release: str, result: Result) -> None:
    found = check(seen("active"), KexecImage(f"twin:{release}", None, b"kho=on"))
    [answer] = [item for item in found.checks if item.id == "kho-version"]
    assert answer.result is result, answer
    ours = [item.result for item in found.checks if item.id in ("kho-argument", "target-config")]
    assert ours == [Result.PASS, Result.PASS] or release == "6.7"


def test_mainline_is_not_understood_by_it() -> None:
    snapshot = observe(FixtureSource(folder("linux-6.18.15/finalized")))
    found = check(snapshot, KexecImage("twin:2024-rfc", None, b""))
    [answer] = [item for item in found.checks if item.id == "kho-version"]
    assert answer.result is Result.FAIL
    assert "takes nothing of what is handed over" in answer.text


def test_scratch_is_one_area() -> None:
    areas = seen("inactive").scratch
    assert not isinstance(areas, Unknown)
    assert [item.range for item in areas] == [SCRATCH]


SAME = KexecImage("twin:2024-rfc", None, b"")


def done(twin: TwinSource, planner: Planner, place: Path) -> Action:
    action = plan(twin, planner)
    assert isinstance(action, Action)
    assert perform(twin, planner, action, writer(place)).ending is Ending.DONE
    return action


def test_an_image_may_lead_to_a_handover_that_was_taken_back(tmp_path: Path) -> None:
    twin = rehearsed(source("kho2024-active"))
    done(twin, partial(load.load, image=SAME), tmp_path)
    ahead = plan(twin, execute.execute)
    assert isinstance(ahead, Action)
    [ready] = [item.text for item in ahead.preconditions if item.id == "handover"]
    assert ready == "the handover goes along only if the image was loaded after writing 1 to active"
    action = done(twin, step.deactivate, tmp_path)
    assert (action.risk, action.undone_by) == (Risk.LOSS, None)
    [image] = [item for item in action.preconditions if item.id == "image"]
    assert image.remedy == "unload the image first"
    snapshot = observe(twin)
    verdict = judge(snapshot)
    assert "or it was taken back since" in verdict.sentence
    assert "unload it before any reboot" in verdict.detail
    [finding] = [item for item in diagnose(snapshot) if item.id == "image-before-finalize"]
    assert finding.severity is Severity.ERROR
    assert "leads to memory that is no longer kept" in finding.text
    # It may well carry it: here it does.
    done(twin, execute.execute, tmp_path)
    assert observe(twin).booted_through_handover


def test_what_waits_unclaimed_is_told_before_it_is_lost(tmp_path: Path) -> None:
    twin = rehearsed(source("kho2024-restored"))
    for planner in (step.activate, partial(load.load, image=SAME), execute.execute):
        action = done(twin, planner, tmp_path)
        [check] = [item for item in action.preconditions if item.id == "unclaimed"]
        assert check.result is Result.WARNING
        assert "guest (2052 KiB) came in" in check.text
        if planner is step.activate:
            found = [item for item in diagnose(observe(twin)) if item.id == "kho-2024-unclaimed"]
            assert [item.severity for item in found] == [Severity.WARNING]
    side = observe(twin).incoming
    assert isinstance(side, Side) and side.blob(b"guest") is None


def test_a_step_that_was_done_already_says_so(tmp_path: Path) -> None:
    twin = rehearsed(source("kho2024-active"))
    action = plan(twin, step.activate)
    assert isinstance(action, Action)
    told = perform(twin, step.activate, action, writer(tmp_path)).text
    assert told.endswith("it was so already, and nothing was done")


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("kho2024-active", Result.PASS),
        ("hostile-kho2024-scratch", Result.FAIL),
        ("hostile-kho2024-beyond", Result.FAIL),
        ("hostile-kho2024-torn", Result.WARNING),
    ],
)
def test_preserved_memory_that_cannot_go_over_fails_the_preflight(
    name: str, result: Result
) -> None:
    checks = check(observe(source(name)), SAME).checks
    assert [item.result for item in checks if item.id == "preserved-memory"] == [result]


def test_a_handover_that_was_refused_is_not_left_over(tmp_path: Path) -> None:
    twin = rehearsed(source("kho2024-active"))
    done(twin, partial(load.load, image=KexecImage("twin:6.16", None, b"")), tmp_path)
    action = plan(twin, execute.execute)
    assert isinstance(action, Action)
    perform(twin, execute.execute, action, writer(tmp_path))
    ids = [item.id for item in diagnose(observe(twin))]
    assert "handover-refused" in ids and "handover-left-over" not in ids
