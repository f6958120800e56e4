"""What is done on threads when a crash is simulated; the first one to ask loads this module."""

import json
from collections.abc import Callable, Iterator

from kho_console import text
from kho_console.documents import crash_simulation as documents
from kho_console.engine.crash import scenarios
from kho_console.engine.crash.scenario_table import ScenarioError
from kho_console.engine.crash.simulation import StoppedError, simulate
from kho_console.model.crash_simulation import CrashSimulation
from kho_console.model.value import dataclass
from kho_console.tui.lookout import Failure


@dataclass(frozen=True, slots=True)
class Offered:
    """A scenario that is shipped: its name, and what it shows."""

    name: str
    about: str


def offered() -> tuple[Offered, ...]:
    """The shipped scenarios."""
    return tuple(Offered(name, scenarios.scenario(name).about) for name in scenarios.shipped())


def simulated(word: str, stopped: Callable[[], bool] = lambda: False) -> CrashSimulation | Failure:
    """A scenario, by its name or file, under both designs; why not in words."""
    try:
        return simulate(scenarios.scenario(word), stopped=stopped)
    except StoppedError:
        return Failure(f"{text.escaped(word)} was stopped")
    except (ScenarioError, scenarios.CannotReadError) as error:
        return Failure(f"{text.escaped(word)}: {text.escaped(str(error))}")


def document(found: CrashSimulation) -> Iterator[str]:
    """Its JSON, made when it is asked for."""
    yield f"{json.dumps(documents.crash_simulation(found), indent=2)}\n"
