"""Where settings and what the console writes are kept, after the XDG base directories."""

import os
from collections.abc import Mapping
from pathlib import Path

NAME = "kho-console"

MACHINE = Path("/etc") / NAME / "config.toml"
"""The settings of a machine; those of a user go before them."""


MACHINE_LOCK = Path("/run") / NAME / "lock"
"""The lock of root, in a folder that nobody else can write."""


def user_file(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The settings of the user: `config.toml` below `$XDG_CONFIG_HOME`; None without a home."""
    base = _base(environment, "XDG_CONFIG_HOME", Path(".config"))
    return None if base is None else base / NAME / "config.toml"


def state_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Where the console writes, below `$XDG_STATE_HOME`; None without a home."""
    base = _base(environment, "XDG_STATE_HOME", Path(".local", "state"))
    return None if base is None else base / NAME


def log_file(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The log, where no other file is named; None without a home."""
    folder = state_folder(environment)
    return None if folder is None else folder / "log"


def journal_file(environment: Mapping[str, str] = os.environ) -> Path | None:
    """What was changed and by whom: the machine's for root, else the user's; None without a home.

    A `$XDG_STATE_HOME` that is set goes first, for root too.
    """
    if os.geteuid() == 0 and not environment.get("XDG_STATE_HOME"):
        return Path("/var/log") / NAME / "journal.jsonl"
    folder = state_folder(environment)
    return None if folder is None else folder / "journal.jsonl"


def runs_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Where runs of runbooks are kept, which have to outlive a kexec; None without a home.

    A `$XDG_STATE_HOME` that is set goes first, for root too.
    """
    if os.geteuid() == 0 and not environment.get("XDG_STATE_HOME"):
        return Path("/var/lib") / NAME / "runs"
    folder = state_folder(environment)
    return None if folder is None else folder / "runs"


def lock_file(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The lock of whoever changes the machine: the machine's for root, else the user's."""
    if os.geteuid() == 0:
        return MACHINE_LOCK
    folder = state_folder(environment)
    return None if folder is None else folder / "lock"


def _base(environment: Mapping[str, str], variable: str, below_home: Path) -> Path | None:
    given = environment.get(variable, "")
    if given.startswith("/"):  # The specification has relative ones ignored.
        return Path(given)
    home = environment.get("HOME", "")
    if home.startswith("/"):
        return Path(home) / below_home
    try:
        return Path.home() / below_home
    except RuntimeError:
        return None
