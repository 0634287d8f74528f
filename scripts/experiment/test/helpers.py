"""What the tests of experiments share: results as lines, changed copies of tiny/experiment.ini, and running it."""
import os
import re
import subprocess
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.dirname(os.path.dirname(HERE))]
COMMAND = os.path.join(os.path.dirname(HERE), "experiment")
O = os.environ.get("O") or "build"
SECONDS = 300


def tiny():
    with open(f"{HERE}/tiny/experiment.ini", encoding="utf-8") as source:
        return source.read()


def write(folder, text, name="tiny"):
    """A changed copy's folder."""
    os.makedirs(f"{folder}/{name}", exist_ok=True)
    with open(f"{folder}/{name}/experiment.ini", "w", encoding="utf-8") as out:
        out.write(text)
    return f"{folder}/{name}"


def changed(*pairs):
    """tiny's text, each (old, new) replaced, which must be there."""
    text = tiny()
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def experiment(*words, **environment):
    """(status, what it printed)"""
    done = subprocess.run([COMMAND, *words], env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=SECONDS, check=False, text=True)
    return done.returncode, done.stdout


def contains(text, *patterns):
    """Asserts that each is found in the text, in this order."""
    position = 0
    for pattern in patterns:
        found = re.compile(pattern, re.MULTILINE).search(text, position)
        assert found, f"nothing matches {pattern} in:\n{text}"
        position = found.end()


def run_all(tests):
    """Runs functions, each a test by its name; the status to exit with."""
    failed = 0
    for test in tests:
        name = f"experiment: {test.__name__.replace('_', ' ')}"
        try:
            test()
            print(f"ok {name}", flush=True)
        except (AssertionError, OSError, KeyError, ValueError, subprocess.SubprocessError) as error:
            failed += 1
            where = traceback.extract_tb(error.__traceback__)[1:][:1]
            print(f"FAIL {name}: {f'line {where[0].lineno}: ' if where else ''}{error or where[0].line}", flush=True)
    return 1 if failed else 0
