"""Run as a program: the console on a recording that says it is a live machine, looking often."""

import sys

from kho_console.config.settings import Settings
from kho_console.tui.app import run
from tests.pilot.machines import LiveRecording

sys.exit(run(LiveRecording("linux-7.3.4/sessions"), Settings(interval=0.1)))
