"""The procedure of 2021: every failure, every moment of a panic."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from kho_console.engine.crash.scenario_file import parse
from kho_console.engine.crash.simulation import simulate
from kho_console.model.crash_simulation import (
    Answer,
    CrashSimulation,
    Design,
    DumpEnd,
    Fault,
    ImageState,
    Moment,
)

MACHINE = """
[machine]
possible = 2
ram = ["1M+511M"]
region = "256M+64M"
[image]
elfcorehdr = "4K"
"""
LOAD_AND_PLUG = """
[[step]]
do = "load"
[[step]]
do = "add"
memory = "4G+128M"
"""
ONLINE = """
[[step]]
do = "online"
memory = "4G+128M"
"""


def run(*parts: str) -> CrashSimulation:
    return simulate(parse("".join(parts).encode(), "test"))


def faulty(fault: Fault) -> Moment:
    """The design of 2021 after an event in which one thing goes wrong."""
    found = run(MACHINE, LOAD_AND_PLUG, ONLINE, f'faults = ["{fault}"]\n')
    return found.steps[2].rfc2021


@dataclass(frozen=True)
class Row:
    """A failure: its step, what is logged, where it ends."""

    step: int
    message: str
    state: ImageState
    end: DumpEnd


A, U, D = ImageState.UNTOUCHED, ImageState.DISARMED, ImageState.HANG
ROWS: Mapping[Fault, Row] = {
    Fault.LOST_INDEX: Row(3, "unable to locate elfcorehdr or purgatory segments", A, DumpEnd.DUMP),
    Fault.ALLOCATION: Row(4, "unable to prepare elfcore headers", A, DumpEnd.DUMP),
    Fault.PURGATORY: Row(7, "Initializing purgatory failed", A, DumpEnd.DUMP),
    Fault.GET_REGISTERS: Row(9, "can not extract entry64_regs", A, DumpEnd.DUMP),
    Fault.SET_REGISTERS: Row(9, "Could not set entry64_regs", A, DumpEnd.DUMP),
    Fault.MAP_SEGMENT: Row(
        10, "unable to map segment 2: 10005000 for 16384 bytes", A, DumpEnd.DUMP
    ),
    Fault.DIGEST: Row(11, "recompute digest failed", A, DumpEnd.DUMP),
    Fault.MAP_HEADER: Row(13, "", D, DumpEnd.HANG),
    Fault.COPY_PURGATORY: Row(14, "reloading purgatory failed", U, DumpEnd.NO_DUMP),
}


@pytest.mark.parametrize("fault", ROWS, ids=str)
def test_a_failure_ends_as_the_specification_says(fault: Fault) -> None:
    row, found = ROWS[fault], faulty(fault)
    assert [item.number for item in found.procedure if item.failed] == [row.step]
    assert found.messages == ((f"crash hp: {row.message}",) if row.message else ())
    assert (found.state, found.dump.end) == (row.state, row.end)
    assert found.procedure[-1].number == 16
    if row.state is A:
        assert found.verified
        assert sum(item.size for item in found.dump.missing) == 128 << 20


def test_the_two_other_failures() -> None:
    load_mode = run(MACHINE, 'mode = "load"\n', LOAD_AND_PLUG, ONLINE).steps[2].rfc2021
    assert load_mode.messages == ("crash hp: support kexec_file_load only",)
    assert (load_mode.answer, load_mode.state) == (Answer.NOT_UPDATABLE, A)
    many = LOAD_AND_PLUG + 'every = "256M"\ncount = 80\n' + ONLINE + 'every = "256M"\ncount = 80\n'
    small = run(MACHINE, many).steps[2].rfc2021
    room = "not enough room to update elfcorehdr elfsz 8192 > memsz 4096"
    assert small.messages == (f"crash hp: {room}",)
    assert (small.answer, small.state, small.events) == (Answer.TOO_SMALL, A, 80)


def test_an_event_that_works_digests_the_image_and_rewrites_header_and_purgatory() -> None:
    found = run(MACHINE, LOAD_AND_PLUG, ONLINE).steps[2]
    assert [item.number for item in found.rfc2021.procedure] == list(range(1, 17))
    assert found.rfc2021.state is ImageState.VALID and found.rfc2021.verified
    assert found.rfc2021.hashed == 4096 + (16 << 10) + (256 << 10) + (128 << 10)
    assert found.rfc2021.written == 4096 + (16 << 10)
    assert (found.mainline.hashed, found.mainline.written) == (0, 4096)


@pytest.mark.parametrize("locks", [True, False])
@pytest.mark.parametrize("step", range(1, 17))
def test_a_panic_in_any_step(step: int, locks: bool) -> None:
    design = f"[rfc2021]\ncaller-locks = {str(locks).lower()}\n"
    during = f"during = {{ 2021 = {step} }}\n"
    found = run(MACHINE, design, LOAD_AND_PLUG, ONLINE, during)
    moment = found.end.rfc2021
    assert found.steps[2].rfc2021.answer is Answer.INTERRUPTED
    assert found.steps[2].rfc2021.procedure[-1].number == step
    if locks or step in (12, 13, 14):
        assert moment.dump.end is DumpEnd.NO_DUMP
    else:
        assert moment.dump.end is DumpEnd.DUMP
        assert moment.dump.complete == (step > 14)
    assert found.end.mainline.dump.complete


@pytest.mark.parametrize("step", range(1, 13))
def test_a_panic_in_any_step_of_mainline(step: int) -> None:
    found = run(MACHINE, LOAD_AND_PLUG, ONLINE, f"during = {{ mainline = {step} }}\n")
    end = found.end.mainline.dump.end
    assert end is (DumpEnd.DUMP if step == 1 else DumpEnd.NO_DUMP)
    assert (found.end.mainline.state is ImageState.WINDOW) == (step == 10)
    assert found.end.rfc2021.dump.complete


OTHER = ONLINE.replace("online", "offline")


def test_a_hang_is_mended_by_the_next_event_and_a_disarmed_image_by_nothing_but_a_load() -> None:
    def after(fault: Fault) -> list[Moment]:
        lines = f'faults = ["{fault}"]\n'
        load = '[[step]]\ndo = "load"\n'
        found = run(MACHINE, LOAD_AND_PLUG, ONLINE, lines, OTHER, ONLINE, load)
        return [step.rfc2021 for step in found.steps[2:6]]

    hang = after(Fault.MAP_HEADER)
    assert [item.state for item in hang] == [ImageState.HANG] + [ImageState.VALID] * 3
    gone = after(Fault.COPY_PURGATORY)
    assert [item.state for item in gone] == [ImageState.DISARMED] * 3 + [ImageState.VALID]
    assert [item.answer for item in gone[1:3]] == [Answer.NOTHING] * 2


def test_a_header_that_was_not_written_hangs_only_where_it_changed() -> None:
    again = OTHER + 'faults = ["map-header"]\n'
    found = run(MACHINE, LOAD_AND_PLUG, ONLINE, again).steps[3].rfc2021
    assert found.state is ImageState.VALID and found.verified
    assert [item.number for item in found.procedure if item.failed] == [13]


def test_a_failed_event_does_not_mend_a_hang() -> None:
    hang = ONLINE + 'faults = ["map-header"]\n'
    failed = OTHER + 'faults = ["allocation"]\n'
    found = run(MACHINE, LOAD_AND_PLUG, hang, failed).steps[3].rfc2021
    assert found.state is ImageState.HANG and not found.verified


def test_why_there_is_no_dump_is_told_by_how_the_image_stands() -> None:
    free = "[rfc2021]\ncaller-locks = false\n"
    window = "during = { 2021 = 13 }\n"
    lost = 'faults = ["copy-purgatory"]\n'
    whys = [
        run(MACHINE, design, LOAD_AND_PLUG, ONLINE, wrong).end.rfc2021.dump.why
        for design, wrong in (("", window), (free, window), ("", lost), (free, lost))
    ]
    lost_words = "the kernel has lost its image, and only its log says so"
    assert whys == [
        "the kexec lock is held, and a panic only tries it",
        "the image is taken from the kernel while it is updated",
        lost_words,
        lost_words,
    ]


def test_both_designs_have_a_word() -> None:
    assert [item.design for item in run(MACHINE, LOAD_AND_PLUG).end.moments] == list(Design)
