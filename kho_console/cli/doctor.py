"""The verb `doctor`: what this console can and cannot see here."""

from argparse import Namespace

from kho_console.cli import exit_code, output
from kho_console.cli.checks import lines
from kho_console.config.checks import checks as own_checks
from kho_console.documents import machine as documents
from kho_console.engine.doctor import examine
from kho_console.engine.observe import observe
from kho_console.engine.opening import Source
from kho_console.model.check import Result


def doctor(source: Source, wanted: Namespace) -> int:
    """Print all checks; bad news if one of them failed."""
    checks = (*examine(source, observe(source)), *own_checks(wanted.settings))
    if wanted.json:
        output.document(documents.checks(checks))
    else:
        for line in lines(checks):
            output.line(line)
    failed = any(item.result is Result.FAIL for item in checks)
    return exit_code.BAD_NEWS if failed else exit_code.DONE
