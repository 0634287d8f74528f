#!/usr/bin/python3
"""The same file runs on other machines through GNU parallel, and yields what it yields here.

The machines are this one, twice: a private sshd on a port that is free, with keys that are made here and thrown away; two
names lead to it.  Nothing of the system's ssh is used or changed, but for its programs.  Prints `ok` and `FAIL` lines.
From the environment: O, where images are made (build).
"""
import csv
import getpass
import glob
import os
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from helpers import changed, contains, experiment, run_all, write  # noqa: E402

WORK = tempfile.TemporaryDirectory(prefix="experiment-remote-test-")
SSHD = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {work}/host_key
AuthorizedKeysFile {work}/user_key.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
"""
SSH = """\
Host nobody-there
    Port 1
Host *
    HostName 127.0.0.1
    Port {port}
    User {user}
    IdentityFile {work}/user_key
    IdentitiesOnly yes
    UserKnownHostsFile {work}/known_hosts
    StrictHostKeyChecking no
    LogLevel ERROR
"""


class Server:
    """A private sshd, for as long as a `with` lasts."""

    def __enter__(self):
        work = WORK.name
        for name in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{work}/{name}"], check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        for name, text in (("sshd_config", SSHD), ("ssh_config", SSH)):
            with open(f"{work}/{name}", "w", encoding="utf-8") as out:
                out.write(text.format(port=port, work=work, user=getpass.getuser()))
        self.own_folder = os.geteuid() == 0 and not os.path.isdir("/run/sshd")
        if self.own_folder:  # where it locks itself up before somebody has logged in; the service makes it when it starts
            os.mkdir("/run/sshd", 0o755)
        with open(f"{work}/sshd.log", "wb") as log:
            self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", f"{work}/sshd_config"],
                                            stdin=subprocess.DEVNULL, stderr=log)
        self.wait(port)

    def wait(self, port):
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                assert self.process.poll() is None, "sshd ended"
                time.sleep(0.05)
        raise AssertionError("sshd does not answer")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        if self.own_folder:
            os.rmdir("/run/sshd")


def elsewhere(folder, out, logins, *words):
    return experiment("run", folder, "--out", f"{WORK.name}/{out}", "--sshlogin", logins, *words,
                      PARALLEL_SSH=f"ssh -F {WORK.name}/ssh_config")


def rows(out):
    """results.csv without what depends on the host."""
    with open(f"{WORK.name}/{out}/results.csv", encoding="utf-8") as source:
        found = list(csv.DictReader(source))
    return [{name: value for name, value in row.items() if name not in ("wall", "id")} for row in found]


def left_behind():
    return sorted(glob.glob("/tmp/freehold-experiment-*"))


def two_machines_yield_what_this_one_does():
    folder, before = write(WORK.name, FOUR), left_behind()
    status, text = elsewhere(folder, "remote", "machine1,machine2", "--jobs", "1")
    assert status == 0, text
    contains(text, "4 runs, 0 of them kept", "4 of 4 ", r"on machine1: [123] runs?, on machine2: [123] runs?",
             "4 of 4 runs ended well")
    assert left_behind() == before, left_behind()
    status, text = experiment("run", folder, "--out", f"{WORK.name}/local")
    assert status == 0, text
    assert rows("remote") == rows("local") and len(rows("local")) == 4, rows("remote")


def this_machine_may_be_one_of_them():
    before = left_behind()
    status, text = elsewhere(write(WORK.name, FOUR), "colon", ":", "--jobs", "2")
    assert status == 0 and left_behind() == before, text
    contains(text, "on :: 4 runs", "4 of 4 runs ended well")


def what_ran_elsewhere_is_kept():
    status, text = elsewhere(write(WORK.name, FOUR), "remote", "machine1")
    assert status == 0, text
    contains(text, "4 runs, 4 of them kept", "4 of 4 runs ended well")


def runs_that_go_wrong_elsewhere_come_back_with_their_logs():
    folder = write(WORK.name, FOUR.replace("sync", "sh -c 'exit {repeats}'", 1), "bad")
    status, text = elsewhere(folder, "bad", "machine1,machine2")
    assert status == 1, text
    assert [(row["repeats"], row["end"], row["reason"]) for row in rows("bad")][:2] == [
        ("3", "failed", "the command ended with status 3"), ("4", "failed", "the command ended with status 4")], rows("bad")
    assert len(glob.glob(f"{WORK.name}/bad/points/*.log")) == 4


def a_machine_that_is_not_there_leaves_its_runs_to_others():
    status, text = elsewhere(write(WORK.name, FOUR), "lost", "machine1,nobody-there")
    contains(text, "nobody-there")
    assert status == 0 and [row["end"] for row in rows("lost")] == ["ok"] * 4, text


def no_machine_at_all_is_said():
    status, text = elsewhere(write(WORK.name, FOUR), "none", "nobody-there")
    assert status == 1, text
    contains(text, "nobody-there", "no result came back")


# tiny with a second parameter, so that there is something for each machine
FOUR = changed(("$(seq 0 11)", "$(seq {repeats})"),
               ("[axis scan]", "[axis repeats]\nvalues = 3, 4\ntext = repetitions\n\n[axis scan]"),
               ("where = scan=10", "where = scan=10\nlines = repeats"),
               ("where = scan=10\n\n[answer", "where = scan=10 repeats=4\n\n[answer"),
               ("least = 1.1", "least = 0.5"))


if __name__ == "__main__":
    with WORK, Server():
        sys.exit(run_all([two_machines_yield_what_this_one_does, this_machine_may_be_one_of_them, what_ran_elsewhere_is_kept,
                          runs_that_go_wrong_elsewhere_come_back_with_their_logs,
                          a_machine_that_is_not_there_leaves_its_runs_to_others, no_machine_at_all_is_said]))
