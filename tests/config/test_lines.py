import tomllib

from hypothesis import given
from hypothesis import strategies as st

from kho_console.config.lines import key_lines

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
'''


def test_every_key_has_the_line_that_it_begins_on() -> None:
    lines = key_lines(DOCUMENT)
    rows = DOCUMENT.split("\n")
    assert {".".join(path): rows[line - 1] for path, line in lines.items()} == {
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
        "many.x": "x = 1",
    }
    assert key_lines(DOCUMENT.replace("\n", "\r\n")) == lines


VALUES = st.sampled_from(
    ["1", '"#"', "[\n1,\n\n2]", '"""\nx = 1\n[t]\n"""', "'''\n'''", '{ a = "]" }', "[[]]"]
)
GAPS = st.sampled_from(["", "\n", "# x = 1\n", "   \n\n"])


@given(st.lists(st.tuples(GAPS, VALUES), max_size=8), st.integers(0, 8))
def test_lines_of_made_up_documents(entries: list[tuple[str, str]], table_at: int) -> None:
    document, table = "", ""
    expected: dict[tuple[str, ...], int] = {}
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
