import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.toml_lines import KeyPath, key_lines, loads

DOCUMENT = '''# first

theme = "dark" # one line
"quoted key" = [
  1, # [keys]
  2,
]
text = """
theme = 3
[keys]
"""
dotted.deep = 1

[keys]
quit = "q"

'help' = [ "a", "b" ]
[keys.inner]
x = { y = 1 }

[[many]]
x = 1
[[many]]
x = 2
[many.inner]
y = 3
'''


def test_every_key_has_the_line_that_it_begins_on() -> None:
    lines = key_lines(DOCUMENT)
    rows = DOCUMENT.split("\n")
    assert {".".join(map(str, path)): rows[line - 1] for path, line in lines.items()} == {
        "theme": 'theme = "dark" # one line',
        "quoted key": '"quoted key" = [',
        "text": 'text = """',
        "dotted": "dotted.deep = 1",
        "dotted.deep": "dotted.deep = 1",
        "keys": "[keys]",
        "keys.quit": 'quit = "q"',
        "keys.help": '\'help\' = [ "a", "b" ]',
        "keys.inner": "[keys.inner]",
        "keys.inner.x": "x = { y = 1 }",
        "keys.inner.x.y": "x = { y = 1 }",
        "many": "[[many]]",
        "many.0": "[[many]]",
        "many.0.x": "x = 1",
        "many.1": "[[many]]",
        "many.1.x": "x = 2",
        "many.1.inner": "[many.inner]",
        "many.1.inner.y": "y = 3",
    }
    assert key_lines(DOCUMENT.replace("\n", "\r\n")) == lines


VALUES = st.sampled_from(
    [
        "1",
        '"#"',
        "[\n1,\n\n2]",
        '"""\nx = 1\n[t]\n"""',
        "'''\n'''",
        '{ a = "]" }',
        "[[]]",
        r'"[\\\"["',
        r"'[\'",
        '"""\n[""[\\"""[""""',
        "'''\n[''['''''",
        "[ # ]\n]",
        "1.5",
    ]
)
GAPS = st.sampled_from(["", "\n", "# x = 1\n", "   \n\n"])


@given(st.lists(st.tuples(GAPS, VALUES), max_size=8), st.integers(0, 8))
def test_lines_of_made_up_documents(entries: list[tuple[str, str]], table_at: int) -> None:
    document, table = "", ""
    expected: dict[KeyPath, int] = {}
    for at, (gap, value) in enumerate(entries):
        document += gap
        if at == table_at:
            expected["t",] = document.count("\n") + 1
            document, table = document + "[t]\n", "t"
        expected[("t", f"k{at}") if table else (f"k{at}",)] = document.count("\n") + 1
        document += f"k{at} = {value}\n"
    tomllib.loads(document)
    found = key_lines(document)
    assert {path: line for path, line in found.items() if path[-1] != "a"} == expected


def test_a_list_over_thousands_of_lines_has_its_line() -> None:
    """Were each line of it read with all those before, this took hours."""
    document = "first = [\n" + '"x",\n' * 50_000 + "]\nlast = 1\n"
    assert key_lines(document) == {("first",): 1, ("last",): 50_002 + 1}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("x = 1\ny = [" + "[" * 99, "too deep in each other .at line 2, column 37"),
        ("x = " + "{ x = " * 99, "too deep in each other .at line 1"),
        ("[a]\n" + "a." * 9 + "a = 1", "more than 8 dots .at line 2, column 18"),
        ("[" + '"a" . ' * 30_000 + "a]", "more than 8 dots"),
        ("a = 0x" + "f" * 1000, "more than 1000 letters .at line 1, column 5"),
        ("a" * 1001 + " = 1", "more than 1000 letters .at line 1, column 1"),
        ("a = 1\na = 2", "at line 2|at end of document"),
        ('a = """' + r'\"""' * 300_000, "."),
        ('a = "\n' * 100_000, "."),
    ],
)
def test_what_nobody_writes_by_hand_is_refused_at_once(document: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        loads(document)


def test_what_is_written_by_hand_is_read() -> None:
    more = ["[a.b]\n", f"c.d.e = [{'1.5, ' * 99}]\n", f"# {'a.' * 99}\n", f"f = '{'.' * 2000}'\n"]
    document = "".join([DOCUMENT, *more])
    assert loads(document) == tomllib.loads(document)
