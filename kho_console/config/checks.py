"""What the console writes and reads of its own, as checks beside those of the machine."""

from kho_console.config import places
from kho_console.config.settings import Settings
from kho_console.model.check import Check, Result


def checks(settings: Settings) -> tuple[Check, ...]:
    """Where the settings came from, and where the log goes."""
    return _config(settings), _log(settings)


def _config(settings: Settings) -> Check:
    if settings.files:
        files = " and ".join(map(str, settings.files))
        return Check("config", Result.PASS, f"settings are read from {files}")
    place = places.user_file()
    instead = "" if place is None else f"; {place} would hold yours"
    return Check("config", Result.PASS, f"settings are read from no file{instead}")


def _log(settings: Settings) -> Check:
    if settings.log is None:
        return Check("log", Result.PASS, "no log is kept in a file; --log FILE keeps one")
    return Check("log", Result.PASS, f"a log is kept in {settings.log}")
