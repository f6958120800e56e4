"""Drives a run as far as it gets: answers, checks and actions, one after the other."""

import os
import shlex
import sys
from argparse import Namespace

from kho_console import text
from kho_console.cli import checks, exit_code, output, writing
from kho_console.cli.answers import Answers
from kho_console.cli.progress import Progress
from kho_console.engine.actions.perform import perform
from kho_console.engine.actions.planning import plan
from kho_console.engine.opening import Source, writable
from kho_console.engine.runbook.driver import Halt, go_on
from kho_console.engine.runbook.run import Run
from kho_console.model.action import NotApplicable
from kho_console.model.check import Check
from kho_console.model.outcome import Ending
from kho_console.model.runbook import Need, Position, Step

CODES = {
    Ending.DONE: exit_code.DONE,
    Ending.PENDING: exit_code.DONE,
    Ending.UNPROVEN: exit_code.BAD_NEWS,
    Ending.REFUSED: exit_code.REFUSED,
    Ending.KERNEL_REFUSED: exit_code.KERNEL_REFUSED,
}
"""The exit code of an action by how it ended."""


class Guide:
    """One call of `runbook run` or `runbook resume`."""

    def __init__(self, run: Run, source: Source, wanted: Namespace, answers: Answers) -> None:
        """Go on with `run`."""
        self._run = run
        self._source = source
        self._wanted = wanted
        self._answers = answers
        self._progress = Progress(run.folder.name, wanted.json)

    def go(self) -> int:
        """Do what the run needs until it is over or cannot go on; the exit code."""
        while True:
            halt = go_on(self._run, self._answers.skip, self._tell)
            self._tell()
            code = self._one(halt)
            self._tell()
            if code is not None:
                left = self._run.position() if code != exit_code.REFUSED else halt.position
                self._progress.end(self._run.state.book, left)
                if left.step is not None and not self._wanted.json:
                    self._goes_on()
                return code

    def _goes_on(self) -> None:
        """Say by which verbs."""
        if writing.runs_folder(self._source, self._wanted) is None:
            output.report("the rehearsal ends here")
            return
        twin = self._wanted.twin
        machine = "" if twin is None else f" --twin {shlex.quote(twin)}"
        words = f"runbook resume{' --write' if self._wanted.write else ''} {self._run.folder.name}"
        output.report(f"go on:      kho-console{text.escaped(machine)} {words}")
        output.report("take back:  the same with undo;  end it: resume --abandon")

    def _tell(self) -> None:
        self._progress.tell(self._run.state)

    def _one(self, halt: Halt) -> int | None:
        """What somebody is needed for; an exit code where it is the last thing for now."""
        at = halt.position
        step = at.step
        if step is None:
            return exit_code.DONE if at.text == "finished" else exit_code.BAD_NEWS
        if halt.before:
            return self._said(halt.before, exit_code.REFUSED)
        if halt.failed:
            return self._not_held(step)
        if at.need is Need.REBOOT:
            return self._waits(step, at)
        if at.need is Need.DECIDE:
            return self._undecided(step, at)
        return self._answer(step) if at.need is Need.ANSWER else self._act(step)

    def _answer(self, step: Step) -> int | None:
        question = step.question
        assert question is not None
        word = self._answers.values.get(step.id)
        while word is None and sys.stdin.isatty() and sys.stderr.isatty():
            word = _asked(step, question.default)
            wrong = self._run.answer(step, word)
            if wrong is None:
                return None
            output.say(wrong)
            word = None
        if word is None:
            word = question.default
        if word is None:
            output.say(f"{step.id}: {text.escaped(step.what)}: give an answer in --answers FILE")
            return exit_code.USAGE
        wrong = self._run.answer(step, word)
        if wrong is not None:
            output.say(f"{step.id}: {text.escaped(word)}: {wrong}")
            return exit_code.USAGE
        return None

    def _not_held(self, step: Step) -> int:
        for line in checks.lines(self._run.state.steps[step.id].checks):
            output.say(line)
        if step.optional:
            output.say(f'{step.id} may be left out: skip = ["{step.id}"] in --answers FILE')
        return exit_code.BAD_NEWS

    def _act(self, step: Step) -> int | None:
        machine = writable(self._source)
        assert machine is not None
        planner, writer = self._run.planner(step), self._run.writer(step)
        journal = None if writer.journal is None else writer.journal.path
        found = plan(machine, planner, journal=journal)
        if isinstance(found, NotApplicable):
            self._run.fail(step, found.reason)
            output.say(f"{step.id}: {text.escaped(found.reason)}")
            if found.instead:
                output.say(f"instead: {text.escaped(found.instead)}")
            return exit_code.NOT_AVAILABLE
        if found.obstacles:
            return self._failed(step, found.obstacles, exit_code.REFUSED)
        refusal = writing.refusal(self._source, found, self._wanted)
        if refusal is not None:
            output.say(f"{step.id}: {refusal}")
            return exit_code.REFUSED
        ended = perform(machine, planner, found, writer)
        if ended.ending is Ending.PENDING:
            return self._leaves(step, ended.text)
        if ended.ending is Ending.DONE:
            return None
        if ended.ending is Ending.REFUSED:
            self._run.fail(step, ended.text, ended.obstacles)
        output.say(f"{step.id}: {ended.ending}: {text.escaped(ended.text)}")
        if ended.explained is not None:
            output.say(f"do:   {text.escaped(ended.explained.advice)}")
        return CODES[ended.ending]

    def _failed(self, step: Step, wrong: tuple[Check, ...], code: int) -> int:
        self._run.fail(step, "; ".join(item.text for item in wrong), wrong)
        return self._said(wrong, code)

    def _said(self, wrong: tuple[Check, ...], code: int) -> int:
        for line in checks.lines(wrong):
            output.say(line)
        return code

    def _leaves(self, step: Step, words: str) -> int:
        output.say(f"{step.id}: {text.escaped(words)}")
        output.say("in the next kernel: kho-console runbook resume")
        return exit_code.DONE

    def _waits(self, step: Step, at: Position) -> int | None:
        if self._decided(step):
            return None
        self._leaves(step, at.text)
        output.say("where it was called off: runbook resume --interrupted not-done")
        return exit_code.REFUSED

    def _undecided(self, step: Step, at: Position) -> int | None:
        if self._decided(step):
            return None
        output.say(f"{step.id} was interrupted, and what became of it cannot be told")
        output.say(f"{step.id}: {text.escaped(at.text)}")
        output.say("look at the machine, then: runbook resume --interrupted done|not-done")
        return exit_code.REFUSED

    def _decided(self, step: Step) -> bool:
        word = getattr(self._wanted, "interrupted", None)
        if word is not None:
            self._wanted.interrupted = None
            self._run.decide(step, done=word == "done")
        return word is not None


def _asked(step: Step, default: str | None) -> str:
    choices = () if step.question is None else step.question.choices
    hint = f" [{text.escaped(default)}]" if default else ""
    hint = f" ({', '.join(map(text.escaped, choices))}){hint}" if choices else hint
    sys.stderr.write(f"{text.harmless(text.escaped(step.what))}{hint}: ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise KeyboardInterrupt
    return os.fsdecode(line.strip()) or (default or "")
