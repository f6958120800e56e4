"""Mainline's procedure: what is dropped, kept and left alone, by architecture and kind of load."""

from dataclasses import replace

import pytest

from kho_console.model.crash_simulation import Answer, DumpEnd, ImageState
from kho_console.model.memory import MemoryRange
from tests.twin.test_crash_2021 import LOAD_AND_PLUG, MACHINE, ONLINE, OTHER, run

DIMM = MemoryRange(4 << 30, 128 << 20)
REMOVE = '[[step]]\ndo = "remove"\nmemory = "4G+128M"\n'


def on(architecture: str) -> str:
    return MACHINE.replace("[machine]", f'[machine]\narchitecture = "{architecture}"')


def cpu(deed: str, number: int, more: str = "") -> str:
    return f'[[step]]\ndo = "{deed}"\ncpu = {number}\n{more}'


def test_an_event_under_a_busy_lock_is_dropped_and_never_tried_again() -> None:
    busy = ONLINE + 'faults = ["lock-busy"]\n'
    found = run(MACHINE, LOAD_AND_PLUG, busy).steps[2].mainline
    assert found.answer is Answer.DROPPED
    message = "crash hp: kexec_trylock() failed, kdump image may be inaccurate"
    assert found.messages == (message,)
    assert found.state is ImageState.VALID
    assert (found.dump.end, found.dump.missing) == (DumpEnd.DUMP, (DIMM,))


@pytest.mark.parametrize(("architecture", "left"), [("x86_64", (DIMM,)), ("ppc64le", ())])
def test_a_removed_dimm_is_stale_on_x86_and_cut_out_on_powerpc(
    architecture: str, left: tuple[MemoryRange, ...]
) -> None:
    found = run(on(architecture), LOAD_AND_PLUG, ONLINE, OTHER, REMOVE)
    assert found.end.mainline.dump.stale == left


def test_powerpc_describes_offline_memory_again_at_the_next_event() -> None:
    more = ONLINE.replace("4G+", "8G+")
    plug = more.replace("online", "add")
    found = run(on("ppc64le"), LOAD_AND_PLUG, ONLINE, OTHER, plug, more, REMOVE)
    assert found.steps[3].mainline.dump.stale == ()
    assert found.end.mainline.dump.stale == (DIMM,)


@pytest.mark.parametrize("architecture", ["aarch64", "riscv64", "s390x"])
def test_other_architectures_need_a_reload(architecture: str) -> None:
    found = run(on(architecture), LOAD_AND_PLUG, ONLINE).steps[2]
    assert [item.answer for item in found.moments] == [Answer.NOT_UPDATABLE] * 2
    assert found.mainline.dump.missing == (DIMM,)


def test_a_new_cpu_needs_no_event_in_file_mode_and_all_of_2021s_work() -> None:
    machine = MACHINE.replace("possible = 2", "possible = 3\npresent = 2")
    steps = cpu("add", 2) + cpu("online", 2)
    found = run(machine, '[[step]]\ndo = "load"\n', steps)
    added, online = found.steps[1:3]
    assert added.rfc2021.dump.without == (2,)
    assert added.mainline.dump.without == ()
    assert (online.mainline.answer, online.mainline.written) == (Answer.NOTHING, 0)
    assert online.rfc2021.answer is Answer.UPDATED and online.rfc2021.hashed
    assert online.rfc2021.dump.complete


def test_a_kexec_load_image_is_updated_by_the_first_event_and_then_deaf_to_cpus() -> None:
    machine = MACHINE.replace("possible = 2", "possible = 4\npresent = 2") + 'mode = "load"\n'
    steps = "".join(cpu("add", at) + cpu("online", at) for at in (2, 3))
    found = run(machine, '[[step]]\ndo = "load"\n', steps)
    assert [step.mainline.answer for step in found.steps[1:5]] == [
        Answer.NOTHING,
        Answer.UPDATED,
        Answer.NOTHING,
        Answer.NOTHING,
    ]
    assert [step.mainline.dump.noted for step in found.steps[:3]] == [2, 2, 4]


def test_a_failed_first_cpu_event_is_never_made_up_for() -> None:
    machine = MACHINE.replace("possible = 2", "possible = 4\npresent = 2") + 'mode = "load"\n'
    failed = cpu("add", 2) + cpu("online", 2, 'faults = ["allocation"]\n')
    found = run(machine, '[[step]]\ndo = "load"\n', failed, cpu("add", 3), cpu("online", 3))
    broken = found.steps[2].mainline
    assert broken.messages == ("crash hp: unable to create new elfcorehdr",)
    assert broken.answer is Answer.NOT_PREPARED
    assert found.end.mainline.dump.without == (2, 3)


