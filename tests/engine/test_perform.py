"""Doing it: the lock, the second look, the journal, the proof, and the kernel's refusals."""

import errno
import gzip
import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from kho_console.engine import journal_records
from kho_console.engine.actions import execute, hotplug, load, step
from kho_console.engine.actions.perform import Writer, perform
from kho_console.engine.actions.planning import Planner, plan
from kho_console.engine.actions.probe import value
from kho_console.engine.errnos import explain
from kho_console.engine.journal import Journal
from kho_console.engine.journal_records import Now
from kho_console.engine.observe import observe
from kho_console.engine.opening import open_source, rehearse, writable
from kho_console.engine.writer_lock import WriterLock
from kho_console.model.action import Action, Expectation
from kho_console.model.change import Change, Execute, Execution, KexecImage, Load, Write
from kho_console.model.check import Result
from kho_console.model.outcome import Ending, Explained, Outcome
from kho_console.model.record import Who
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.protocol import NotAskedError, SourceError, SourceKind
from tests.abi.kernel_files import bzimage, cpio, vmlinux
from tests.engine.changeable import Answer, Changeable, put, refuse

FINALIZE = "/sys/kernel/debug/kho/out/finalize"
LOADED = "/sys/kernel/kexec_loaded"
ME = Who(0, "root", "alice", "/dev/pts/3", "10.0.0.1 1 10.0.0.2 22")
FIRST = Write(FINALIZE, b"1")
IMAGE = KexecImage("/boot/vmlinuz", None, b"kho=on")
CRASH = KexecImage("/boot/vmlinuz", None, b"", crash=True)
LOAD = partial(load.loading, change=Load(IMAGE), validation=())


def agreed(machine: Changeable, planner: Planner, journal: Path | None = None) -> Action:
    action = plan(machine, planner, journal=journal)
    assert isinstance(action, Action)
    return action


def done(machine: Changeable, planner: Planner, with_writer: Writer | None = None) -> Outcome:
    with TemporaryDirectory() as folder:
        mine = with_writer or writer(Path(folder))
        assert mine.journal is not None
        return perform(machine, planner, agreed(machine, planner, mine.journal.path), mine)


def explained(machine: Changeable, planner: Planner) -> Explained:
    outcome = done(machine, planner)
    assert outcome.ending is Ending.KERNEL_REFUSED
    assert outcome.explained is not None
    return outcome.explained


def writer(place: Path) -> Writer:
    return Writer(Journal(place / "j/journal", ME, mirror=None), WriterLock(place / "lock", ME))


def test_done_means_read_back(tmp_path: Path) -> None:
    machine = Changeable("linux-6.18.15/cold", put(FINALIZE, "1\n"))
    outcome = done(machine, step.finalize, writer(tmp_path))
    assert outcome.ending is Ending.DONE
    assert machine.asked == [Write(FINALIZE, b"1")]
    assert [(item.path, item.found, item.telling) for item in outcome.found] == [
        (FINALIZE, "1", True)
    ]
    begin, end = map(json.loads, (tmp_path / "j/journal").read_text().splitlines())
    assert begin["step"] == "begin"
    assert begin["who"]["login"] == "alice"
    assert begin["boot"] == "boot-1"
    assert begin["changes"] == [{"call": "write", "path": FINALIZE, "data": "1"}]
    assert (end["step"], end["id"], end["ending"]) == ("end", begin["id"], "done")


def test_a_write_that_returns_proves_nothing() -> None:
    outcome = done(Changeable("linux-6.18.15/cold"), step.finalize)
    assert outcome.ending is Ending.UNPROVEN
    assert f"{FINALIZE}: 0" in outcome.text


def test_a_file_that_read_so_before_is_a_weak_proof_and_says_so() -> None:
    machine = Changeable("linux-7.3.4/ready")
    assert "rests on the kernel's answer alone" in done(machine, LOAD).text


