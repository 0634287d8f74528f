"""The file of an experiment (doc/experiments.md): reading and checking it, its points, what they are made of.

Everything that can be wrong with a file by itself is refused here, with a list of what is right; what depends on the tree
(names of programs and variants) in build.py.  Used by everything else in this folder.
"""
import configparser
import dataclasses
import itertools
import os
import re

from emulator import Refused

EMULATORS = ("qemu", "bochs", "qemu-wall")
# What `measure` and the runner yield: unit, exact, text.
STANDARD = {
    "instructions": ("instructions", True, "busy instructions"),
    "ticks": ("ticks", True, "time, in ticks of the machine"),
    "disk_commands": ("commands", True, "commands to the disk"),
    "disk_blocks_read": ("blocks", True, "blocks read from the disk"),
    "disk_blocks_written": ("blocks", True, "blocks written to the disk"),
    "pages": ("pages", True, "page frames held"),
    "faults": ("faults", True, "faults taken"),
    "wall": ("s", False, "time, by the host's clock"),
}
KEYS = {
    "experiment": {"title", "question", "command", "programs", "seams", "emulator", "memory", "time", "seeds", "repeat",
                   "manifest", "files", "size", "skip"},
    "axis": {"values", "text"},
    "choose": None,  # by, and a key for each of its axis's values
    "libos": None,
    "metric": {"unit", "exact", "better", "text", "over"},
    "plot": {"x", "y", "lines", "panels", "where", "kind", "log", "text"},
    "answer": {"metric", "better", "than", "where", "least", "text"},
}
BRACES = re.compile(r"(?<!\$)\{(\w+)\}")
ANSWER_WORDS = ("factor", "better", "than", "better_value", "than_value")
MOST_RUNS = 10000


@dataclasses.dataclass
class Axis:
    name: str
    values: list
    text: str

    def numeric(self):
        return all(number(value) is not None for value in self.values)


@dataclasses.dataclass
class Metric:
    name: str
    unit: str
    exact: bool
    better: str  # less, more, or nothing
    text: str
    over: str    # of a series: what its x is

    def label(self):
        return f"{self.text} ({self.unit})" if self.unit and self.unit not in self.text else self.text


@dataclasses.dataclass
class Plot:
    name: str
    x: str
    y: str
    lines: str
    panels: str
    where: dict
    kind: str
    log: list
    text: str


@dataclasses.dataclass
class Answer:
    name: str
    metric: str
    better: dict
    than: dict
    least: float
    text: str


def number(text):
    """Its value, or None when it is no number."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def listed(names):
    return ", ".join(names) if names else "none"


def meets(point, condition):
    """condition: values that are allowed, by axis."""
    return all(point[axis] in values for axis, values in condition.items())


def told(point):
    """A point as a condition that it alone meets."""
    return " ".join(f"{axis}={value}" for axis, value in point.items())


class Section:
    """One section: its values, taken with what they must be; complaints say where."""

    def __init__(self, path, title, values):
        self.path, self.title, self.values = path, title, dict(values)
        self.kind, _, self.name = title.partition(" ")
        self.name = self.name.strip()

    def refuse(self, text):
        raise Refused(f"{self.path}: [{self.title}]: {text}")

    def known(self, keys):
        for key in self.values:
            if key not in keys:
                self.refuse(f"there is no {key}; there are: {listed(sorted(keys))}")

    def text(self, key, default=None):
        value = self.values.get(key, "").strip()
        if not value and key in self.values:
            self.refuse(f"{key} is empty")
        if not value and default is None:
            self.refuse(f"{key} is missing")
        return value or default

    def list(self, key, default=None):
        if key not in self.values and default is not None:
            return default
        values = [value.strip() for value in self.text(key).replace("\n", ",").split(",")]
        values = [value for value in values if value]
        if not values:
            self.refuse(f"{key} is empty")
        if len(set(values)) < len(values):
            self.refuse(f"{key} has one of them twice: {listed(values)}")
        return values

    def one_of(self, key, choices, default=None):
        value = self.text(key, default)
        if value not in choices and value != default:
            self.refuse(f"there is no {key}={value}; there are: {listed(choices)}")
        return value

    def whole(self, key, default, least=1):
        value = self.text(key, str(default))
        if not value.isascii() or not value.isdigit() or int(value) < least:
            self.refuse(f"{key}={value}: it is a whole number, at least {least}")
        return int(value)

    def path_of(self, key):
        """A path, from the file's folder; it may have braces."""
        value = self.text(key, "")
        return os.path.normpath(os.path.join(os.path.dirname(self.path), value)) if value else ""

    def condition(self, text, axes):
        """AXIS=VALUE[,VALUE] ...: what is allowed, by axis."""
        found = {}
        for word in text.split():
            axis, equals, values = word.partition("=")
            if not equals or axis not in axes:
                self.refuse(f"'{word}' is not AXIS=VALUE; axes are: {listed(axes)}")
            found[axis] = [value for value in values.split(",") if value]
            wrong = [value for value in found[axis] if value not in axes[axis].values]
            if wrong or not found[axis]:
                self.refuse(f"{axis} is never '{listed(wrong)}'; it is: {listed(axes[axis].values)}")
        return found


