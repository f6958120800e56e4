"""Runs in the agent: a change as the console asks it of the kernel, with none of its checks before.

`attempt.py load|load-crash KERNEL INITRD COMMAND_LINE`, `unload` or `write FILE TEXT`. It prints
how the console explains the kernel's refusal; null where the kernel took it.
"""

import json
import os
import sys
from dataclasses import asdict

from kho_console.engine.errnos import explain
from kho_console.engine.observe import observe
from kho_console.model.change import Change, KexecImage, Load, Unload, Write
from kho_console.source.live import LiveSource
from kho_console.source.protocol import SourceError


def main() -> None:
    """Try it."""
    source, change = LiveSource(), _change(*sys.argv[1:])
    before, told = observe(source), None
    try:
        source.change(change)
    except SourceError as error:
        told = asdict(explain(change, error, source, before))
    json.dump(told, sys.stdout)


def _change(what: str, *words: str) -> Change:
    if what == "write":
        return Write(words[0], words[1].encode())
    if what == "unload":
        return Unload()
    kernel, initrd, line = words
    return Load(KexecImage(kernel, initrd, os.fsencode(line), crash=what == "load-crash"))


if __name__ == "__main__":
    main()
