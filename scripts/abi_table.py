"""Reads the tables of calls, statuses and trace records, for the scripts that need them (from the top folder).

calls() gives every call of syscall.def, headings(…) the short comments between them, statuses() those
of status.def, traces() every kind of trace.def.  A line that is not of the form that the head of syscall.def describes ends the program
with the file, the line and what is wrong.
"""
import re
import sys

CALLS, STATUSES = "exo/include/exo/syscall.def", "exo/include/exo/status.def"
TRACES = "exo/include/exo/trace.def"
STRING = r'"((?:[^"\\]|\\.)*)"'


class Refused(Exception):
    """A table that is not as it must be: file, line, what is wrong."""


class Call:
    """One call: number, name, line; arguments and errors as (name, text) pairs; value ("" if none)."""

    def __init__(self, line, number, name, arguments, parts):
        self.line, self.number, self.name = line, number, name
        self.what, told = two(parts[0]) if " // " in parts[0] else (parts[0], "")
        self.arguments, self.value = described(told, arguments)
        self.errors = pairs(parts[1])
        self.bound = parts[2]
        self.code, self.effect = two(parts[3])


def two(text):
    """What stands on both sides of the ` // `."""
    sides = text.split(" // ")
    if len(sides) != 2 or not all(sides):
        raise Refused(f"`{text[:40]}…` must have one ` // `, and something on both sides")
    return sides


def pairs(text):
    """`NAME: words; NAME: words` as a list of (name, words)."""
    found = [tuple(part.split(": ", 1)) for part in text.split("; ") if part]
    for pair in found:
        if len(pair) != 2 or not re.fullmatch(r"\w+", pair[0]):
            raise Refused(f"`{': '.join(pair)}` is not of the form `name: words`")
    return found


def described(text, arguments):
    """Every argument in its order, then perhaps `value`: (the arguments' pairs, the value's words)."""
    found = pairs(text)
    names = [name for name, _ in found]
    if names not in (arguments, arguments + ["value"]):
        raise Refused(f"describes {', '.join(names) or 'nothing'}; the arguments are {', '.join(arguments) or 'none'}")
    return found[:len(arguments)], found[-1][1] if len(found) > len(arguments) else ""


def strings(text):
    """The string literals in text; adjacent ones are one."""
    found, last = [], 0
    for m in re.finditer(STRING, text):
        words = m.group(1).replace('\\"', '"').replace("\\\\", "\\")
        if found and "," not in text[last:m.start()]:
            found[-1] += words
        else:
            found.append(words)
        last = m.end()
    return found


def entry(source, start):
    """The line `CALL(…)` that begins at start: (head, text of the four last parts)."""
    m = re.compile(rf'CALL\(([^"]*)((?:{STRING}|[\s,])*)\)[ ]*(?:/\*.*\*/)?\n').match(source, start)
    if not m:
        raise Refused("not of the form CALL(number, name, count, (arguments), \"…\", \"…\", \"…\", \"…\")")
    return m.group(1), m.group(2)


def call(line, head, text):
    m = re.fullmatch(r"(\d+), (\w+), (\d), \(([^)]*)\),\s*", head)
    if not m:
        raise Refused(f"`{head.strip()}` is not number, name, argument count, (arguments)")
    parts = strings(text)
    if len(parts) != 4:
        raise Refused(f"{4 + len(parts)} parts, not 8")
    arguments = [] if m.group(4) == "void" else [a.strip() for a in m.group(4).split(",")]
    if any(not re.fullmatch(r"uint64_t \w+", a) for a in arguments) or len(arguments) != int(m.group(3)):
        raise Refused(f"({m.group(4)}) is not {m.group(3)} arguments of uint64_t")
    return Call(line, int(m.group(1)), m.group(2), [a.split()[1] for a in arguments], parts)


def check(found, all_found, known):
    """What one line alone cannot show."""
    if found.number != len(all_found):
        raise Refused(f"number {found.number} where {len(all_found)} comes")
    names = [name for name, _ in found.errors]
    if len(set(names)) != len(names) or not set(names) <= known - {"OK"}:
        raise Refused(f"statuses {', '.join(names)}: one is unknown, or there twice")
    if f"{found.name}(" not in found.code:
        raise Refused("the example does not make the call")


def statuses(path=STATUSES):
    """(name, number, meaning) of each status."""
    with open(path, encoding="utf-8") as source:
        return [(m[0], int(m[1]), "".join(strings(m[2])))
                for m in re.findall(r"^STATUS\((\w+), (\d+), (.*)\)$", source.read(), re.M)]


def traces(path=TRACES):
    """(number, name, what, env, detail, a, b) of each kind of trace record."""
    with open(path, encoding="utf-8") as source:
        text = source.read()
    found = []
    for m in re.finditer(rf"^TRACE\((?:(\d+), (\w+),((?:\s*{STRING},?){{5}})\)$)?", text, re.M):
        if not m[1] or int(m[1]) != len(found) + 1:
            sys.exit(f"{path}:{text.count(chr(10), 0, m.start()) + 1}: not TRACE({len(found) + 1}, NAME, five texts)")
        found.append((int(m[1]), m[2], *strings(m[3])))
    return found


def entries(path=CALLS, status_path=STATUSES):
    """Calls and headings (strings) in the order of the table."""
    with open(path, encoding="utf-8") as source:
        text = source.read()
    found, all_found, known = [], [], {name for name, _, _ in statuses(status_path)}
    for m in re.finditer(r"^CALL\(|^/\* (.*) \*/$", text, re.M):
        if m.group(1):
            found.append(m.group(1))
            continue
        line = text.count("\n", 0, m.start()) + 1
        try:
            one = call(line, *entry(text, m.start()))
            check(one, all_found, known)
        except Refused as why:
            sys.exit(f"{path}:{line}: {text[m.start():m.start() + 30].split(', (')[0]}: {why}")
        found.append(one)
        all_found.append(one)
    return found


def calls(path=CALLS, status_path=STATUSES):
    return [one for one in entries(path, status_path) if isinstance(one, Call)]
