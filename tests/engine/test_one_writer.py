"""Only `engine.actions.perform` asks a machine to change."""

import ast
from pathlib import Path

import kho_console

PACKAGE = Path(kho_console.__file__).parent
ITSELF = ("engine/actions/perform.py", "twin/", "source/")
"""The one caller, and the sources themselves."""


def test_nobody_else_calls_change() -> None:
    callers = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "change"
        and ast.unparse(node.func.value) not in ("text_acting", "text_crash", "super()")
    }
    assert "engine/actions/perform.py" in callers
    assert {name for name in callers if not name.startswith(ITSELF)} == set()
