"""A rule: what it is called, what it looks for, and how it looks."""

from collections.abc import Callable, Iterable, Iterator

from kho_console.engine.findings.facts import Facts
from kho_console.model.finding import About, Evidence, Finding, Severity, Thing
from kho_console.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """A finding that does not carry its rule's id yet.

    Subject, evidence and thing are as the machine has them; in `text`, names of the machine are
    escaped.
    """

    severity: Severity
    subject: str
    text: str
    evidence: tuple[Evidence, ...]
    remedy: str | None = None
    thing: Thing = Thing()


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing to look for.

    Attributes:
        id: Stable identifier of all its findings.
        summary: When it speaks, in one phrase.
        find: Looks; it is silent where what it needs is not known.
        about: What all its findings are about.
    """

    id: str
    summary: str
    find: Callable[[Facts], Iterable[Found]]
    about: About

    def apply(self, facts: Facts) -> Iterator[Finding]:
        """What it finds."""
        for item in self.find(facts):
            yield Finding(
                self.id,
                item.severity,
                item.subject,
                item.text,
                item.evidence,
                item.remedy,
                self.about,
                item.thing,
            )
