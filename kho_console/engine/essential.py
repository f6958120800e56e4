"""What a recording of a running machine keeps of an answer: what this console reads of it.

Some files change all the time in what nobody looks at here, and what else people run on a host is
no business of a recording.
"""

import re

from kho_console.abi.error import FormatError
from kho_console.engine import sessions
from kho_console.source.recording import answers
from kho_console.source.recording.answers import Unanswered

_MEMINFO = answers.path_key(answers.FILE, "/proc/meminfo")
_LINES = re.compile(rb"^(?:MemTotal|MemAvailable):.*\n", re.MULTILINE)


def essential(key: bytes, value: bytes) -> bytes:
    """The value of a key, without what is not needed."""
    if key not in (_MEMINFO, answers.PROCESSES):
        return value
    try:
        answer = answers.answer(value)
        if key == _MEMINFO:
            return answers.known(b"".join(_LINES.findall(answer)))
        found = map(sessions.concerned, answers.read_processes(answer))
        return answers.processes(tuple(item for item in found if item is not None))
    except (Unanswered, FormatError):
        return value
