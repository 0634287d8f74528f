#!/usr/bin/python3
"""The page of an experiment, opened in headless Chromium: plots are drawn and can be seen, texts are inside and do not
overlap, links lead somewhere:  page_test.py [FOLDER...]

Each FOLDER is the result of an experiment; without one, a small experiment is run, some of whose runs fail.  Prints `ok` and
`FAIL` lines.  From the environment: O, where images are made (build).
"""
import html
import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from helpers import HERE, changed, experiment, run_all, write  # noqa: E402

WORK = tempfile.TemporaryDirectory(prefix="experiment-page-test-")
SECONDS = 120


def probe(folder, width=1400):
    """What probe.js says of the page."""
    with open(f"{folder}/index.html", encoding="utf-8") as source, open(f"{HERE}/probe.js", encoding="utf-8") as script:
        text = source.read().replace("</head>", f"<script>{script.read()}</script></head>", 1)
    with tempfile.TemporaryDirectory(dir=WORK.name) as profile:
        with open(f"{profile}/page.html", "w", encoding="utf-8") as out:
            out.write(text)
        done = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}/data",
                               f"--window-size={width},1000", "--virtual-time-budget=5000", "--dump-dom", f"file://{profile}/page.html"],
                              capture_output=True, text=True, timeout=SECONDS, check=True)
    found = re.search(r'<pre id="probe">(\{.*?)</pre>', done.stdout, re.DOTALL)
    assert found, f"the page's script did not run: {done.stdout[-500:]} {done.stderr[-500:]}"
    return json.loads(html.unescape(found.group(1)))


def check_plots(page):
    for plot in page["plots"]:
        assert plot["width"] > 300 and plot["height"] > 200, plot
        assert plot["curves"] + plot["shapes"] > 0, f"{plot['title']}: nothing is drawn"
        hidden = plot["shapes"] - plot["visible"]
        assert not hidden, f"{plot['title']}: {hidden} of {plot['shapes']} marks and bars are hidden"
        assert not plot["outside"], f"{plot['title']}: outside of the plot: {plot['outside']}"
        assert not plot["overlapping"], f"{plot['title']}: texts overlap: {plot['overlapping']}"


def check_page(folder, page):
    assert page["plots"] and page["answers"] and page["rows"], page
    check_plots(page)
    for link in page["links"]:
        assert os.path.exists(os.path.join(folder, link)), f"{link} leads nowhere"
    with open(f"{folder}/results.csv", encoding="utf-8") as source:
        assert page["rows"] == len(source.read().splitlines()) - 1
    assert page["sideways"] <= 0, f"the page is {page['sideways']} px too wide"
    assert not page["outer"] and not page["errors"], page
    drawn = sorted(f"plots/{name}" for name in os.listdir(f"{folder}/plots"))
    assert sorted(link for link in page["links"] if link.startswith("plots/")) == drawn, drawn


def check_alone(folder):
    """Each plot in a window of its own, as its file is."""
    for name in os.listdir(f"{folder}/plots"):
        with open(f"{folder}/plots/{name}", encoding="utf-8") as source:
            text = source.read()
        assert text.startswith('<svg xmlns="http://www.w3.org/2000/svg"') and "</svg>" in text, name


def checker(folder):
    def page_is_good():
        for width in (1400, 700):
            check_page(folder, probe(folder, width))
        check_alone(folder)
    page_is_good.__name__ = f"page_of_{os.path.basename(os.path.normpath(folder))}"
    return page_is_good


def small():
    """Three policies, of which one fails at one point; seeds; a plot of each kind."""
    another = "[plot lines]\nx = scan\ny = disk_blocks_read\nlines = policy\nlog = x, y\n\n"
    text = changed(("lru, arc", "lru, arc, clock"), ("$(seq 0 11)", "0 1"), ("values = 10", "values = 5, 10"),
                   ("time = 120", "time = 120\nseeds = 1, 2"),
                   ("    sync\n", "    test {policy} != clock || test {scan} != 10\n    echo seed {seed}\n    sync\n"),
                   ("where = scan=10\n", "panels = scan\n"), ("[plot laps]", f"{another}[plot laps]"),
                   ("better = policy=arc", "where = scan=10\nbetter = policy=arc"), ("least = 1.1", "least = 0.1"))
    folder = f"{WORK.name}/small"
    status, said = experiment("run", write(WORK.name, text, "page"), "--out", folder)
    assert status == 1 and "10 of 12 runs ended well" in said, said
    return folder


def a_page_with_failed_runs_shows_them():
    folder = small()
    check_page(folder, page := probe(folder))
    assert page["failed"] == 2 and page["rows"] == 12, page
    assert [plot["failed"] for plot in page["plots"]] == [0, 1, 1, 0], page["plots"]
    assert page["plots"][0]["shapes"] == 3 and page["plots"][1]["shapes"] == 2, page["plots"]
    assert [plot["curves"] for plot in page["plots"]] == [0, 0, 2, 2], page["plots"]
    assert "fewer blocks than lru" in page["answers"][0]
    assert page["links"].count("results.csv") == 1 and "samples.csv" in page["links"]
    check_page(folder, probe(folder, 700))
    check_alone(folder)


if __name__ == "__main__":
    with WORK:
        sys.exit(run_all([checker(folder) for folder in sys.argv[1:]] or [a_page_with_failed_runs_shows_them]))
