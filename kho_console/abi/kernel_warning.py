"""Warnings, bugs and oopses in the kernel log: where they happened, and what had been called.

The texts are those of kernel/panic.c, lib/bug.c, mm/kasan/report.c and the trace printers of x86
and arm64 (6.16 to 7.3). Up to 6.18 a warning has `CPU: 0 PID: 62 at` before its place; later
kernels begin with the place, and may put the condition before it in brackets.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import takewhile

from kho_console.abi.kernel_log import LogLine
from kho_console.model.value import dataclass

_MOST_LINES = 200
_MOST_BEFORE_TRACE = 80
"""Registers, code and what lockdep has to say stand there."""
_MOST_BEHIND_TRACE = 16
"""Registers of user space, modules and the state of interrupts, before the end marker."""

_MOST_SAID = 4

# Those that are plain strings are compiled when a first warning comes: most logs have none.
_CUT_HERE = re.compile(r"-+\[ cut here \]-+$")
_END = r"---\[ end trace "
_HEAD = re.compile(
    r"WARNING: |(?:watchdog: )?BUG: |[Kk]ernel BUG at |UBSAN: |Unable to handle kernel "
)
_FATAL = re.compile(r"[Kk]ernel BUG at |Unable to handle kernel |BUG: (?:kernel NULL|unable to)")
"""Heads that an oops follows."""
_OOPS = re.compile(r"Oops: |Internal error: |general protection fault")
_BEGINNING = re.compile("|".join(item.pattern for item in (_CUT_HERE, _HEAD, _OOPS)))
_STATE = r"Modules linked in:|CPU: \d"
"""What stands behind the words of a warning."""

_SYMBOL = r"(?<![\w.$])(?P<function>[A-Za-z_][\w.$]{0,510})\+0x[0-9a-f]{1,16}/0x[0-9a-f]{1,16}"
_PLACE = r"(?:WARNING: |\] | at | in )(?P<file>[\w./+-]{1,512}\.[a-zA-Z]{1,4}):(?P<line>\d{1,9})\b"
_COUNTER = rf"(?:RIP: [0-9a-f]{{4}}|EIP|pc ?) ?: ?{_SYMBOL}"
"""The instruction that did it, for what is told without a function."""
_TRACE = r"Call [Tt]race:"
_CONTEXT = r" *</?[#\w]{1,16}>$"
_ENTRY = (
    rf" *(?:\[<?[0-9a-f]{{1,16}}>?\] *)?(?P<guess>\? )?{_SYMBOL}"
    r"(?: \[[^]]*\])?(?: \([A-Za-z]{1,16}\))?$"
)


@dataclass(frozen=True, slots=True)
class Call:
    """An entry of a call trace: a function, and its line."""

    function: str
    line: LogLine


@dataclass(frozen=True, slots=True)
class KernelWarning:
    """One warning, bug or oops.

    Attributes:
        lines: All its lines.
        said: Those of them that say what happened, at least one.
        fatal: Whether the kernel could not go on there, and killed the task.
        file: The source file that complained, None where that is not told.
        number: The line in it.
        function: The function that complained, None where that is not told.
        calls: What had been called, innermost first. Where the kernel knows some for certain,
            only these: the others may be left from earlier calls.
    """

    lines: tuple[LogLine, ...]
    said: tuple[LogLine, ...]
    fatal: bool
    file: str | None
    number: int | None
    function: str | None
    calls: tuple[Call, ...]


def gather(lines: Iterable[LogLine]) -> Iterator[LogLine | KernelWarning]:
    """The lines of a log as they are, but for those of warnings, which come together.

    A warning ends with its end marker or its call trace, and has at most 200 lines.
    """
    block: _Block | None = None
    for line in lines:
        if block is not None and not block.takes(line.text):
            yield from block.parts()
            block = None
        if block is None and _BEGINNING.match(line.text):
            block = _Block()
        if block is None:
            yield line
        else:
            block.add(line)
    if block is not None:
        yield from block.parts()


class _Block:
    """A warning of which not all lines have come."""

    def __init__(self) -> None:
        self._lines: list[LogLine] = []
        self._head: int | None = None
        self._counter: str | None = None
        self._calls: list[tuple[bool, Call]] = []
        self._tracing = False
        self._end = 0
        self._ended = False

    def takes(self, text: str) -> bool:
        """Whether this line may still belong to it."""
        number = len(self._lines)
        if self._ended or number >= _MOST_LINES or _CUT_HERE.match(text):
            return False
        if self._head is not None and (_HEAD.match(text) or self._another_oops(text)):
            return False
        if self._tracing:
            return number - self._end < _MOST_BEHIND_TRACE
        return number < _MOST_BEFORE_TRACE

    def _another_oops(self, text: str) -> bool:
        head = self._lines[self._head or 0].text
        return bool(_OOPS.match(text)) and not _FATAL.match(head)

    def add(self, line: LogLine) -> None:
        """Put a line that it takes."""
        text, number = line.text, len(self._lines)
        self._lines.append(line)
        if self._head is None and (_HEAD.match(text) or _OOPS.match(text)):
            self._head = number
        elif re.match(_END, text):
            self._end, self._ended = number + 1, True
        elif re.match(_TRACE, text):
            self._tracing, self._end = True, number + 1
        elif self._tracing:
            self._traced(line)
        elif self._counter is None and (counter := re.match(_COUNTER, text, re.ASCII)):
            self._counter = counter["function"]

    def _traced(self, line: LogLine) -> None:
        entry = re.match(_ENTRY, line.text, re.ASCII)
        if entry:
            self._calls.append((entry["guess"] is None, Call(entry["function"], line)))
        if entry or re.match(_CONTEXT, line.text, re.ASCII):
            self._end = len(self._lines)

    def parts(self) -> Iterator[LogLine | KernelWarning]:
        """The warning, then the lines that came in the meantime and are none of it."""
        if self._head is None:
            yield from self._lines
            return
        end = self._end or self._head + 1
        yield self._whole(tuple(self._lines[:end]), self._lines[self._head].text)
        yield from self._lines[end:]

    def _whole(self, lines: tuple[LogLine, ...], head: str) -> KernelWarning:
        # What stands behind is the name of a task, which may look like anything.
        words = head.partition(", CPU#")[0]
        place, found = re.search(_PLACE, words, re.ASCII), re.search(_SYMBOL, words, re.ASCII)
        told = takewhile(lambda line: not re.match(_STATE, line.text), lines)
        said = [line for line in told if not _CUT_HERE.match(line.text)]
        sure = [call for certain, call in self._calls if certain]
        return KernelWarning(
            lines,
            tuple(said[:_MOST_SAID]),
            any(_FATAL.match(line.text) or _OOPS.match(line.text) for line in lines),
            place["file"] if place else None,
            int(place["line"]) if place else None,
            found["function"] if found else self._counter,
            tuple(sure or (call for _, call in self._calls)),
        )
