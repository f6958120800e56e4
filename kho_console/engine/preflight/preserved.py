"""Whether what is preserved can be handed over at all."""

from collections.abc import Iterator

from kho_console.engine import unclaimed
from kho_console.engine.findings import preserved
from kho_console.engine.findings.words import size
from kho_console.engine.preflight.situation import Situation
from kho_console.model.check import Check, Result
from kho_console.model.unknown import Cause, Unknown

_NAME = "preserved-memory"


def lies_well(now: Situation) -> Iterator[Check]:
    """In RAM, and outside of scratch: the series of 2024 refuses the load, later ones lose data."""
    if not now.hands_over:
        return
    snapshot = now.snapshot
    found, known = snapshot.inventory.preserved, (snapshot.scratch, snapshot.memory.ram)
    if isinstance(found, Unknown):
        if found.cause is Cause.INVALID:
            text = "what is preserved cannot be told: its map is damaged"
            remedy = "read it again; if that does not help, do not kexec"
            yield Check(_NAME, Result.WARNING, text, found.reason, remedy)
        return
    wrong = (*preserved.outside_ram(now.facts), *preserved.in_scratch(now.facts))
    for item in wrong:
        evidence = "; ".join(f"{seen.path}: {seen.value}" for seen in item.evidence)
        text, remedy = (_within(words or "") for words in (item.text, item.remedy))
        yield Check(_NAME, Result.FAIL, text, evidence, remedy)
    if not wrong and not any(isinstance(item, Unknown) for item in known):
        text = "preserved memory lies in RAM and outside of scratch"
        yield Check(_NAME, Result.PASS, text, f"{size(found.bytes)} preserved")


def _within(sentence: str) -> str:
    """A sentence of a finding in the manner of a check."""
    return (sentence[:1].lower() + sentence[1:]).removesuffix(".")


def waits(now: Situation) -> Iterator[Check]:
    """What came in and nobody has claimed."""
    if now.hands_over:
        yield from unclaimed.checks(now.snapshot)
