"""The page of an experiment: question, answers, plots side by side, what was measured, failed runs, every run.

Writes index.html, whole by itself but for links to tables and console logs beside it, and plots/*.svg.  Used by experiment.
"""
import html
import os

import svg
from results import shown
from spec import told

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "page.css"), encoding="utf-8") as _source:
    STYLE = _source.read()
SCRIPT = """
for (const button of document.querySelectorAll("button[data-copy]"))
  button.onclick = () => navigator.clipboard.writeText(button.dataset.copy).then(() => { button.textContent = "copied"; });
const filter = document.getElementById("filter");
if (filter) filter.oninput = () => {
  for (const row of document.querySelectorAll("#runs tbody tr"))
    row.hidden = !filter.value.split(" ").every(word => row.textContent.includes(word));
};
"""


def escaped(text):
    return html.escape(str(text))


# ---- plots ---------------------------------------------------------------------------------------

def spoken(experiment, condition, found, metric):
    """What a point says when it is pointed at."""
    where = ", ".join(f"{axis}={values[0]}" for axis, values in condition.items() if len(values) == 1)
    unit = experiment.metrics[metric].unit
    runs = f" (mean of {found.runs} runs, {shown(found.low)} to {shown(found.high)})" if found.high > found.low else ""
    return f"{where}: {shown(found.mean)} {unit}{runs}"


def curves_of(results, plot, fixed):
    """The curves of one panel."""
    experiment = results.experiment
    numeric = plot.kind == "lines" and (plot.x == "over" or experiment.axes[plot.x].numeric())
    place = float if numeric else str
    curves = []
    for style, value in enumerate(experiment.axes[plot.lines].values if plot.lines else [""]):
        if plot.lines in fixed and value not in fixed[plot.lines]:
            continue
        condition = {**fixed, **({plot.lines: [value]} if plot.lines else {})}
        found, failed = results.curve(plot, condition)
        points = [(place(x), here.mean, here.low, here.high,
                   spoken(experiment, {**condition, plot.x: [x]}, here, plot.y)) for x, here in found]
        why = [(place(x), f"{plot.x}={x}: its runs failed") for x in failed]
        if points or why:
            curves.append(svg.Curve(value, points, why, style))
    return curves


def draw_plots(results, folder):
    """[(file's name, SVG text)], written to the folder too."""
    os.makedirs(folder, exist_ok=True)
    for old in os.listdir(folder):
        os.unlink(os.path.join(folder, old))
    experiment, drawn = results.experiment, []
    for plot in experiment.plots:
        metric = experiment.metrics[plot.y]
        panels = plot.where.get(plot.panels) or experiment.axes[plot.panels].values if plot.panels else [""]
        for panel in panels:
            fixed = {**plot.where, **({plot.panels: [panel]} if plot.panels else {})}
            title = f"{plot.text}: {experiment.axes[plot.panels].text} {panel}" if plot.panels else plot.text
            x_text = metric.over if plot.x == "over" else experiment.axes[plot.x].text
            text = svg.draw(title, x_text, metric.label(), curves_of(results, plot, fixed), plot.kind == "bars", plot.log)
            name = f"{plot.name}-{panel}.svg" if plot.panels else f"{plot.name}.svg"
            name = name.replace("/", "+")
            with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
                out.write(text)
            drawn.append((name, text))
    return drawn


# ---- parts of the page ---------------------------------------------------------------------------

def answers(results):
    parts = []
    for answer in results.experiment.answers:
        text, factor, holds = results.answered(answer)
        claim = f"{'holds' if holds else 'does not hold'}: at least {shown(answer.least)}" if answer.least else ""
        mark = f'<span class="{"good" if holds else "bad"}">{escaped(claim)}</span>' if claim else ""
        number = "?" if factor is None else "∞" if factor == float("inf") else f"{shown(factor)}×"
        parts.append(f'<div class="answer"><b>{escaped(number)}</b><p>{escaped(text)} {mark}</p></div>')
    return "\n".join(parts)


def plots(drawn):
    figures = [f'<figure>{text}<figcaption><a href="plots/{escaped(name)}">{escaped(name)}</a></figcaption></figure>'
               for name, text in drawn]
    return f'<div class="plots">{"".join(figures)}</div>' if figures else ""


def determinism(results, metric):
    """(class, text): what may be said of how exact it is."""
    runs = results.experiment.repeat
    if not metric.exact:
        spread = ""
        if runs > 1 and not metric.over:
            spread = f"; runs of one point were up to {results.spread(metric.name):.1%} apart"
        return "", f"not exact: depends on the host{spread}"
    differ = results.unequal(metric.name)
    if differ:
        return "bad", f"said to be exact, but the runs of {len(differ)} points differ, first {differ[0]}"
    if runs > 1:
        return "good", f"exact: the {runs} runs of each point are equal"
    return "", "exact: the machine is deterministic in it (each point was run once)"


