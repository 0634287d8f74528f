"""How deep a function's stack is at an address, by its instructions: for code without frame pointers, as newlib's, and
for code of which the frame is not made yet or gone again.

What it says is right for code as compilers write it: pushes and one subtraction at the beginning, undone before each return.
"""
import collections
import re
import subprocess

# Bytes on the stack since the function was entered; how many were there when rbp had been pushed (0: it was not);
# whether rbp is the frame's.
State = collections.namedtuple("State", "depth rbp_at framed")
ENTERED = State(0, 0, False)

LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*?)\s*(?:[#<].*)?$")
ADJUST = re.compile(r"\$(0x[0-9a-f]+),%rsp$")


def disassembly(path, start, end):
    """(address, instruction, operands) of each instruction."""
    done = subprocess.run(["objdump", "-d", "--no-show-raw-insn", f"--start-address={start}", f"--stop-address={end}", path],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, text=True)
    for line in done.stdout.splitlines():
        found = LINE.match(line)
        if found:
            yield int(found[1], 16), found[2].removesuffix("q"), found[3]


def after(state, instruction, operands):
    """The state behind one instruction."""
    depth, rbp_at, framed = state
    adjust = ADJUST.match(operands)
    if instruction == "push":
        return State(depth + 8, depth + 8 if operands == "%rbp" and not rbp_at else rbp_at, framed)
    if instruction == "pop":
        return State(depth - 8, rbp_at, framed and operands != "%rbp")
    if instruction == "leave":
        return State(0, rbp_at, False)
    if instruction in ("sub", "add") and adjust:
        return State(depth + int(adjust[1], 16) * (1 if instruction == "sub" else -1), rbp_at, framed)
    if instruction == "mov" and operands == "%rsp,%rbp":
        return State(depth, rbp_at, True)
    return state


def state_at(path, start, address):
    """The state before the instruction at `address` of the function at `start`."""
    state = body = ENTERED
    for at, instruction, operands in disassembly(path, start, address + 16):
        if at >= address:
            break
        if instruction in ("ret", "jmp", "ud2"):
            state = body  # what follows is reached from before its frame was taken down
            continue
        state = after(state, instruction, operands)
        if (state.framed, state.depth) >= (body.framed, body.depth):
            body = state
    return state
