"""The runs of an experiment as independent jobs: their names, here or on other machines, and how far they are.

A job's id is a hash of all that its result depends on, so points/ID.json in the result's folder is that result until
something of it changes; what did not end well is run again.  Each job is point.py in a process of its own, here started by
threads, elsewhere by GNU parallel with the files that it needs.  Used by experiment.
"""
import collections
import concurrent.futures
import gzip
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import build
from emulator import Refused
from spec import told

HERE = os.path.dirname(os.path.abspath(__file__))
CODE = (os.path.join(HERE, "point.py"), os.path.join(os.path.dirname(HERE), "emulator.py"))
VERSIONS = {"qemu": ["qemu-system-x86_64", "--version"], "bochs": ["dpkg-query", "-W", "-f", "${Version}", "bochs"]}
PLACE = "freehold-experiment-"  # and who we are: the folder of ours in /tmp of another machine
GRACE = 120  # seconds that a run elsewhere may take beside its time limit, its files' way included


def emulator_version(name):
    try:
        text = subprocess.run(VERSIONS[name], capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return f"{name} (not installed here)"
    return f"{name} {text.split('version ')[-1].split()[0]}"


def jobs_of(experiment, images, points):
    """[(point, repetition, job)]"""
    name = "qemu" if experiment.emulator == "qemu-wall" else experiment.emulator
    code = [build.digest(path) for path in CODE] + [emulator_version(name)]
    found = []
    for point in points:
        image = images.path(point)
        matters = {"image": images.digests[image], "command": "set -e\n" + experiment.fill(experiment.command, point),
                   "emulator": name, "memory": experiment.memory_of(point),
                   "icount": 0 if experiment.emulator == "qemu" else None}
        for repetition in range(1, experiment.repeat + 1):
            mark = json.dumps([matters, repetition, code], sort_keys=True)
            name_of = hashlib.sha256(mark.encode()).hexdigest()[:16]
            job = {**matters, "image": image, "time": experiment.time, "scratch": f"{build.O}/run", "id": name_of}
            found.append((point, repetition, job))
    return found


class Store:
    """The results of jobs in a folder."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(f"{folder}/points", exist_ok=True)

    def path(self, name, end):
        return f"{self.folder}/points/{name}.{end}"

    def result(self, name):
        """The job's result, or None."""
        try:
            with open(self.path(name, "json"), encoding="utf-8") as source:
                return json.load(source)
        except (OSError, ValueError):
            return None

    def forget(self, names):
        for name in names:
            for end in ("json", "log"):
                if os.path.exists(self.path(name, end)):
                    os.unlink(self.path(name, end))


class Progress:
    """Tells of each job that is done, and how long the rest will take; several threads report to it."""

    def __init__(self, todo, store):
        self.points = {job["id"]: told(point) for point, _, job in todo}
        self.store, self.began, self.done = store, time.monotonic(), 0
        self.lock = threading.Lock()

    def report(self, name):
        with self.lock:
            self.done += 1
            left = (time.monotonic() - self.began) / self.done * (len(self.points) - self.done)
            result = self.store.result(name)
            end = f"{result['end']}, {result['wall']:.1f} s" if result else "no result"
            print(f"{self.done:4} of {len(self.points)}  {self.points[name]}: {end}"
                  f"{f'; {spoken(left)} left' if self.done < len(self.points) else ''}", flush=True)


def spoken(seconds):
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def write_jobs(todo, kit):
    for _, _, job in todo:
        with open(f"{kit}/{job['id']}.json", "w", encoding="utf-8") as out:
            json.dump(job, out)


# ---- here ----------------------------------------------------------------------------------------

class Here:
    """Runs on this machine, so many at a time."""

    def __init__(self, store, at_once):
        self.store, self.at_once = store, at_once
        self.running, self.lock, self.ended = set(), threading.Lock(), False

    def one(self, kit, name, progress):
        line = [sys.executable, CODE[0], f"{kit}/{name}.json", *(self.store.path(name, end) for end in ("json", "log"))]
        with self.lock:
            if self.ended:
                return
            process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
            self.running.add(process)
        process.wait()
        with self.lock:
            self.running.discard(process)
        if not self.ended:
            progress.report(name)

    def stop(self):
        with self.lock:
            self.ended = True
            for process in self.running:
                process.terminate()

    def run(self, todo, kit, progress):
        write_jobs(todo, kit)
        with concurrent.futures.ThreadPoolExecutor(self.at_once) as pool:
            try:
                for done in [pool.submit(self.one, kit, job["id"], progress) for _, _, job in todo]:
                    done.result()
            except BaseException:
                self.stop()
                pool.shutdown(cancel_futures=True)
                raise


# ---- on other machines ---------------------------------------------------------------------------

class Elsewhere:
    """Runs by GNU parallel on machines that it reaches by ssh; each gets the files, and gives back results."""

    def __init__(self, store, at_once, logins):
        self.store, self.at_once, self.logins = store, at_once, logins
        self.place = f"/tmp/{PLACE}{os.uname().nodename}-{os.getpid()}"
        for tool in ("parallel", "rsync", "ssh"):
            if not shutil.which(tool):
                raise Refused(f"{tool} is not here, and runs on other machines need it (scripts/deps experiment)")

    def pack(self, todo, kit):
        """Everything that a machine needs, in the kit: its names there."""
        os.makedirs(f"{kit}/jobs")
        for path in (*CODE, os.environ.get("FHIMAGE") or f"{build.O}/host/fhimage"):
            shutil.copy(path, kit)
        packed = {}
        for _, _, job in todo:
            image = job["image"]
            if image not in packed:
                packed[image] = f"image{len(packed)}.gz"
                with open(image, "rb") as source, gzip.open(f"{kit}/{packed[image]}", "wb", compresslevel=1) as out:
                    shutil.copyfileobj(source, out, 1 << 20)
        write_jobs([(point, repetition, {**job, "image": packed[job["image"]], "scratch": "/tmp"})
                    for point, repetition, job in todo], f"{kit}/jobs")
        return [*(os.path.basename(path) for path in CODE), "fhimage", *packed.values()]

    def line(self, todo, files, kit):
        logins = [word for login in self.logins for word in ("--sshlogin", login)]
        longest = max(job["time"] for _, _, job in todo) + GRACE
        return ["parallel", "--will-cite", *logins, *(["--jobs", str(self.at_once)] if self.at_once else []),
                "--joblog", "joblog", "--workdir", self.place, "--cleanup", "--retries", "3", "--timeout", str(longest),
                *(word for name in files for word in ("--basefile", name)), "--transferfile", "jobs/{}.json",
                "--return", "points/{}.json", "--return", "points/{}.log",
                # `:` is this machine, which is given nothing.
                f"test -e point.py || cd {shlex.quote(os.path.abspath(kit))}; "
                "env FHIMAGE=./fhimage /usr/bin/python3 point.py jobs/{}.json points/{}.json points/{}.log"]

    def run(self, todo, kit, progress):
        files = self.pack(todo, kit)
        names = "".join(f"{job['id']}\n" for _, _, job in todo)
        with open(f"{kit}/list", "w", encoding="ascii") as out:
            out.write(names)
        with open(f"{kit}/list", "rb") as source, open(f"{kit}/errors", "wb") as errors, \
                subprocess.Popen(self.line(todo, files, kit), cwd=kit, stdin=source, stdout=subprocess.PIPE, stderr=errors,
                                 text=True) as process:
            for line in process.stdout:
                self.bring(kit, line.strip())
                if line.strip() in progress.points:
                    progress.report(line.strip())
        if os.path.isdir(self.place):  # parallel leaves it where `:` ran
            os.rmdir(self.place)
        for name in names.split():
            self.bring(kit, name)
        self.tell_shares(f"{kit}/joblog")
        with open(f"{kit}/errors", encoding="utf-8", errors="replace") as source:
            self.complain(source.read())

    def bring(self, kit, name):
        """A result that came back, to the others."""
        for end in ("log", "json"):
            if os.path.exists(f"{kit}/points/{name}.{end}"):
                shutil.move(f"{kit}/points/{name}.{end}", self.store.path(name, end))

    @staticmethod
    def tell_shares(joblog):
        """How many runs each machine made, by parallel's log of those that ended well."""
        with open(joblog, encoding="utf-8") as source:
            fields = [line.split("\t") for line in source.read().splitlines()[1:]]
        hosts = collections.Counter(field[1] for field in fields if field[6] == "0")
        shares = [f"on {host}: {count} run{'s' * (count != 1)}" for host, count in sorted(hosts.items())]
        print(", ".join(shares) or "no machine made a run")

    @staticmethod
    def complain(text):
        if text.strip():
            print(f"experiment: parallel says:\n{text.rstrip()}", file=sys.stderr)


def run(how, todo, store):
    """Runs the jobs; those that gave no result have none in the store."""
    with tempfile.TemporaryDirectory(prefix="kit-", dir=store.folder) as kit:
        how.run(todo, kit, Progress(todo, store))