def test_on_powerpc_a_cpu_event_leaves_the_header_alone() -> None:
    machine = on("ppc64le").replace("possible = 2", "possible = 4\npresent = 2")
    more = cpu("add", 2) + cpu("online", 2)
    found = run(machine, 'mode = "load"\n', '[[step]]\ndo = "load"\n', more).end.mainline
    assert (found.written, found.dump.noted, found.dump.without) == (0, 2, (2,))


def test_the_first_rewrite_drops_the_copy_of_low_memory() -> None:
    machine = MACHINE.replace('"1M+511M"', '"4K+636K", "1M+511M"') + 'mode = "load"\n'
    low = MemoryRange(4 << 10, 636 << 10)
    loaded, _, online, _ = (
        step.mainline.dump for step in run(machine, LOAD_AND_PLUG, ONLINE).steps
    )
    assert low in loaded.described
    assert low not in online.described and DIMM in online.described
    assert loaded.complete and online.complete
    in_file_mode = run(machine.replace('"load"', '"file"'), LOAD_AND_PLUG).steps[0].mainline
    assert low not in in_file_mode.dump.described


@pytest.mark.parametrize(("room", "state"), [(3_670_016, "valid"), (3_674_112, "hang")])
def test_a_header_of_too_many_entries_stays_in_the_digest_that_an_update_breaks(
    room: int, state: str
) -> None:
    machine = MACHINE.replace('"4K"', str(room))
    plug = LOAD_AND_PLUG.replace("4G", "8G") + ONLINE.replace("4G", "8G")
    _, _, online, again, _ = run(machine, plug, OTHER.replace("4G", "8G")).steps
    assert online.mainline.state == again.mainline.state == ImageState(state)
    assert online.mainline.verified == (state == "valid")
    assert online.mainline.dump.end is (DumpEnd.DUMP if state == "valid" else DumpEnd.HANG)
    by_load = run(machine + 'mode = "load"\n', plug).steps[2].mainline
    assert by_load.state is ImageState.VALID and by_load.verified


@pytest.mark.parametrize(
    ("architecture", "file_mode", "load_mode"),
    [
        ("x86_64", True, True),
        ("riscv64", True, True),
        ("s390x", True, True),
        ("ppc64le", None, True),
        ("aarch64", None, True),
    ],
)
def test_a_digest_verifies_only_where_somebody_looks(
    architecture: str, file_mode: bool | None, load_mode: bool
) -> None:
    load = '[[step]]\ndo = "load"\n'
    for mode, verified in (("file", file_mode), ("load", load_mode)):
        found = run(on(architecture), f'mode = "{mode}"\n', load).end.mainline
        assert found.verified is verified
        assert found.dump.end is DumpEnd.DUMP


def test_a_kexec_load_image_without_the_flag_is_not_updatable() -> None:
    machine = MACHINE + 'mode = "load"\nhotplug = false\n'
    found = run(machine, LOAD_AND_PLUG, ONLINE).steps[2].mainline
    assert found.answer is Answer.NOT_UPDATABLE
    assert [item.number for item in found.procedure] == [1, 2, 3]


def test_an_overflow_keeps_the_old_header_and_the_image_stays_armed() -> None:
    many = 'every = "256M"\ncount = 80\n'
    found = run(MACHINE, LOAD_AND_PLUG, many, ONLINE, many).steps[2].mainline
    assert found.messages == ("crash hp: update elfcorehdr elfsz 8192 > memsz 4096",)
    assert (found.answer, found.state) == (Answer.TOO_SMALL, ImageState.VALID)
    assert found.verified and found.dump.end is DumpEnd.DUMP
    assert len(found.dump.missing) == 80


def test_an_unloaded_image_takes_no_event() -> None:
    found = run(MACHINE, LOAD_AND_PLUG, '[[step]]\ndo = "unload"\n', ONLINE).steps[3]
    assert {item.answer for item in found.moments} == {Answer.NOTHING}
    assert {replace(item, design=found.mainline.design).dump.end for item in found.moments} == {
        DumpEnd.NO_DUMP
    }
