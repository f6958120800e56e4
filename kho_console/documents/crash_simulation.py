"""A scenario of crash hotplug under two designs."""

from kho_console.documents.shape import Document, document, memory_range
from kho_console.model.crash_simulation import CrashSimulation, Dump, Moment, SimulatedStep
from kho_console.model.unknown import Cause, Unknown

_NO_DIGEST = Unknown(Cause.ABSENT, "no crash image, or none whose digest anybody checks")
_MAINLINE = Unknown(Cause.ABSENT, "only the states of 2021 have letters")


def crash_simulation(found: CrashSimulation) -> Document:
    """All steps, and what the panic at the end leaves."""
    return document(
        name=found.name,
        about=found.about,
        architecture=found.architecture,
        region=memory_range(found.region),
        possible_cpus=found.possible,
        steps=[_step(step) for step in found.steps],
        end={moment.design.value: _dump(moment.dump) for moment in found.end.moments},
    )


def _step(step: SimulatedStep) -> Document:
    return {
        "number": step.number,
        "do": step.deed.value,
        "text": step.words,
        "ram": [memory_range(item) for item in step.ram],
        "online": [memory_range(item) for item in step.online],
        "designs": {moment.design.value: _moment(moment) for moment in step.moments},
    }


def _moment(moment: Moment) -> Document:
    return {
        "answer": moment.answer.value,
        "state": moment.state.value,
        "letter": moment.state.letter or _MAINLINE,
        "messages": list(moment.messages),
        "procedure": [
            {"step": item.number, "text": item.words, "failed": item.failed}
            for item in moment.procedure
        ],
        "events": moment.events,
        "answers": [answer.value for answer in moment.answers],
        "hashed": moment.hashed,
        "written": moment.written,
        "digest_verifies": _NO_DIGEST if moment.verified is None else moment.verified,
        "panic": _dump(moment.dump),
    }


def _dump(dump: Dump) -> Document:
    return {
        "result": dump.end.value,
        "complete": dump.complete,
        "described": [memory_range(item) for item in dump.described],
        "missing": [memory_range(item) for item in dump.missing],
        "stale": [memory_range(item) for item in dump.stale],
        "cpus": {"noted": dump.noted, "without": list(dump.without)},
        "text": dump.why,
    }