def read_sections(path):
    """Every section of the file, in order."""
    parser = configparser.ConfigParser(delimiters=("=",), comment_prefixes=("#",), interpolation=None, strict=True,
                                       default_section="\n")
    parser.optionxform = str
    try:
        with open(path, encoding="utf-8") as source:
            parser.read_file(source)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from None
    except (configparser.Error, UnicodeDecodeError) as error:
        raise Refused(f"{path}: {' '.join(str(error).split())}") from None
    return [Section(path, title, parser[title]) for title in parser.sections()]


class Experiment:
    """A whole file, checked."""

    def __init__(self, path):
        self.path = os.path.join(path, "experiment.ini") if os.path.isdir(path) else path
        self.folder = os.path.dirname(self.path)
        self.kinds = {kind: [] for kind in KEYS}
        for section in read_sections(self.path):
            self.sort_in(section)
        if len(self.kinds["experiment"]) != 1:
            raise Refused(f"{self.path}: it has no section [experiment]")
        self.head = self.kinds["experiment"][0]
        self.read_head()
        self.read_axes()
        self.choose = {section.name: self.chosen(section) for section in self.kinds["choose"]}
        self.libos = {program: line for section in self.kinds["libos"] for program, line in section.values.items()}
        self.check_braces()
        self.read_metrics()
        self.plots = [self.read_plot(section) for section in self.kinds["plot"]]
        self.answers = [self.read_answer(section) for section in self.kinds["answer"]]
        self.points = self.all_points()
        self.check_points()

    def sort_in(self, section):
        kinds = [kind if kind in ("experiment", "libos") else f"{kind} NAME" for kind in KEYS]
        if section.kind not in KEYS or bool(section.name) == (section.kind in ("experiment", "libos")):
            section.refuse(f"there is no such section; there are: {listed(kinds)}")
        if section.name and not re.fullmatch(r"\w+", section.name):
            section.refuse(f"a name is letters, digits and _, not '{section.name}'")
        if KEYS[section.kind] is not None:
            section.known(KEYS[section.kind])
        self.kinds[section.kind].append(section)

    def read_head(self):
        head = self.head
        self.title, self.question = head.text("title"), " ".join(head.text("question").split())
        self.command = "\n".join(line.strip() for line in head.text("command").splitlines())
        self.programs, self.seams = head.list("programs", []), head.text("seams", "")
        self.emulator = head.one_of("emulator", EMULATORS, "qemu")
        self.memory, self.time = head.text("memory", "128"), head.whole("time", 60)
        self.seeds, self.repeat = head.list("seeds", []), head.whole("repeat", 1)
        self.manifest, self.files, self.size = head.path_of("manifest"), head.path_of("files"), head.text("size", "")
        folder = os.path.basename(os.path.abspath(self.folder))
        stem = os.path.splitext(os.path.basename(self.path))[0]
        self.name = folder if stem == "experiment" else stem

    def read_axes(self):
        self.axes = {}
        for section in self.kinds["axis"]:
            if section.name == "seed" or section.name in ANSWER_WORDS + ("over",):
                section.refuse(f"an axis cannot be called {section.name}")
            self.axes[section.name] = Axis(section.name, section.list("values"), section.text("text", section.name))
            self.check_values(section)
        if self.seeds:
            self.axes["seed"] = Axis("seed", self.seeds, "seed")
        for seed in self.seeds:
            if not seed.isdigit():
                self.head.refuse(f"seeds are whole numbers, not '{seed}'")

    def check_values(self, section):
        """Conditions and commands part words by blanks: a value is one."""
        for value in self.axes[section.name].values:
            if re.search(r"[\s={}'\"]", value):
                section.refuse(f"a value has no blanks, quotes, braces or =, as '{value}' has; [choose NAME] can say what it means")

    def chosen(self, section):
        """A [choose NAME]: the axis, and the text for each of its values."""
        axis = section.one_of("by", list(self.axes))
        if section.name in self.axes:
            section.refuse("an axis has that name")
        texts = {key: value for key, value in section.values.items() if key != "by"}
        section.known({"by", *self.axes[axis].values})
        for value in self.axes[axis].values:
            if value not in texts:
                section.refuse(f"it says nothing for {axis}={value}")
        return axis, texts

    def check_braces(self):
        names = [*self.axes, *self.choose]
        texts = [(self.head, text) for text in (self.command, self.seams, self.memory, self.manifest, self.files, self.size)]
        texts += [(section, text) for kind in ("libos", "choose") for section in self.kinds[kind] for text in section.values.values()]
        for section, text in texts:
            for name in BRACES.findall(text):
                if name not in names:
                    section.refuse(f"what is {{{name}}}?  There are: {listed(names)}")
        used = {name for _, text in texts for name in BRACES.findall(text)} | {axis for axis, _ in self.choose.values()}
        for axis in self.axes:
            if axis not in used:
                raise Refused(f"{self.path}: [axis {axis}]: {{{axis}}} is used nowhere, so all its points would be the same")

    def fill(self, text, point, deep=0):
        """The text with each {NAME} replaced for this point."""
        if deep > len(self.choose):
            raise Refused(f"{self.path}: the sections [choose ...] name each other in a circle")

        def value(found):
            name = found.group(1)
            if name in point:
                return point[name]
            axis, texts = self.choose[name]
            return self.fill(texts[point[axis]], point, deep + 1)

        return BRACES.sub(value, text)

    def read_metrics(self):
        self.metrics = {}
        for section in self.kinds["metric"]:
            unit, exact, text = STANDARD.get(section.name, (None, None, section.name))
            if exact is None and not {"unit", "exact"} <= set(section.values):
                section.refuse(f"unit and exact are missing; those of these metrics are known: {listed(STANDARD)}")
            exact = section.one_of("exact", ("yes", "no"), None if exact is None else ("yes" if exact else "no")) == "yes"
            self.metrics[section.name] = Metric(section.name, section.text("unit", unit), exact and self.emulator != "qemu-wall",
                                                section.one_of("better", ("less", "more"), ""),
                                                section.text("text", text), section.text("over", ""))
        if not self.metrics:
            raise Refused(f"{self.path}: it has no [metric NAME]; these need nothing but their name: {listed(STANDARD)}")

    def read_plot(self, section):
        y = section.one_of("y", list(self.metrics))
        series = bool(self.metrics[y].over)
        x = section.one_of("x", ["over"] if series else [axis for axis in self.axes if axis != "seed"])
        lines, panels = (section.one_of(key, list(self.axes), "") for key in ("lines", "panels"))
        where = section.condition(section.text("where", ""), self.axes)
        for axis in self.axes:
            places = [key for key, value in (("x", x), ("lines", lines), ("panels", panels)) if value == axis]
            held = len(where.get(axis, self.axes[axis].values)) == 1 or axis == "seed"
            if len(places) > 1:
                section.refuse(f"{axis} is {' and '.join(places)} at once")
            if not places and not held:
                section.refuse(f"{axis} is left open: make it lines or panels, or hold it by where = {axis}=VALUE")
        log = section.list("log", [])
        if set(log) - {"x", "y"}:
            section.refuse(f"log is x, y or both, not {listed(log)}")
        numeric = series or self.axes[x].numeric()
        kind = section.one_of("kind", ("lines", "bars"), "lines" if numeric else "bars")
        if "x" in log and not numeric:
            section.refuse(f"log = x: the values of {x} are not all numbers")
        text = section.text("text", f"{self.metrics[y].text} by {self.metrics[y].over if series else self.axes[x].text}")
        return Plot(section.name, x, y, lines, panels, where, kind, log, text)

    def read_answer(self, section):
        scalar = [name for name, metric in self.metrics.items() if metric.better and not metric.over]
        metric = section.one_of("metric", scalar)
        where = section.condition(section.text("where", ""), self.axes)
        better, than = ({**where, **section.condition(section.text(key), self.axes)} for key in ("better", "than"))
        least = number(section.text("least", "0"))
        if least is None:
            section.refuse("least is a number")
        text = " ".join(section.text("text").split())
        for name in BRACES.findall(text):
            if name not in ANSWER_WORDS:
                section.refuse(f"what is {{{name}}}?  There are: {listed(ANSWER_WORDS)}")
        return Answer(section.name, metric, better, than, least, text)

    def all_points(self):
        """Every combination that is not skipped: dictionaries of values by axis."""
        skipped = [self.head.condition(line, self.axes) for line in self.head.text("skip", "").splitlines() if line.strip()]
        points = [dict(zip(self.axes, values)) for values in itertools.product(*(axis.values for axis in self.axes.values()))]
        points = [point for point in points if not any(meets(point, condition) for condition in skipped)]
        if not points:
            self.head.refuse("every point is skipped")
        if len(points) * self.repeat > MOST_RUNS:
            self.head.refuse(f"these are {len(points) * self.repeat} runs, and {MOST_RUNS} are the most")
        for answer in self.answers:
            for side in ("better", "than"):
                if not any(meets(point, getattr(answer, side)) for point in points):
                    raise Refused(f"{self.path}: [answer {answer.name}]: {side} is about no point that is run")
        return points

    def check_points(self):
        """Can everything be filled in for each point?"""
        for point in self.points:
            self.needs(point)
            self.fill(self.command, point)
            self.memory_of(point)

    def memory_of(self, point):
        memory = self.fill(self.memory, point)
        if not memory.isascii() or not memory.isdigit():
            self.head.refuse(f"memory={memory}: it is a number of MiB")
        return int(memory)

    def condition(self, text):
        """For the command line: the points that it means."""
        condition = self.head.condition(text, self.axes)
        return [point for point in self.points if meets(point, condition)]

    def needs(self, point):
        """What the image for a point is made with: variables of make, by name."""
        needs = {"EXPERIMENT_PROGRAMS": " ".join(self.programs), "SEAMS": self.local(self.fill(self.seams, point))}
        needs.update((f"LIBOS_{program}", self.local(self.fill(line, point))) for program, line in self.libos.items())
        places = {"MANIFEST": self.manifest, "FILES": self.files, "IMAGE_SIZE": self.size}
        needs.update((name, self.fill(text, point)) for name, text in places.items() if text)
        return needs

    def all_needs(self, points=None):
        """Of points, all of them if none are given: each set once."""
        found = []
        for needs in map(self.needs, points or self.points):
            found += [] if needs in found else [needs]
        return found

    def local(self, line):
        """A line of variants, those that are files beside the experiment as make finds them."""
        return re.sub(r"(?<=[=,])\./", f"{self.folder or '.'}/", " ".join(line.split()))
