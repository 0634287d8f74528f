"""The images of an experiment: names checked against the tree, then one image for each set of libOSes.

Everything is made by make, in $(O)/experiments/images/KEY for a set of variables (experiment.mk), so that objects are
compiled once for all sets, and what make has to say of a variant or a program is said here.  Used by experiment.
"""
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess

from emulator import Refused
from spec import listed

O = os.environ.get("O") or "build"
ERROR = re.compile(r"\*\*\* (?:\[[^]]*\] )?(.*?)\.?  Stop\.", re.DOTALL)


def make(*words):
    """(status, output) of make.  The caller's variables hold, its jobs do not."""
    environment = dict(os.environ)
    overrides = re.search(r"(?:^| )-- (.*)", environment.pop("MAKEFLAGS", ""))
    for name in ("MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"):
        environment.pop(name, None)
    if overrides:
        environment["MAKEFLAGS"] = f" -- {overrides.group(1)}"
    done = subprocess.run(["make", "--no-print-directory", *words], env=environment, check=False, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def settings(needs):
    return [f"{name}={value}" for name, value in sorted(needs.items())]


def refused_by_make(experiment, text):
    """Its own complaint without what make puts around it."""
    found = ERROR.search(text)
    complaint = " ".join(found.group(1).split()) if found else text.strip()
    program, _, rest = complaint.partition(": ")
    # What all programs are linked with is wrong with the first that make looks at.
    return Refused(f"{experiment.path}: {complaint if program in experiment.libos or not rest else f'seams: {rest}'}")


def tree_programs(experiment, needs):
    """The programs that there are; refused when a libOS in the variables is none."""
    status, text = make("-s", "experiment-programs", *settings(needs))
    if status:
        raise refused_by_make(experiment, text)
    return sorted(text.split())


def check_names(experiment, all_needs):
    """Programs, variants, and the files that are named."""
    known = tree_programs(experiment, {})
    for where, names in (("programs", experiment.programs), ("[libos]", experiment.libos)):
        for name in names:
            if name not in known:
                raise Refused(f"{experiment.path}: {where}: there is no program {name}; there are: {listed(known)}")
    for needs in all_needs:
        tree_programs(experiment, needs)
        for name in ("MANIFEST", "FILES"):
            if name in needs and not os.path.exists(needs[name]):
                raise Refused(f"{experiment.path}: {name.lower()}: {needs[name]} is not there")


def key_of(needs):
    return hashlib.sha256(json.dumps(needs, sort_keys=True).encode()).hexdigest()[:12]


def digest(path):
    with open(path, "rb") as source:
        return hashlib.sha256(source.read()).hexdigest()


class Images:
    """The images that some points need; made when told to."""

    def __init__(self, experiment, points):
        self.experiment = experiment
        self.needs = {key_of(needs): needs for needs in experiment.all_needs(points)}
        check_names(experiment, self.needs.values())
        self.digests = {}

    def folder(self, key):
        return f"{O}/experiments/images/{key}"

    def path(self, point):
        return f"{self.folder(key_of(self.experiment.needs(point)))}/disk.img"

    def make_all(self, say):
        """Makes what is not made yet."""
        for number, (key, needs) in enumerate(self.needs.items(), 1):
            variants = " ".join(f"{name}='{value}'" for name, value in needs.items() if name.startswith(("SEAMS", "LIBOS")) and value)
            say(f"image {number} of {len(self.needs)}  {variants or 'as usual'}")
            status, text = make("experiment-image", f"LINKED={self.folder(key)}", *settings(needs))
            if status:
                raise Refused(f"{self.experiment.path}: the image for {variants or 'the usual libOS'} cannot be made:\n{text.strip()}")
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            paths = [f"{self.folder(key)}/disk.img" for key in self.needs]
            self.digests = dict(zip(paths, pool.map(digest, paths)))
