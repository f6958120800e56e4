"""The words that both faces print."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console import text
from kho_console.engine.observe import observe
from kho_console.model.blob import Blob, BlobState
from kho_console.model.finding import About, Finding, Severity
from kho_console.model.memory import MemoryRange, ScratchArea, ScratchRole
from kho_console.model.owner import Owner, OwnerKind
from kho_console.model.session import Direction, Session
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.fixture import FixtureSource
from tests.recordings import folder


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"vm-web", "vm-web"),
        (b"a b", "a b"),
        (b"back\\slash", "back\\\\slash"),
        (b"\x1b[31mred\n", "\\x1b[31mred\\x0a"),
        ("über".encode(), "\\xc3\\xbcber"),
        ("\udcff", "\\xff"),
        (b"\x7f\x00", "\\x7f\\x00"),
    ],
)
def test_names_are_escaped(name: bytes | str, shown: str) -> None:
    assert text.escaped(name) == shown


@given(st.binary(max_size=64))
def test_an_escaped_name_is_one_line_of_ascii_and_tells_every_byte(name: bytes) -> None:
    shown = text.escaped(name)
    assert shown.isprintable() or not shown
    assert shown.isascii()
    back = shown.encode().decode("unicode_escape").encode("latin-1")
    assert back == name


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("plain · words", "plain · words"),
        ("a\x1b[2J\x9b1m\r\n\u202eb\udcff\t", "a?[2J?1m???b??"),
        ("", ""),
    ],
)
def test_nothing_passes_that_could_steer_a_terminal(words: str, shown: str) -> None:
    assert text.harmless(words) == shown


@given(st.text())
def test_what_is_harmless_is_as_long_and_printable(words: str) -> None:
    shown = text.harmless(words)
    assert shown.isprintable()
    assert len(shown) == len(words)


@pytest.mark.parametrize(
    ("width", "shown"), [(9, "long word"), (8, "long w.."), (2, ".."), (1, "."), (0, "")]
)
def test_cut(width: int, shown: str) -> None:
    assert text.cut("long word", width) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0x5B5000, "0x0000_005b_5000"),
        (0, "0x0000_0000_0000"),
        (0xFD00000000, "0x00fd_0000_0000"),
        (0x12345678_9ABCD, "0x0001_2345_6789_abcd"),
    ],
)
def test_addresses_come_in_groups_of_four(value: int, shown: str) -> None:
    assert text.address(value) == shown


def test_a_short_address_keeps_its_groups() -> None:
    assert text.address(0x40000000, digits=8) == "0x4000_0000"
    assert text.address(0x100000000, digits=8) == "0x0001_0000_0000"


@pytest.mark.parametrize(
    ("value", "long", "short", "exact"),
    [
        (294, "294 B", "294", "294 bytes"),
        (4096, "4.0 KiB", "4.0K", "4.0 KiB (4,096 bytes)"),
        (15896576, "15.2 MiB", "15.2M", "15.2 MiB (15,896,576 bytes)"),
        (1 << 40, "1.0 TiB", "1.0T", "1.0 TiB (1,099,511,627,776 bytes)"),
        ((1 << 20) - 1, "1.0 MiB", "1.0M", "1.0 MiB (1,048,575 bytes)"),
    ],
)
def test_sizes(value: int, long: str, short: str, exact: str) -> None:
    assert text.size(value) == long
    assert text.short_size(value) == short
    assert text.exact(value) == exact


def test_every_cause_has_a_word_that_fits_a_column() -> None:
    for cause in Cause:
        assert 0 < len(text.word(Unknown(cause, "why"))) <= 18


def test_an_unknown_value_is_told_by_its_word() -> None:
    assert text.told(5, str) == "5"
    assert text.told(Unknown(Cause.NOT_PERMITTED, "why"), str) == "not permitted"


def test_a_value_that_is_not_known_is_not_one_that_is_none() -> None:
    assert "none" not in {text.word(Unknown(cause, "why")) for cause in Cause}


def test_why_a_value_is_not_known() -> None:
    absent = Unknown(Cause.ABSENT, "/sys/\x1b[2J is not there")
    assert text.reason(absent) == "/sys/\\x1b[2J is not there"
    assert text.why(absent) == "not shown: /sys/\\x1b[2J is not there"
    assert text.explained(absent, str) == text.why(absent)
    assert text.explained(5, str) == "5"
    released = Unknown(Cause.RELEASED, "released by the kernel at boot")
    assert text.why(released) == "released by the kernel at boot"
    assert text.why(Unknown(Cause.NOT_YET, "not finalized yet")) == "not finalized yet"
    late = Unknown(Cause.NOT_YET, "not read by this verb")
    assert text.why(late) == "not yet: not read by this verb"


def test_a_cold_boot_is_an_answer() -> None:
    side = Unknown(Cause.ABSENT, "cold")
    assert text.no_side(side, cold=True) == "none: cold"
    assert text.no_side(side, cold=False) == "not shown: cold"


def test_owners_in_words() -> None:
    assert text.owner(Owner(OwnerKind.RESERVE_MEM, b"oops")) == "reserve_mem oops"
    assert text.owner(Owner(OwnerKind.ROOT_TREE)) == "root tree"
    memfd = Owner(OwnerKind.MEMFD, b"0xabd000", None, 2 << 20)
    assert text.owner(memfd) == "memfd 2.0 MiB, session unknown"
    known = Owner(OwnerKind.MEMFD, b"0xabd000", b"vm\n", 2 << 20)
    assert text.owner(known) == "memfd 2.0 MiB, session vm\\x0a"


def test_areas_in_words() -> None:
    area = ScratchArea(ScratchRole.NODE, 3, 0, 0)
    assert text.scratch_role(area) == "node 3"
    lost = ScratchArea(ScratchRole.NODE, Unknown(Cause.INVALID, "why"), 0, 0)
    assert text.scratch_role(lost) == "node ?"


def test_totals() -> None:
    areas = [ScratchArea(ScratchRole.GLOBAL, None, 0, size) for size in (4096, 0, 8192)]
    assert text.total(areas) == 12288
    assert text.total([MemoryRange(0x1000, 1), MemoryRange(0, 2)]) == 3
    assert text.total([]) == 0


def test_findings_are_counted_by_severity() -> None:
    kinds = (Severity.INFO, Severity.ERROR, Severity.INFO, Severity.WARNING)
    found = [Finding("id", kind, "subject", "text", (), None, About.BLOBS) for kind in kinds]
    assert text.findings(found) == "1 error, 1 warning, 2 notes"
    assert text.findings(found[:1]) == "1 note"
    assert text.findings([]) == "none"


def test_crash_images_in_words() -> None:
    assert text.armed(True) == "armed"
    assert text.armed(False) == "not armed: no image is loaded"
    assert text.armed(Unknown(Cause.LATE, "why")) == "late: why"


def test_blobs_in_words() -> None:
    late = Unknown(Cause.LATE, "debugfs does not answer")
    blob = Blob(b"b", 1, "fdt", None, BlobState.VALID, "", late, b"x", None, ())
    assert text.blob_state(blob) == "valid"
    doubtful = replace(blob, reason="its records cannot be checked\n")
    assert text.blob_state(doubtful) == "valid: its records cannot be checked\\x0a"
    unread = replace(blob, state=late, size=late, content=late, reason=late.reason)
    assert text.blob_state(unread) == "late: debugfs does not answer"


def held(name: bytes, direction: Direction) -> Session:
    return Session(name, direction, (), ())


WEB, OLD = held(b"web", Direction.OUTGOING), held(b"old", Direction.INCOMING)
EITHER = held(b"db", Direction.UNKNOWN)
NO_RECORDS = Unknown(Cause.ABSENT, "no LUO blob came in")


def machine(
    sessions: Maybe[tuple[Session, ...]],
    waiting: Maybe[int] = NO_RECORDS,
    unseen: int = 0,
    device: bool = True,
) -> Snapshot:
    seen = observe(FixtureSource(folder("linux-7.3.4/cold")))
    inventory = replace(seen.inventory, sessions=sessions, waiting=waiting, unseen=unseen)
    return replace(seen, inventory=inventory, liveupdate_device=device)


def test_sessions_are_counted_for_each_kernel() -> None:
    assert text.sessions(machine((WEB, WEB))) == "2 sessions"
    assert text.sessions(machine((WEB, EITHER, OLD, OLD), 2)) == (
        "1 session, 1 session of unknown direction, 2 sessions of the previous kernel waiting"
    )
    assert text.sessions(machine((), 0)) == "no session"


def test_what_is_not_known_of_sessions_is_said() -> None:
    hidden = Unknown(Cause.NOT_PERMITTED, "3 processes do not show what they have open")
    assert text.sessions(machine(hidden)) == f"not permitted: {hidden.reason}"
    opened = Unknown(Cause.RELEASED, "the device was opened")
    assert text.sessions(machine((), opened)) == (
        "no session; whether any of the previous kernel wait is not known: the device was opened"
    )
    assert text.sessions(machine((WEB,), unseen=3)) == (
        "1 session; what 3 processes hold is not known"
    )
    gone = machine((), device=False)
    assert text.sessions(gone) == "no session; live update is off: /dev/liveupdate is not there"
    for config, words in (
        (hidden, "off or not built here: /dev/liveupdate is not there"),
        ({"CONFIG_KEXEC": "y"}, "this kernel is built without live update"),
    ):
        host = replace(gone.machine, config=config)
        assert text.no_live_update(replace(gone, machine=host)).endswith(words)


def test_orders_are_told_as_runs() -> None:
    for found, shown in (((), "?"), ((0,), "0"), ((0, 1, 2), "0-2"), ((0, 2, 3, 9), "0,2-3,9")):
        assert text.orders(found) == shown


def test_memory_files_among_the_owners() -> None:
    found = observe(FixtureSource(folder("linux-7.3.4/sessions"))).inventory.ownership
    assert text.memory_files(found) == "3 memory files of 10.1 MiB preserved"
    cold = observe(FixtureSource(folder("linux-7.3.4/cold"))).inventory.ownership
    assert text.memory_files(cold) is None
    assert text.memory_files(Unknown(Cause.NOT_YET, "why")) is None


def test_counts() -> None:
    assert text.count(1, "range") == "1 range"
    assert text.count(2611, "block") == "2,611 blocks"
    assert text.count(0, "entry", "entries") == "0 entries"


def test_seconds_that_are_no_uptime_stay_short() -> None:
    for boot in (Unknown(Cause.ABSENT, "no boot time"), datetime(2026, 11, 21, tzinfo=UTC)):
        assert text.moment(boot, 1e300) == "+1e+300 s"
