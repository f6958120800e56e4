import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import kernel_log
from kho_console.abi.kernel_log import LogKind, LogLine
from tests.abi.page_memory import FIXTURES


def recorded_facts(moment: str) -> list[tuple[LogKind, float | None, dict[str, int | str]]]:
    text = (FIXTURES / moment / "kmsg.txt").read_text()
    return [
        (fact.kind, fact.line.seconds, dict(fact.values))
        for fact in kernel_log.facts(kernel_log.parse(text))
    ]


def test_recorded_after_a_handover() -> None:
    assert recorded_facts("linux-7.3.4/restored") == [
        (LogKind.HANDOVER_FOUND, 0.0, {}),
        (LogKind.MEMORY_REVIVED, 0.114308, {"name": "oops"}),
        (LogKind.MEMORY_REVIVED, 0.114617, {"name": "trace"}),
        (LogKind.EXEC_FROM, 1.914210, {"release": "7.3.4", "count": 1}),
    ]


def test_recorded_on_6_18() -> None:
    kinds = [kind for kind, _, _ in recorded_facts("linux-6.18.15/restored")]
    assert kinds[0] is LogKind.HANDOVER_FOUND
    assert kinds.count(LogKind.MEMORY_REVIVED) == 2


def test_lines() -> None:
    text = "[   27.315836] CPU: 0\n<6>[    0.000001][    T0] two\nthird line\n\n[  x ] odd\n"
    assert tuple(kernel_log.parse(text)) == (
        LogLine(27.315836, "CPU: 0"),
        LogLine(0.000001, "two"),
        LogLine(None, "third line"),
        LogLine(None, "[  x ] odd"),
    )


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ("KHO: found kexec handover data. Will skip init for some devices",
         LogKind.HANDOVER_FOUND, {}),
        ("KHO: disabling KHO revival: -22", LogKind.REVIVAL_DISABLED, {"error": -22}),
        ("KHO: disabling KHO revival", LogKind.REVIVAL_DISABLED, {}),
        ("KHO: setup: handover FDT (0x30522000) is incompatible with 'kho-v4': 1",
         LogKind.INCOMPATIBLE, {"address": 0x30522000, "compatible": "kho-v4", "error": 1}),
        ("KHO: scratch areas: lowmem: 16MiB global: 64MiB pernode: 32MiB", LogKind.SCRATCH_SIZES,
         {"lowmem": 16 << 20, "global": 64 << 20, "node": 32 << 20}),
        ("KHO: scratch scale is 150%", LogKind.SCRATCH_SCALE, {"percent": 150}),
        ("KHO: Failed to reserve lowmem scratch buffer", LogKind.SCRATCH_FAILED,
         {"area": "lowmem scratch buffer"}),
        ("KHO: Failed to reserve scratch area, disabling kexec handover",
         LogKind.HANDOVER_DISABLED, {}),
        ("KHO: disabled in the kdump kernel", LogKind.HANDOVER_DISABLED, {}),
        ("KHO: exec from: 7.2.13+deb (count 12)", LogKind.EXEC_FROM,
         {"release": "7.2.13+deb", "count": 12}),
        ("Malformed early option 'kho_scratch'", LogKind.MALFORMED_OPTION,
         {"option": "kho_scratch"}),
        ("reserve_mem: failed", LogKind.RESERVE_MEM, {"text": "failed"}),
        ("luo: Disabling liveupdate because KHO is disabled", LogKind.LIVE_UPDATE_DISABLED, {}),
        ("luo_file: No registered handler for compatible 'memfd-v1'", LogKind.NO_HANDLER,
         {"compatible": "memfd-v1"}),
        ("luo_file: Freeze failed for token[0x1001] handler[memfd-v2] err[-EIO]",
         LogKind.FREEZE_FAILED, {"token": "0x1001", "handler": "memfd-v2"}),
        ("Unable to finish session [vm [1]] on release", LogKind.FINISH_FAILED,
         {"session": "vm [1]"}),
        ("crash hp: kexec_trylock() failed, kdump image may be inaccurate",
         LogKind.CRASH_EVENT_LOST, {}),
        ("crash hp: unable to create new elfcorehdr", LogKind.CRASH_UPDATE_FAILED,
         {"text": "unable to create new elfcorehdr"}),
        ("crash hp: update elfcorehdr elfsz 921664 > memsz 921600", LogKind.CRASH_TOO_SMALL,
         {"size": 921664, "room": 921600}),
        ("crash hp: mapping elfcorehdr segment failed", LogKind.CRASH_UPDATE_FAILED,
         {"text": "mapping elfcorehdr segment failed"}),
        # The words of powerpc.
        ("crash hp: Failed to get crash mem range", LogKind.CRASH_UPDATE_FAILED,
         {"text": "Failed to get crash mem range"}),
        ("crash hp: Updated crash elfcorehdr elfsz 69632 > memsz 65536", LogKind.CRASH_TOO_SMALL,
         {"size": 69632, "room": 65536}),
    ],
)  # fmt: skip
def test_recognised(text: str, kind: LogKind, values: dict[str, int | str]) -> None:
    line = LogLine(1.5, text)
    fact = kernel_log.recognise(line)
    assert fact is not None
    assert (fact.kind, fact.line, dict(fact.values)) == (kind, line, values)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Kernel command line: kho=on",
        "Malformed early option 'mem'",
        "user: KHO: found kexec handover data.",
        "KHO: exec from: 7.3.4 (count " + "9" * 5000 + ")",
    ],
)
def test_other_lines(text: str) -> None:
    assert kernel_log.recognise(LogLine(None, text)) is None


STARTS = st.sampled_from(["KHO: ", "[    1.000000] KHO: exec from: ", "crash hp: ", "[9", "luo"])


@given(st.text(max_size=60) | st.builds(str.__add__, STARTS, st.text(max_size=20)))
def test_any_text(text: str) -> None:
    lines = tuple(kernel_log.parse(text))
    assert len(kernel_log.facts(lines)) <= len(lines)
