"""One run of one point: a job file in, a result and a console log out.  Alone with emulator.py, an image and fhimage it
works on any machine, so that a run elsewhere is this script with the same files:  point.py JOB RESULT LOG

A job is JSON: image, command, emulator, memory, icount, time, a folder for what it needs meanwhile, and `id`.  A result is
JSON: what the console printed as `metric ...`, in order, and how the run ended: `ok`, `failed` (its status), `hung` (time),
`crashed` (the machine stopped).
"""
import gzip
import json
import os
import platform
import re
import signal
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import emulator  # noqa: E402  (it is beside us, or above us in the tree)

LINE = re.compile(r"^metric +(\w+) +(\S+)(?: +(\S+))?[ \t]*$", re.MULTILINE)


def plain(image, folder):
    """The image, unpacked when it was packed for its way here."""
    if not image.endswith(".gz"):
        return image
    unpacked = os.path.join(folder, "image")
    with gzip.open(image, "rb") as source, open(unpacked, "wb") as out:
        while piece := source.read(1 << 20):
            if piece.count(0) == len(piece):  # stays a hole
                out.seek(len(piece), os.SEEK_CUR)
            else:
                out.write(piece)
        out.truncate()
    return unpacked


def boot(job, show, work):
    """(status, reason, console, complaint) of the machine."""
    chosen = emulator.Settings(job["emulator"], job["memory"], job["icount"])
    pieces = []

    def sink(piece):
        pieces.append(piece)
        show(piece)

    with emulator.Boot(chosen, plain(job["image"], work), work) as machine:
        emulator.set_command(machine.disk, job["command"])
        status, reason = machine.batch(job["time"], sink)
        console = b"".join(pieces).decode(errors="replace").replace("\r\n", "\n")
        return status, reason, console, machine.complaint()


def judged(status, reason, seconds):
    if status == emulator.OUT_OF_TIME and reason:
        return "hung", f"not done after {seconds} s"
    if reason:
        return "crashed", reason
    return ("failed", f"the command ended with status {status}") if status else ("ok", "")


def run(job, show=lambda piece: None):
    """(result, log).  What cannot be run at all is a failed run, too."""
    began = time.monotonic()
    os.makedirs(job["scratch"], exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="point-", dir=job["scratch"]) as work:
        try:
            status, reason, console, complaint = boot(job, show, work)
            end, why = judged(status, reason, job["time"])
        except (emulator.Refused, OSError) as error:
            console, complaint, end, why = "", "", "failed", str(error)
    log = console if end == "ok" else f"{console}\n--- {why}\n{complaint}\n"
    printed = [[name, *(value for value in values if value)] for name, *values in LINE.findall(console)]
    return {"id": job["id"], "end": end, "reason": why, "host": platform.node(), "wall": round(time.monotonic() - began, 3),
            "printed": printed}, log


def write(result, log, result_path, log_path):
    """The log first: where there is a result, there is all of it."""
    os.makedirs(os.path.dirname(result_path) or ".", exist_ok=True)
    for path, text in ((log_path, log), (result_path, json.dumps(result) + "\n")):
        with open(f"{path}.new", "w", encoding="utf-8") as out:
            out.write(text)
        os.replace(f"{path}.new", path)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the machine ends with us
    job_path, result_path, log_path = sys.argv[1:]
    with open(job_path, encoding="utf-8") as source:
        job = json.load(source)
    result, log = run(job)
    write(result, log, result_path, log_path)
    print(result["id"], flush=True)


if __name__ == "__main__":
    main()