def test_an_unload_of_nothing_says_so_and_what_stays() -> None:
    outcome = done(Changeable("linux-7.3.4/crash-loaded"), load.unload)
    assert outcome.ending is Ending.DONE
    assert "nothing was loaded for a reboot; the crash image stays" in outcome.text
    crash = partial(load.unload, crash=True)
    assert "no crash image was loaded" in done(Changeable("linux-7.3.4/cold"), crash).text


def test_the_crash_image_flickers_while_the_kernel_updates_it() -> None:
    class Flickering(Changeable):
        reads = 0

        def read(self, path: str, limit: int = 1 << 20) -> bytes:
            if path.endswith("crash_loaded") and self.asked:
                self.reads += 1
                return b"0\n" if self.reads == 1 else b"1\n"
            return super().read(path, limit)

    machine = Flickering("linux-7.3.4/crash-loaded")
    crash = partial(load.loading, change=Load(CRASH), validation=())
    assert done(machine, crash).ending is Ending.DONE


def test_the_journal_is_on_disk_before_the_change_and_refuses_it_where_it_cannot_be(
    tmp_path: Path,
) -> None:
    seen: list[str] = []

    def answer(machine: Changeable, change: Change) -> None:
        seen.append((tmp_path / "j/journal").read_text())

    machine = Changeable("linux-6.18.15/cold", answer)
    done(machine, step.finalize, writer(tmp_path))
    assert json.loads(seen[0])["step"] == "begin"
    (tmp_path / "file").touch()
    blocked = replace(writer(tmp_path), journal=Journal(tmp_path / "file/journal", ME, mirror=None))
    untouched = Changeable("linux-6.18.15/cold")
    outcome = done(untouched, step.finalize, blocked)
    assert (outcome.ending, untouched.asked) == (Ending.REFUSED, [])
    assert "journal" in outcome.text


def test_only_one_writes(tmp_path: Path) -> None:
    machine = Changeable("linux-6.18.15/cold")
    with WriterLock(tmp_path / "lock", Who(1000, "bob", None, "/dev/tty1", None)):
        outcome = done(machine, step.finalize, writer(tmp_path))
    assert (outcome.ending, machine.asked) == (Ending.REFUSED, [])
    assert "bob on /dev/tty1" in outcome.text


def test_a_live_machine_wants_both_the_journal_and_the_lock(tmp_path: Path) -> None:
    machine, whole = Changeable("linux-6.18.15/cold"), writer(tmp_path)
    action = agreed(machine, step.finalize)
    for missing in ("journal", "lock"):
        outcome = perform(machine, step.finalize, action, replace(whole, **{missing: None}))
        assert (outcome.ending, machine.asked) == (Ending.REFUSED, [])
        assert f"without a {missing}" in outcome.text
    machine.kind = SourceKind.TWIN
    assert perform(machine, step.finalize, action, Writer()).ending is Ending.UNPROVEN


@pytest.mark.parametrize("crash", [False, True])
def test_an_image_that_is_another_one_than_was_agreed_to_is_not_loaded(
    tmp_path: Path, crash: bool
) -> None:
    """Between the agreement and the load, and between the last look and the call."""
    machine = Changeable("linux-7.3.4/crash-loaded" if crash else "linux-7.3.4/cold")
    kernel, disk = tmp_path / "kernel", tmp_path / "initrd"
    kernel.write_bytes(bzimage(gzip.compress(vmlinux())))
    disk.write_bytes(cpio("lib/modules/7.3.4/x"))
    image = KexecImage(str(kernel), str(disk), b"kho=on", crash)
    planner = partial(load.load, image=image)
    certain = agreed(machine, planner)
    action = replace(certain, preconditions=(), certain=frozenset())
    disk.write_bytes(disk.read_bytes() + bytes(512))
    outcome = perform(machine, planner, action, writer(tmp_path))
    assert (outcome.ending, machine.asked) == (Ending.REFUSED, [])
    assert f"{disk}: it has" in outcome.text

    def exchange(asked: Changeable, change: Change) -> None:
        raise NotAskedError(f"{kernel}: it was written to since it was checked")

    machine = Changeable("linux-7.3.4/cold", exchange)
    outcome = done(machine, LOAD, writer(tmp_path))
    assert outcome.ending is Ending.REFUSED and "was written to" in outcome.text
    last = (tmp_path / "j/journal").read_text().splitlines()[-1]
    assert (json.loads(last)["ending"], json.loads(last)["errno"]) == ("refused", None)
    here = Now("boot-1", Unknown(Cause.ABSENT, ""), Unknown(Cause.ABSENT, ""))
    assert journal_records.read(tmp_path / "j/journal", here).records[-1].standing == "refused"


