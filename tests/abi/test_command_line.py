import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import command_line
from kho_console.abi.command_line import Argument, ReserveMem
from kho_console.abi.crashkernel import CrashKernel, CrashKernelKind, CrashKernelSize
from kho_console.abi.scratch_request import Malformed, ScratchRequest
from tests.abi.page_memory import recorded_file

MIB = 1 << 20


def test_recorded() -> None:
    line = command_line.parse(recorded_file("linux-7.3.4/cold", "/proc/cmdline"))
    assert line.arguments[:2] == (Argument(b"console", b"ttyS0"), Argument(b"panic", b"-1"))
    assert line.kho is True
    assert line.liveupdate is True
    assert line.scratch == ()
    assert line.reserve_mem == (
        ReserveMem(4 * MIB, 4096, b"oops"),
        ReserveMem(1 * MIB, 4096, b"trace"),
    )
    size = CrashKernelSize(0, None, 256 * MIB)
    assert line.crashkernel == (CrashKernel(CrashKernelKind.SIZE, (size,)),)
    assert line.lockdown is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a b=c\n", [(b"a", None), (b"b", b"c")]),
        (b"  a\t\vb\xa0c  ", [(b"a", None), (b"b", None), (b"c", None)]),
        (b"a=b=c", [(b"a", b"b=c")]),
        (b"a=", [(b"a", b"")]),
        (b"=a", [(b"=a", None)]),
        (b"=a=b", [(b"=a", b"b")]),
        (b'a="b c" d', [(b"a", b"b c"), (b"d", None)]),
        (b'"a=b c" d', [(b"a", b"b c"), (b"d", None)]),
        (b'"a b" c', [(b"a b", None), (b"c", None)]),
        (b'a=b" c"d e', [(b"a", b'b" c"d'), (b"e", None)]),
        (b'a="b c', [(b"a", b"b c")]),
        (b'a="', [(b"a", b"")]),
        (b'"', [(b"", None)]),
        (b"a -- b", [(b"a", None)]),
        (b'a "--" b', [(b"a", None)]),
        (b"a --b --", [(b"a", None), (b"--b", None)]),
        (b"a -- kho=on", [(b"a", None)]),
        (b"a\0b", [(b"a", None)]),
        (b"", []),
        (b" \n", []),
    ],
)
def test_split(text: bytes, expected: list[tuple[bytes, bytes | None]]) -> None:
    assert command_line.split(text) == tuple(Argument(*item) for item in expected)


def test_switches() -> None:
    assert command_line.parse(b"kho=on kho=off").kho is False
    assert command_line.parse(b"kho=on kho=maybe").kho is True
    assert command_line.parse(b"kho").kho == Malformed(None, "neither on nor off")
    assert command_line.parse(b"kho=").kho == Malformed(b"", "neither on nor off")
    assert command_line.parse(b"quiet -- kho=on liveupdate=1").kho is None
    assert command_line.parse(b"liveupdate=y").liveupdate is True
    assert command_line.parse(b"khox=on").kho is None


def test_scratch_options_keep_their_words() -> None:
    line = command_line.parse(b"kho-scratch=50% kho_scratch kho_bootmem=1M,2M,3M")
    assert line.scratch == (
        ScratchRequest(b"kho_scratch", b"50%"),
        ScratchRequest(b"kho_scratch", None),
        ScratchRequest(b"kho_bootmem", b"1M,2M,3M"),
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"2M:4096:oops", ReserveMem(2 * MIB, 4096, b"oops")),
        (b"2M::oops", ReserveMem(2 * MIB, 0, b"oops")),
        (b"2M:4k:" + b"n" * 15, ReserveMem(2 * MIB, 4096, b"n" * 15)),
        (b"2M:4k:a:b", ReserveMem(2 * MIB, 4096, b"a:b")),
        (b"2M:4k:" + b"n" * 16, "name is empty"),
        (b"2M:4k:", "name is empty"),
        (b'"2M:4k: "', "name is empty"),
        (b"0:4k:oops", "no size"),
        (b"oops", "no size"),
        (b"2M", "after the size"),
        (b"2M:4k", "after the alignment"),
        (b"2M:x:oops", "after the alignment"),
    ],
)
def test_reserve_mem(value: bytes, expected: ReserveMem | str) -> None:
    (found,) = command_line.parse(b"reserve_mem=" + value).reserve_mem
    if isinstance(expected, ReserveMem):
        assert found == expected
    else:
        assert isinstance(found, Malformed)
        assert expected in found.reason


def test_reserve_mem_together() -> None:
    options = [b"reserve_mem=1M:4k:r%d" % number for number in range(10)]
    options.insert(1, b"reserve_mem=1M:4k:r0")
    options.insert(2, b"reserve_mem")
    found = command_line.parse(b" ".join(options)).reserve_mem
    assert [item.name for item in found if isinstance(item, ReserveMem)] == [
        b"r%d" % number for number in range(8)
    ]
    reasons = [item.reason for item in found if isinstance(item, Malformed)]
    assert reasons == ["name is taken", "more than 8 regions", "more than 8 regions"]


def test_lockdown() -> None:
    assert command_line.parse(b"lockdown=integrity").lockdown == b"integrity"
    assert command_line.parse(b"lockdown=confidentiality").lockdown == b"confidentiality"
    assert isinstance(command_line.parse(b"lockdown=none").lockdown, Malformed)
    assert isinstance(command_line.parse(b"lockdown").lockdown, Malformed)


def test_a_hostile_line_takes_linear_time() -> None:
    # Quadratic work on these would take hours.
    assert len(command_line.split(b"a " * (1 << 18))) == 1 << 18
    assert len(command_line.split(b'"' * (1 << 20))) == 1


@given(st.binary(max_size=60) | st.text('kho_scrat=%," -1M:', max_size=30).map(str.encode))
def test_any_bytes(text: bytes) -> None:
    line = command_line.parse(text)
    assert all(b"\0" not in argument.name for argument in line.arguments)


WORD = st.text("abcdef", min_size=1, max_size=5).map(str.encode)


@given(st.lists(st.tuples(WORD, WORD)))
def test_plain_arguments(pairs: list[tuple[bytes, bytes]]) -> None:
    text = b" ".join(b"=".join(pair) for pair in pairs)
    assert command_line.split(text) == tuple(Argument(*pair) for pair in pairs)
