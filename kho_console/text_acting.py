"""What is done to a machine, in words: writes and calls, kernel images, checks."""

from collections import Counter

from kho_console import text
from kho_console.model.change import Change, described
from kho_console.model.check import Result
from kho_console.model.image import ImageFormat, KernelImage
from kho_console.model.preflight import Preflight
from kho_console.model.unknown import Unknown


def change(asked: Change) -> str:
    """A write or a call with all its arguments, on one line."""
    told = described(asked)
    call = told.pop("call")
    if call == "write":
        return f"write {_quoted(told['data'])} to {text.escaped(str(told['path']))}"
    arguments = (
        f"{name}={text.escaped(str(value)) if name == 'flags' else _quoted(value)}"
        for name, value in told.items()
    )
    return f"{call}({', '.join(arguments)})" if told else str(call)


def _quoted(value: str | int | None) -> str:
    """What stands there in quotes; `none` for nothing."""
    if value is None:
        return "none"
    return '"' + text.escaped(str(value)).replace('"', '\\"') + '"'


def kernel_image(image: KernelImage) -> str:
    """A kernel file in one line: what it is, and what it speaks."""
    words = image.words
    spoken = "what it speaks is not known"
    if not isinstance(words, Unknown):
        listed = ", ".join((*words.kho, *words.luo, *words.memfd))
        spoken = f"speaks {listed or 'nothing of KHO'}"
    complete = "complete or not: not known"
    if not isinstance(image.complete, Unknown):
        complete = "complete" if image.complete else "cut short"
    form = "unknown format" if image.format is ImageFormat.UNKNOWN else image.format
    release = ", release not known"
    if not isinstance(image.release, Unknown):
        release = f" {text.escaped(image.release)}"
    return f"{form}{release}, {text.size(image.size)}, {complete}; {spoken}"


def preflight(found: Preflight) -> str:
    """The verdict, and how many checks came to what."""
    counted = Counter(item.result for item in found.checks)
    parts = (f"{counted[result]} {result}" for result in Result if counted[result])
    return f"{found.verdict}: {', '.join(parts)}"