def test_a_machine_that_changed_since_it_was_looked_at_is_left_alone(tmp_path: Path) -> None:
    machine = Changeable("linux-6.18.15/cold")
    action = agreed(machine, step.finalize)
    machine.files[FINALIZE] = "1\n"
    outcome = perform(machine, step.finalize, action, writer(tmp_path))
    assert (outcome.ending, machine.asked) == (Ending.REFUSED, [])
    assert [item.id for item in outcome.obstacles] == ["state"]
    other = perform(machine, step.abort, action, writer(tmp_path))
    assert (other.ending, machine.asked) == (Ending.REFUSED, [])


def test_what_stands_worse_than_when_it_was_agreed_to_is_asked_again(tmp_path: Path) -> None:
    machine = Changeable("linux-6.18.15/cold")
    action = agreed(machine, step.finalize)
    machine.files[LOADED] = "1\n"
    assert not plan(machine, step.finalize).obstacles  # type: ignore[union-attr]
    outcome = perform(machine, step.finalize, action, writer(tmp_path))
    assert (outcome.ending, machine.asked) == (Ending.REFUSED, [])
    assert "has changed since this was planned" in outcome.text


def test_one_question_with_two_answers_does_not_stand_worse_by_itself(tmp_path: Path) -> None:
    """Sessions still to be retrieved are a warning; that none is held is a pass."""
    machine = rehearse(open_source("linux-6.19.11/restored"))
    planner = partial(load.load, image=KexecImage("twin:6.19.11", None, b"kho=on liveupdate=on"))
    twin = writable(machine)
    action = plan(machine, planner)
    assert isinstance(action, Action) and twin is not None
    both = [item.result for item in action.preconditions if item.id == "sessions"]
    assert both == [Result.WARNING, Result.PASS]
    assert perform(twin, planner, action, Writer()).ending is Ending.DONE


def test_a_file_that_cannot_be_read_does_not_count_as_gone() -> None:
    machine = Changeable("linux-6.18.15/finalized")
    gone = Expectation("/sys/kernel/debug/kho/out/fdt", None)
    machine.files[gone.path] = None
    assert value(machine, gone) is None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine, "read", lambda path, limit=0: refuse(1, path)(machine, FIRST))
        assert "not permitted" in str(value(machine, gone))


def test_a_kexec_is_proven_by_the_next_boot_only() -> None:
    machine = Changeable("linux-7.3.4/ready")
    start = partial(execute.execute, how=Execution.SYSTEM_CALL)
    assert done(machine, start).ending is Ending.PENDING
    assert machine.asked == [Execute(Execution.SYSTEM_CALL)]

    def arrive(asked: Changeable, change: Change) -> None:
        asked.boot = "boot-2"

    lost = Changeable("linux-7.3.4/ready", arrive)
    outcome = done(lost, partial(execute.execute, how=Execution.SYSTEM_CALL))
    assert outcome.ending is Ending.UNPROVEN
    assert "took no handover" in outcome.text


def test_a_kernel_without_a_handover_loses_none() -> None:
    machine = writable(rehearse(open_source("linux-7.3.4/ready")))
    assert machine is not None
    for name, line in (("6.12", b""), ("7.3", b"kho=on")):
        machine.change(Load(KexecImage(f"twin:{name}", None, line)))
        action = plan(machine, execute.execute)
        assert isinstance(action, Action)
        outcome = perform(machine, execute.execute, action, Writer())
        lost = name == "6.12"
        assert outcome.ending is (Ending.UNPROVEN if lost else Ending.DONE)
        assert ("is lost" in outcome.text) is lost


