#!/usr/bin/python3
"""Feed the shell nonsense: fuzz.py BIN_DIRECTORY COUNT [SEED].

Every text is run with a PATH that holds no program, in a directory of its own and with a time
limit, so what is tried is reading, expanding, second shells and the built-in commands. `kill` is
not among the words, and root runs all of it as nobody: nonsense must not reach other processes or
other people's files.
A crash, a sanitizer report or a hang is a failure, told with the text that caused it.
"""
import os
import random
import subprocess
import sys
import tempfile

TOKENS = ["if", "then", "else", "elif", "fi", "while", "until", "do", "done", "for", "in", "case",
          "esac", "{", "}", "(", ")", "!", ";", ";;", "&&", "||", "|", "\n", "<", ">", ">>", "<<",
          "<<-", "<<<", "<&", ">&", "2>&1", "<>", "'", '"', "`", "\\", "$", "$(", "${", "$((", "))",
          "x=", "x=1", "$x", "${x}", "${#x}", "${x:-", "${x#*", "${x%%", "$@", '"$@"', "$*", "$1",
          "$?", "*", "?", "[", "]", "~", "#", "EOF", "a", "b", "1", "-1", "echo", "set --", "shift",
          "break", "continue", "return", "export", "unset", "eval", "read", "test", ":", "f()",
          "f", "true", "false", "-e", "-a", "-o", "=", "+", "*", "/", "%", "\xff", "\t", "%1",
          "wait", "type", "exec 3>&1", "set -e", "cd", "umask"]


def text(random_source):
    """A run of tokens, most of them apart, some glued."""
    parts = []
    for _ in range(random_source.randint(1, 25)):
        parts.append(random_source.choice(TOKENS))
        parts.append(random_source.choice(["", " ", " ", " "]))
    if random_source.random() < 0.02:
        parts.insert(0, random_source.choice("({!`'\"$") * random_source.randint(50, 3000))
    return "".join(parts)


def main():
    shell = os.path.join(os.path.abspath(sys.argv[1]), "sh")
    count = int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    source = random.Random(seed)
    bad = 0
    nobody = 65534 if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory() as directory:
        if nobody is not None:
            os.chown(directory, nobody, nobody)
        environment = {"PATH": "/nonexistent", "TMPDIR": directory,
                       "ASAN_OPTIONS": "detect_leaks=0"}
        for _ in range(count):
            script = text(source)
            try:
                done = subprocess.run([shell, "-c", script], cwd=directory, env=environment,
                                      stdin=subprocess.DEVNULL, capture_output=True, timeout=10,
                                      user=nobody, group=nobody,
                                      extra_groups=[] if nobody else None, check=False)
                why = "status %d" % done.returncode if done.returncode < 0 else ""
                if b"anitizer" in done.stderr or b"runtime error" in done.stderr:
                    why = done.stderr.decode("utf-8", "replace")[:2000]
            except subprocess.TimeoutExpired:
                # A loop without an end is what some texts ask for.
                why = "" if "while" in script or "until" in script else "hangs"
            if why:
                bad += 1
                print("FAIL fuzz: %s: %r" % (why, script))
    if not bad:
        print("ok fuzz/%d" % count)
    return 1 if bad else 0


sys.exit(main())