def metrics(results):
    rows = []
    for metric in results.experiment.metrics.values():
        mood, text = determinism(results, metric)
        over = f", by {metric.over}" if metric.over else ""
        rows.append(f"<tr><td><code>{escaped(metric.name)}</code></td><td>{escaped(metric.text + over)}</td>"
                    f'<td>{escaped(metric.unit)}</td><td class="{mood}">{escaped(text)}</td></tr>')
    head = "".join(f"<th>{text}</th>" for text in ("metric", "what", "unit", "determinism"))
    return f'<table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def command(experiment, point):
    return f"make experiment FILE={experiment.path} POINT='{told(point)}'"


def repeat_cell(experiment, point):
    text = escaped(command(experiment, point))
    return f'<details><summary>repeat</summary><code>{text}</code> <button data-copy="{text}">copy</button></details>'


def log_link(row, folder):
    there = os.path.exists(os.path.join(folder, "points", f"{row.id}.log"))
    return f'<a href="points/{row.id}.log">console</a>' if there else "none"


def failures(results, folder):
    if not results.failed:
        return ""
    rows = [f'<tr><td>{escaped(told(row.point))}</td><td class="bad">{escaped(row.end)}</td><td>{escaped(row.reason)}</td>'
            f"<td>{log_link(row, folder)}</td><td>{repeat_cell(results.experiment, row.point)}</td></tr>" for row in results.failed]
    head = "".join(f"<th>{text}</th>" for text in ("point", "end", "why", "log", ""))
    return (f'<h2>Runs that failed</h2><div class="wide"><table id="failed"><thead><tr>{head}</tr></thead>'
            f'<tbody>{"".join(rows)}</tbody></table></div>')


def value_cell(row, name):
    if name in row.values:
        number = float(row.values[name])
        return f'<td class="n">{escaped(shown(number))}</td>'
    if name in row.series:
        return f'<td class="n">{len(row.series[name])} samples</td>'
    return '<td class="n">–</td>'


def runs(results, folder):
    experiment = results.experiment
    heads = [*(axis.text for axis in experiment.axes.values()), *(["run"] if experiment.repeat > 1 else []),
             *(metric.label() for metric in experiment.metrics.values()), "end", "log", ""]
    rows = []
    for row in results.rows:
        cells = [f"<td>{escaped(value)}</td>" for value in row.point.values()]
        cells += [f'<td class="n">{row.repetition}</td>'] if experiment.repeat > 1 else []
        cells += [value_cell(row, name) for name in experiment.metrics]
        cells.append(f'<td class="{"good" if row.end == "ok" else "bad"}">{escaped(row.end)}</td><td>{log_link(row, folder)}</td>'
                     f"<td>{repeat_cell(experiment, row.point)}</td>")
        rows.append(f'<tr>{"".join(cells)}</tr>')
    head = "".join(f"<th>{escaped(text)}</th>" for text in heads)
    search = '<input id="filter" type="search" placeholder="show only rows with …">' if len(rows) > 12 else ""
    return f'<div class="wide">{search}<table id="runs"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def circumstances(facts):
    return "".join(f"<dt>{escaped(name)}</dt><dd>{escaped(text)}</dd>" for name, text in facts)


def whole(results, folder, facts, drawn):
    """The page, which is one template."""
    experiment = results.experiment
    series = any(metric.over for metric in experiment.metrics.values())
    samples = ', <a href="samples.csv">samples.csv</a>' if series else ""
    again = escaped(f"make experiment FILE={experiment.path}")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escaped(experiment.title)}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>{escaped(experiment.title)}</h1>
<p class="question">{escaped(experiment.question)}</p>
</header>
<section class="answers">{answers(results)}</section>
{plots(drawn)}
{failures(results, folder)}
<h2>What was measured</h2>
{metrics(results)}
<h2>What was run</h2>
<pre>{escaped(experiment.command)}</pre>
<dl>{circumstances(facts)}</dl>
<p>All of it again: <code>{again}</code> <button data-copy="{again}">copy</button></p>
<h2>Every run</h2>
<p>As tables: <a href="results.csv">results.csv</a>{samples}. Each row has the command that repeats it alone, and shows its console.</p>
{runs(results, folder)}
<script>{SCRIPT}</script>
</body>
</html>
"""


def write(results, folder, facts):
    """facts: (name, text) pairs about when and where it was run.  Writes plots and page."""
    text = whole(results, folder, facts, draw_plots(results, os.path.join(folder, "plots")))
    with open(os.path.join(folder, "index.html"), "w", encoding="utf-8") as out:
        out.write(text)