def test_a_map_that_is_misread_is_no_handover_that_is_proven() -> None:
    machine = writable(rehearse(open_source("linux-6.18.15/finalized")))
    assert machine is not None
    machine.change(Load(KexecImage("twin:6.17", None, b"kho=on")))
    action = plan(machine, execute.execute)
    assert isinstance(action, Action)
    outcome = perform(machine, execute.execute, action, Writer())
    assert outcome.ending is Ending.UNPROVEN
    assert "read its map as chunks-512, not chunks-page" in outcome.text


def test_a_handover_that_was_taken_back_is_none_that_is_proven() -> None:
    """The image still points at the tree's page, and the pages that it names were free since."""
    machine = writable(rehearse(open_source("linux-6.18.15/ready")))
    assert machine is not None
    machine.change(Write(FINALIZE, b"0"))
    action = plan(machine, execute.execute)
    assert isinstance(action, Action)
    outcome = perform(machine, execute.execute, action, Writer())
    assert outcome.ending is Ending.UNPROVEN
    assert "taken back" in outcome.text


STEP = [
    ("linux-6.18.15/cold", step.finalize, errno.EEXIST, "earlier failed try"),
    ("linux-6.18.15/cold", step.finalize, errno.ESRCH, "FDT_ERR_NOSPACE"),
    ("linux-6.17.8/cold", step.finalize, errno.E2BIG, "FDT_ERR_BADSTATE"),
    ("linux-6.17.8/cold", step.finalize, errno.EINVAL, "not page aligned"),
    ("linux-6.18.15/finalized", step.abort, errno.ENOENT, "nothing is finalized"),
    ("linux-6.18.15/cold", step.finalize, errno.ENOMEM, "no memory"),
    ("linux-6.19.11/cold", step.finalize, errno.EINVAL, "built for debugging"),
    ("linux-6.19.11/cold", step.finalize, errno.EOPNOTSUPP, "off in this kernel"),
]


@pytest.mark.parametrize(("name", "planner", "number", "words"), STEP)
def test_what_the_step_answers(name: str, planner: Planner, number: int, words: str) -> None:
    machine = Changeable(name, refuse(number, log="[   99.000000] KHO: something failed\n"))
    found = explained(machine, planner)
    assert words in found.text
    assert found.call == FINALIZE
    assert found.log == ("[   99.000000] KHO: something failed",)
    assert found.advice


LOADS = [
    (errno.EBUSY, "kexec lock"),
    (errno.ENOEXEC, "no loader"),
    (errno.EKEYREJECTED, "signature is wrong"),
    (errno.ENODATA, "no signature"),
    (errno.ENOMEM, "no memory"),
    (errno.ENOSYS, "no kexec_file_load"),
    (errno.EINVAL, "command line (6 bytes"),
    (errno.EACCES, "security module"),
    (errno.EADDRNOTAVAIL, "744 MiB, 56 MiB, 36 MiB"),
]


@pytest.mark.parametrize(("number", "words"), LOADS)
def test_what_a_load_answers(number: int, words: str) -> None:
    machine = Changeable("linux-7.3.4/cold", refuse(number, "kexec_file_load"))
    found = explained(machine, LOAD)
    assert words in found.text
    assert (found.number, found.call) == (number, "kexec_file_load")


def test_lockdown_and_a_missing_right_keep_the_file_of_a_step_shut_by_different_numbers() -> None:
    machine = Changeable("linux-6.18.15/cold")
    machine.files["/sys/kernel/security/lockdown"] = "none [integrity] confidentiality\n"
    machine.forbidden = Unknown(Cause.NOT_PERMITTED, "it cannot be opened")
    for number, words in (
        (errno.EPERM, "lockdown (integrity)"),
        (errno.EACCES, "cannot be opened"),
    ):
        error = SourceError.from_errno(FINALIZE, number)
        assert words in explain(Write(FINALIZE, b"1"), error, machine, observe(machine)).text


