"""What the runs yielded: rows, whether what is said to be exact is, means for plots, factors for answers, CSV.

Owns no file but the two tables.  Used by experiment and page.
"""
import csv
import dataclasses

from spec import listed, meets, number, told


@dataclasses.dataclass
class Row:
    """One run."""
    point: dict
    repetition: int
    id: str
    end: str       # ok, failed, hung, crashed
    reason: str
    values: dict   # by metric: as it was printed
    series: dict   # by metric with `over`: [(x, y)] as printed
    wall: float
    host: str


@dataclasses.dataclass
class Span:
    mean: float
    low: float
    high: float
    runs: int


def span(values):
    """Of numbers; None without any."""
    return Span(sum(values) / len(values), min(values), max(values), len(values)) if values else None


def sorted_out(metrics, result):
    """(values, series, what is wrong) of what a run printed."""
    values, series = {}, {}
    for name, *numbers in [*result["printed"], ["wall", str(result["wall"])]]:
        if name not in metrics:
            continue
        if any(number(text) is None for text in numbers):
            return values, series, f"metric {name} is no number: {' '.join(numbers)}"
        if len(numbers) != (2 if metrics[name].over else 1):
            return values, series, f"metric {name} was printed with {len(numbers)} numbers"
        if metrics[name].over:
            series.setdefault(name, []).append(tuple(numbers))
        elif name in values:
            return values, series, f"metric {name} was printed twice"
        else:
            values[name] = numbers[0]
    missing = [name for name in metrics if name not in values and name not in series]
    printed = listed(sorted({name for name, *_ in result["printed"]}))
    return values, series, f"it did not print metric {', '.join(missing)}; what it printed: {printed}" if missing else ""


def row_of(metrics, point, repetition, job, result):
    if result is None:
        return Row(point, repetition, job["id"], "failed", "no result came back", {}, {}, 0, "")
    end, reason = result["end"], result["reason"]
    values, series, wrong = sorted_out(metrics, result)
    if end == "ok" and wrong:
        end, reason = "failed", wrong
    return Row(point, repetition, job["id"], end, reason, values, series, result["wall"], result["host"])


class Results:
    """All rows of an experiment."""

    def __init__(self, experiment, rows):
        self.experiment, self.rows = experiment, rows
        self.good = [row for row in rows if row.end == "ok"]
        self.failed = [row for row in rows if row.end != "ok"]

    def span(self, metric, condition):
        """Of all good runs that meet the condition."""
        return span([float(row.values[metric]) for row in self.good if meets(row.point, condition)])

    def unequal(self, metric):
        """Points whose runs differ in the metric."""
        seen = {}
        for row in self.good:
            seen.setdefault(told(row.point), set()).add(str(row.values.get(metric, row.series.get(metric))))
        return [point for point, values in seen.items() if len(values) > 1]

    def spread(self, metric):
        """The widest distance between runs of one point, as part of their mean."""
        widest = 0
        for point in self.experiment.points:
            found = self.span(metric, {axis: [value] for axis, value in point.items()})
            widest = max(widest, (found.high - found.low) / found.mean) if found and found.mean > 0 else widest
        return widest

    # ---- answers

    def best(self, answer, condition):
        """(point, mean) of the best that meets the condition; None when a run of any of them failed.

        Seeds are chance: a point is its runs with all of them.
        """
        spans = {}
        for row in self.rows:
            if not meets(row.point, condition):
                continue
            if row.end != "ok":
                return None
            point = tuple((axis, value) for axis, value in row.point.items() if axis != "seed")
            spans.setdefault(point, []).append(float(row.values[answer.metric]))
        means = [(dict(point), span(values).mean) for point, values in spans.items()]
        choose = min if self.experiment.metrics[answer.metric].better == "less" else max
        return choose(means, key=lambda pair: pair[1])

    def answered(self, answer):
        """(text, factor, does it hold); the factor None when it is not known."""
        better, than = self.best(answer, answer.better), self.best(answer, answer.than)
        if not better or not than:
            return "Not known: a run that this is about failed.", None, False
        less = self.experiment.metrics[answer.metric].better == "less"
        over, under = (than[1], better[1]) if less else (better[1], than[1])
        factor = over / under if under else float("inf") if over else 1.0
        varied = [axis for axis, known in self.experiment.axes.items() if answer.better.get(axis, []) != answer.than.get(axis, [])
                  or len(answer.better.get(axis, known.values)) > 1]
        words = {"factor": shown(factor), "better": named(better[0], varied), "than": named(than[0], varied),
                 "better_value": shown(better[1]), "than_value": shown(than[1])}
        text = answer.text
        for word, value in words.items():
            text = text.replace(f"{{{word}}}", value)
        return text, factor, factor >= answer.least

    # ---- plots

    def curve(self, plot, condition):
        """([(x, Span)], [x whose runs all failed]) of one line of a plot."""
        if plot.x == "over":
            return self.curve_over(plot.y, condition), []
        found, failed = [], []
        for x in self.experiment.axes[plot.x].values:
            here = {**condition, plot.x: [x]}
            if plot.x in condition and x not in condition[plot.x] or not any(meets(row.point, here) for row in self.rows):
                continue
            value = self.span(plot.y, here)
            if value:
                found.append((x, value))
            else:
                failed.append(x)
        return found, failed

    def curve_over(self, metric, condition):
        values = {}
        for row in self.good:
            if meets(row.point, condition):
                for x, y in row.series[metric]:
                    values.setdefault(float(x), []).append(float(y))
        return [(x, span(values[x])) for x in sorted(values)]

    # ---- tables

    def write_csv(self, path):
        scalar = [name for name, metric in self.experiment.metrics.items() if not metric.over]
        with open(path, "w", encoding="utf-8", newline="") as out:
            table = csv.writer(out, lineterminator="\n")
            table.writerow([*self.experiment.axes, "repetition", "end", *scalar, "reason", "id"])
            for row in self.rows:
                table.writerow([*row.point.values(), row.repetition, row.end, *(row.values.get(name, "") for name in scalar),
                                row.reason, row.id])

    def write_samples(self, path):
        with open(path, "w", encoding="utf-8", newline="") as out:
            table = csv.writer(out, lineterminator="\n")
            table.writerow([*self.experiment.axes, "repetition", "metric", "x", "value"])
            for row in self.good:
                for name, samples in row.series.items():
                    table.writerows([*row.point.values(), row.repetition, name, x, y] for x, y in samples)


def named(point, axes):
    """A point by the axes in which it was chosen."""
    return ", ".join(point[axis] for axis in axes if axis in point) or told(point)


def shown(value):
    """A number for people: three digits that mean something, all of a whole number's."""
    if value == float("inf"):
        return "∞"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
