"""Warnings as the kernels of all releases print them."""

from dataclasses import dataclass

import pytest

from kho_console.abi import kernel_log
from kho_console.abi.kernel_log import LogLine
from kho_console.abi.kernel_warning import KernelWarning, gather
from tests.abi.page_memory import FIXTURES

CUT = "------------[ cut here ]------------"
END = "---[ end trace 0000000000000000 ]---"


def lines_of(*texts: str) -> list[LogLine]:
    return list(kernel_log.parse("\n".join(texts)))


def warnings(*texts: str) -> list[KernelWarning]:
    return [item for item in gather(lines_of(*texts)) if isinstance(item, KernelWarning)]


def test_recorded_on_6_18() -> None:
    log = (FIXTURES / "linux-6.18.15/ready/kmsg.txt").read_text()
    parsed = list(kernel_log.parse(log))
    items = list(gather(parsed))
    [found] = [item for item in items if isinstance(item, KernelWarning)]
    assert [
        line
        for item in items
        for line in (item.lines if isinstance(item, KernelWarning) else (item,))
    ] == parsed
    assert found.lines == tuple(parsed[295:325])
    assert [line.text for line in found.said] == [
        "WARNING: CPU: 0 PID: 62 at mm/slub.c:6795 free_large_kmalloc+0x25/0x9d"
    ]
    assert (found.file, found.number, found.function) == ("mm/slub.c", 6795, "free_large_kmalloc")
    assert [call.function for call in found.calls][:2] == ["kho_abort", "kho_out_finalize_set"]
    assert len(found.calls) == 12
    assert not found.fatal


TRACE = ("Call Trace:", " <TASK>", " kho_abort+0x56/0xf8", " </TASK>", END)


@dataclass(frozen=True)
class Told:
    lines: tuple[str, ...]
    place: tuple[str | None, int | None, str | None]
    calls: tuple[str, ...] = ("kho_abort",)
    fatal: bool = False
    count: int | None = None
    """Lines that belong to it, where these are not all."""


KINDS = {
    "since 6.19": Told(
        (CUT, "WARNING: mm/slub.c:6795 at free_it+0x25/0x9d, CPU#0: a.c:3 kho_x+0x1/0x2/62",
         "KHO: bad page", "Modules linked in: kho", "CPU: 0 UID: 0 PID: 62 Comm: x", *TRACE),
        ("mm/slub.c", 6795, "free_it"),
    ),
    "with its condition": Told(
        (CUT, "WARNING: [a[0] != b] lib/a-b.c:1 at f.cold+0x1/0x2 [mod], CPU#3: x/1", *TRACE),
        ("lib/a-b.c", 1, "f.cold"),
    ),
    "without file": Told(
        (CUT, "WARNING: CPU: 0 PID: 1 at luo_x+0x1/0x2", *TRACE), (None, None, "luo_x")
    ),
    "without symbols": Told(
        (CUT, "WARNING: at 0xffffffff81000000, CPU#0: kho_x+0x1/0x2/62", *TRACE),
        (None, None, None),
    ),
    "stamped and from a task": Told(
        tuple(
            f"[    1.000000][   T62] {line}"
            for line in (CUT, "WARNING: CPU: 0 PID: 1 at mm/a.c:5 f+0x1/0x2", *TRACE)
        ),
        ("mm/a.c", 5, "f"),
    ),
    "a bug": Told(
        (CUT, "kernel BUG at kernel/kexec_handover.c:99!", "Oops: invalid opcode: 0000 [#1] SMP",
         "CPU: 0 UID: 0 PID: 1 Comm: x", "RIP: 0010:f+0x1/0x2", *TRACE[:4],
         "Modules linked in:", END),
        ("kernel/kexec_handover.c", 99, "f"), fatal=True,
    ),
    "a page fault, with the registers of user space": Told(
        ("BUG: kernel NULL pointer dereference, address: 0000000000000000",
         "#PF: supervisor read access in kernel mode", "Oops: Oops: 0000 [#1] SMP NOPTI",
         "RIP: 0010:f+0x1/0x2", "Call Trace:", " <TASK>", " ? left_over+0x1/0x2",
         " kho_abort+0x56/0xf8", "RIP: 0033:0x7f5", "Code: 00", "RSP: 002b:00", "RAX: 00",
         "RDX: 00", "RBP: 00", "R10: 00", "R13: 00", " </TASK>", "CR2: 00", END),
        (None, None, "f"), fatal=True,
    ),
    "arm64": Told(
        ("Unable to handle kernel paging request at virtual address 0010",
         "Internal error: Oops: 0000000096000004 [#1]  SMP", "pc : f+0x10/0x20",
         "lr : g+0x10/0x20", "Call trace:", " f+0x10/0x20 (P)", " kho_abort+0x1/0x2 [mod]",
         "Code: 00", END),
        (None, None, "f"), ("f", "kho_abort"), fatal=True,
    ),
    "no end marker": Told(
        ("BUG: sleeping function called from invalid context at kernel/locking/mutex.c:591",
         *TRACE[:4], "something else"),
        ("kernel/locking/mutex.c", 591, None), count=5,
    ),
    "a single line": Told(
        ("WARNING: unsupported", "CPU: 0", "kho_abort+0x1/0x2"), (None, None, None), (), count=1
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_kinds(name: str) -> None:
    told = KINDS[name]
    [found] = warnings("before", *told.lines, "behind")
    assert (found.file, found.number, found.function) == told.place
    assert tuple(call.function for call in found.calls) == told.calls
    assert found.fatal is told.fatal
    assert len(found.lines) == (told.count or len(told.lines))


def test_what_was_said() -> None:
    [found] = warnings(*KINDS["since 6.19"].lines)
    assert [line.text for line in found.said] == [KINDS["since 6.19"].lines[1], "KHO: bad page"]


def test_one_ends_where_the_next_begins() -> None:
    first = ("WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2", "Oops: general protection fault")
    found = warnings(*first, CUT, "kernel BUG at b.c:2!", *TRACE, *first, *TRACE)
    assert [(item.file, item.fatal, len(item.calls)) for item in found] == [
        ("a.c", False, 0),
        (None, True, 0),
        ("b.c", True, 1),
        ("a.c", False, 0),
        (None, True, 1),
    ]


def test_no_warning_takes_the_log() -> None:
    [found] = warnings(CUT, "WARNING: x", "Call Trace:", *[" kho_a+0x1/0x2"] * 500)
    assert len(found.lines) == 200
    assert warnings(CUT, *["x"] * 100) == []
    assert list(gather(lines_of(CUT, *["x"] * 100))) == lines_of(CUT, *["x"] * 100)
