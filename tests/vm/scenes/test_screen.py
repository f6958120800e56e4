"""The console on a real terminal in the guest: tmux, 80 by 24."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vm import machine
from tests.vm.guest import PYTHON, Guest
from tests.vm.scenes import facts

TMUX = "tmux -S /run/tmux"
COMMAND = Path(PYTHON).with_name("kho-console")


@pytest.fixture(scope="module")
def terminal(guest: Guest) -> Iterator[Guest]:
    if shutil.which("tmux") is None:
        pytest.skip("a terminal needs: apt-get install tmux")
    inside = (
        f"stty -g > /run/before; {COMMAND}; echo $? > /run/code; stty -g > /run/after; exec cat"
    )
    (guest.share / "terminal").write_text(inside)
    guest.run(f"{TMUX} -u new-session -d -x 80 -y 24 sh /run/share/terminal", 60)
    yield guest
    guest.try_run(f"{TMUX} kill-server")


def screen(guest: Guest) -> list[str]:
    return guest.run(f"{TMUX} capture-pane -p").splitlines()


def wait_for(guest: Guest, text: str) -> list[str]:
    shown = f"until {TMUX} capture-pane -p | grep -q -e '{text}'; do sleep 0.5; done"
    done = guest.try_run(f"timeout 150 sh -c '{shown.replace(chr(39), chr(34))}'", 170)
    lines = screen(guest)
    assert done.code == 0, f"{text} is not on the screen:\n" + "\n".join(lines)
    return lines


def test_the_first_screen_shows_the_right_numbers(terminal: Guest) -> None:
    lines = wait_for(terminal, "FINDINGS")
    assert len(lines) == 24
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert terminal.kernel.release in lines[0]
    assert facts.kind(terminal.kernel.series).generation in lines[0]
    assert "LIVE" in lines[0]
    sizes = machine.SCRATCH
    total = sizes["lowmem"] + sizes["global"] + 2 * sizes["node"]
    assert f"{total / machine.MIB:.1f} MiB" in text
    assert f"{machine.CRASH / machine.MIB:.1f} MiB reserved" in text


def test_the_scratch_screen_shows_the_addresses(terminal: Guest) -> None:
    terminal.run(f"{TMUX} send-keys 2")
    text = "\n".join(wait_for(terminal, "lowmem\\|low memory\\|LOWMEM")).replace("_", "")
    for start, _ in facts.scratch(terminal):
        assert f"{start:x}" in text.lower()


def test_the_terminal_is_given_back(terminal: Guest) -> None:
    terminal.run(f"{TMUX} send-keys q")
    terminal.run("until test -s /run/after; do sleep 0.2; done", 120)
    assert terminal.read("/run/code") == "0"
    assert terminal.read("/run/after") == terminal.read("/run/before")
    modes = "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{keypad_flag}"
    assert terminal.run(f"{TMUX} display-message -p '{modes}'").split() == ["0", "1", "0", "0"]
    assert "FINDINGS" not in "\n".join(screen(terminal))