def test_a_process_that_breaks_is_no_answer_of_the_kernel() -> None:
    def broken(machine: Changeable, change: Change) -> None:
        why = Unknown(Cause.UNREADABLE, "the process that calls the kernel ended with 1: no ctypes")
        raise SourceError(sys.executable, why, errno.EIO)

    for planner in (LOAD, partial(execute.execute, how=Execution.SYSTEM_CALL)):
        assert "no ctypes" in explained(Changeable("linux-7.3.4/ready", broken), planner).text


def test_where_scratch_is_not_seen_a_load_without_room_says_so() -> None:
    machine = Changeable("linux-7.3.4/cold", refuse(errno.EADDRNOTAVAIL, "kexec_file_load"))
    machine.files["/proc/mounts"] = ""
    kho = "/sys/kernel/debug/kho/out"
    machine.files |= dict.fromkeys((kho, f"{kho}/scratch_phys", f"{kho}/scratch_len"))
    found = explained(machine, LOAD)
    assert "one scratch area, and they cannot be seen" in found.text
    assert "debugfs is not mounted" in found.text


def after(files: dict[str, str], number: int = errno.EPERM) -> Answer:
    def answer(machine: Changeable, change: Change) -> None:
        machine.files.update(files)
        raise SourceError.from_errno("kexec_file_load", number)

    return answer


def test_eperm_of_a_load_is_told_apart() -> None:
    sysctl = "/proc/sys/kernel/kexec_load"
    disabled = Changeable("linux-7.3.4/cold", after({f"{sysctl}_disabled": "1\n"}))
    assert "kexec_load_disabled" in explained(disabled, LOAD).text
    used_up = Changeable("linux-7.3.4/cold", after({f"{sysctl}_limit_reboot": "0\n"}))
    assert "used up" in explained(used_up, LOAD).text
    assert "kexec_load_limit_reboot: 0" in explained(used_up_again(), LOAD).evidence
    locked = Changeable("linux-7.3.4/cold", after({}))
    locked.files["/sys/kernel/security/lockdown"] = "none [integrity] confidentiality\n"
    assert "lockdown (integrity)" in explained(locked, LOAD).text
    unexplained = Changeable("linux-7.3.4/cold", after({}))
    assert "do not explain it" in explained(unexplained, LOAD).text

    def lose_the_right(machine: Changeable, change: Change) -> None:
        machine.forbidden = Unknown(Cause.NOT_PERMITTED, "no CAP_SYS_BOOT")
        raise SourceError.from_errno("kexec_file_load", errno.EPERM)

    assert explained(Changeable("linux-7.3.4/cold", lose_the_right), LOAD).text == "no CAP_SYS_BOOT"


def used_up_again() -> Changeable:
    files = {"/proc/sys/kernel/kexec_load_limit_reboot": "0\n"}
    return Changeable("linux-7.3.4/cold", after(files))


def test_a_failed_crash_load_says_that_no_dump_is_left() -> None:
    gone = after({"/sys/kernel/kexec_crash_loaded": "0\n"}, errno.ENOEXEC)
    machine = Changeable("linux-7.3.4/crash-loaded", gone)
    crash = partial(load.loading, change=Load(CRASH), validation=())
    assert "a panic leaves no dump" in explained(machine, crash).text


def test_what_the_kexec_and_hotplug_answer() -> None:
    machine = Changeable("linux-6.19.11/ready", refuse(errno.EAGAIN, "reboot"))
    start = partial(execute.execute, how=Execution.SYSTEM_CALL)
    assert "does not roll back" in explained(machine, start).text
    state = "/sys/devices/system/memory/memory3/state"
    block = Changeable("linux-7.3.4/cold", refuse(errno.EBUSY, state))
    offline = partial(hotplug.hotplug, word="memory3", online=False)
    assert "cannot be moved" in explained(block, offline).text
