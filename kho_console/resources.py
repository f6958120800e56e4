"""What comes with the console besides programs: styles, recordings, TOML files, a systemd unit."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def styles_folder() -> Path:
    """The folder of style sheets.

    Raises:
        FileNotFoundError: The console is not installed whole.
    """
    return _folder("styles", _PACKAGE)


def fixtures_folder() -> Path:
    """The folder of what was recorded, `KERNEL/MOMENT` and `KERNEL/NAME.khorec`, or made up.

    Raises:
        FileNotFoundError: The console is not installed whole.
    """
    return _folder("fixtures", _PACKAGE)


def descriptions(name: str) -> str | None:
    """The text of a shipped file of kstate descriptions, None where there is none of that name."""
    path = _PACKAGE / "descriptions" / f"{name}.toml"
    return path.read_text(encoding="utf-8") if path.is_file() else None


def workloads() -> tuple[str, ...]:
    """The names of the shipped workloads."""
    return tuple(sorted(item.stem for item in (_PACKAGE / "workloads").glob("*.toml")))


def workload(name: str) -> str:
    """The text of the shipped workload of that name, one of `workloads`."""
    return (_PACKAGE / "workloads" / f"{name}.toml").read_text(encoding="utf-8")


def unit() -> str:
    """The systemd unit of a recorder.

    Raises:
        OSError: The console is not installed whole.
    """
    return (_PACKAGE / "units" / "kho-console-record.service").read_text()


def schemas() -> str:
    """The JSON schemas of all documents."""
    return (_PACKAGE / "schemas" / "documents.json").read_text(encoding="utf-8")


def runbooks_folder() -> Path:
    """The folder of shipped runbooks, a TOML file each."""
    return _PACKAGE / "runbooks"


def scenarios_folder() -> Path:
    """The folder of shipped scenarios of crash hotplug, one file each.

    Raises:
        FileNotFoundError: The console is not installed whole.
    """
    return _folder("scenarios", _PACKAGE)


def _folder(name: str, package: Path) -> Path:
    installed = package / name
    if installed.is_dir():
        return installed
    checkout = package.parent
    # Without the project file the parent is site-packages, where a folder of that name is not ours.
    if (checkout / "pyproject.toml").is_file() and (checkout / name).is_dir():
        return checkout / name
    raise FileNotFoundError(
        f"no folder {name} in {package}, nor beside it in a checkout: install kho-console again"
    )
