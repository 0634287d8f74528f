"""Plots as SVG texts that stand alone: lines or grouped bars, axes linear, logarithmic or of names.

Owns how plots look.  Knows nothing of experiments: page gives it curves.  A place whose runs failed is a red cross on the x axis.
"""
import dataclasses
import html
import math

WIDTH, HEIGHT = 620, 380
LEFT, RIGHT, TOP, BOTTOM = 74, 18, 44, 56
LEGEND_LINE, LETTER = 20, 6.6  # px
COLOURS = ("#0b62a8", "#d1490c", "#0a8a5f", "#b0489a", "#a87400", "#4aa3df", "#7a5230", "#555e68")
SHAPES = {"circle": "M-4.2 0a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0 -8.4 0z", "square": "M-3.6 -3.6h7.2v7.2h-7.2z",
          "diamond": "M0 -5l5 5l-5 5l-5 -5z", "triangle": "M0 -5l5 8.6h-10z"}
MARKS = tuple(SHAPES)
MOST_MARKS = 60  # of a curve
DODGE = 3  # px
NEAR = 3  # px: marks so near lie on each other
INK, FAINT, FAILED = "#1d2733", "#e3e7ec", "#c62828"
FONT = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"


@dataclasses.dataclass
class Curve:
    name: str
    points: list  # (x, mean, low, high, what it says when pointed at)
    failed: list  # (x, why)
    style: int = 0  # which colour and mark: the same in all plots

    def colour(self):
        return COLOURS[self.style % len(COLOURS)]

    def mark(self):
        """A shape, and whether it is hollow."""
        return MARKS[self.style % len(MARKS)], self.style // len(MARKS) % 2 == 1


@dataclasses.dataclass
class Axis:
    """One axis's scale: from values to px between two ends."""
    low: float
    high: float
    start: float
    end: float
    log: bool = False
    names: tuple = ()

    def at(self, value):
        if self.names:
            return self.start + (self.names.index(value) + 0.5) * (self.end - self.start) / len(self.names)
        low, high, value = (math.log10(v) for v in (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        return self.start + (value - low) / (high - low or 1) * (self.end - self.start)

    def ticks(self, wanted, most):
        """(value, text): the wanted places when they are few enough, else round numbers."""
        if self.names:
            return [(name, name) for name in self.names]
        round_ones = logarithmic(self.low, self.high) if self.log else linear(self.low, self.high, most)
        places = sorted(set(wanted)) if self.apart(wanted) else round_ones
        return [(value, short(value)) for value in places if self.low <= value <= self.high]

    def apart(self, wanted):
        """Is there room for a text at each?"""
        places = sorted(abs(self.at(value) - self.start) for value in set(wanted))
        return bool(places) and all(after - before >= 34 for before, after in zip(places, places[1:]))


def linear(low, high, most):
    span = high - low or 1
    step = 10 ** math.floor(math.log10(span / most))
    step = next(step * factor for factor in (1, 2, 2.5, 5, 10, 20) if span / (step * factor) <= most)
    return [round(step * i, 12) for i in range(math.ceil(low / step), math.floor(high / step + 1e-9) + 1)]


def logarithmic(low, high):
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    within = (1, 2, 5) if len(decades) <= 4 else (1,)
    return [10.0 ** decade * factor for decade in decades for factor in within]


def short(value):
    """A number for an axis: 12k, 3.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):.4g}{letter}"
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def element(name, text="", **attributes):
    words = "".join(f' {key.rstrip("_").replace("_", "-")}="{html.escape(worded(value))}"' for key, value in attributes.items())
    return f"<{name}{words}>{text}</{name}>" if text else f"<{name}{words}/>"


def worded(value):
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def label(x, y, text, anchor="middle", size=12, **more):
    return element("text", html.escape(text), x=x, y=y, text_anchor=anchor, font_size=size, **{"fill": INK, **more})


def mark(curve, x, y, tip, beneath=0):
    """The curve's mark; smaller where marks of other curves lie beneath, so that they can be seen."""
    shape, hollow = curve.mark()
    fill, stroke, width = ("#fff", curve.colour(), 2) if hollow else (curve.colour(), "#fff", 1)
    return element("path", element("title", html.escape(tip)) if tip else "", class_="mark", d=SHAPES[shape],
                   transform=f"translate({x:.1f} {y:.1f}) scale({max(0.62 ** beneath, 0.25):.2f})",
                   fill=fill, stroke=stroke, stroke_width=width)


class Drawing:
    """One plot being drawn."""

    def __init__(self, title, x_text, y_text, curves, bars=False, log=()):
        self.title, self.x_text, self.y_text = title, x_text, y_text
        self.curves, self.bars, self.log = curves, bars, log
        self.parts, self.places, self.names = [], [], self.x_names()
        self.legend = self.legend_places() if len(curves) > 1 or curves and curves[0].name else []
        self.top = TOP + (LEGEND_LINE * (self.legend[-1][1] + 1) if self.legend else 0)
        self.bottom = HEIGHT - BOTTOM + (self.top - TOP)
        self.height = self.bottom + BOTTOM
        self.x, self.y = self.x_axis(), self.y_axis()

    def x_places(self):
        return [point[0] for curve in self.curves for point in curve.points + curve.failed]

    def x_names(self):
        places = list(dict.fromkeys(self.x_places()))
        return tuple(places) if self.bars or any(isinstance(x, str) for x in places) else ()

    def x_axis(self):
        places = [x for x in self.x_places() if "x" not in self.log or x > 0] if not self.names else [0]
        low, high = (min(places), max(places)) if places else (1, 10)
        pad = 0 if self.names else 14
        return Axis(low, high if high > low else low + 1, LEFT + pad, WIDTH - RIGHT - pad, "x" in self.log, self.names)

    def y_axis(self):
        highs = [point[3] for curve in self.curves for point in curve.points]
        lows = [point[2] for curve in self.curves for point in curve.points if point[2] > 0]
        high = max(highs, default=1) or 1
        if "y" in self.log and lows:
            low = 10 ** math.floor(math.log10(min(lows)))
            return Axis(low, max(high * 1.25, low * 10), self.bottom, self.top, True)
        low = min([0, *(point[2] for curve in self.curves for point in curve.points)])
        return Axis(low, high * 1.08, self.bottom, self.top)

    def legend_places(self):
        """(x, line) of each curve's entry, as many on a line as fit."""
        places, x, line = [], LEFT, 0
        for curve in self.curves:
            width = 26 + LETTER * len(curve.name) + 14
            if x + width > WIDTH - RIGHT and x > LEFT:
                x, line = LEFT, line + 1
            places.append((x, line))
            x += width
        return places

    def y_at(self, value):
        return self.y.at(max(value, self.y.low))

    # ---- parts

    def frame(self):
        self.parts.append(label(LEFT, 24, self.title, "start", 15, font_weight=600))
        for value, text in self.y.ticks([], 6):
            self.parts.append(element("path", d=f"M{LEFT} {self.y.at(value):.1f}H{WIDTH - RIGHT}", stroke=FAINT))
            self.parts.append(label(LEFT - 8, self.y.at(value) + 4, text, "end"))
        for value, text in self.x.ticks(self.x_places() if not self.names else [], 8):
            x = self.x.at(value)
            self.parts.append(element("path", d=f"M{x:.1f} {self.bottom}v5", stroke=INK))
            self.parts.append(label(x, self.bottom + 20, text))
        self.parts.append(element("path", d=f"M{LEFT} {self.bottom}H{WIDTH - RIGHT}", stroke=INK))
        self.parts.append(label((LEFT + WIDTH - RIGHT) / 2, self.height - 12, self.x_text, font_weight=500))
        middle = (self.top + self.bottom) / 2
        self.parts.append(label(0, 0, self.y_text, font_weight=500, transform=f"translate(17 {middle:.0f}) rotate(-90)"))

    def draw_legend(self):
        for curve, (x, line) in zip(self.curves, self.legend):
            y = TOP - 4 + LEGEND_LINE * line
            width = 10 if self.bars else 2.5
            self.parts.append(element("path", d=f"M{x} {y}h20", stroke=curve.colour(), stroke_width=width))
            if not self.bars:
                self.parts.append(mark(curve, x + 10, y, ""))
            self.parts.append(label(x + 26, y + 4, curve.name, "start"))

    def dodge(self, curve):
        """How far its whiskers stand beside its marks, for those of others at the same x."""
        return DODGE * (self.curves.index(curve) - (len(self.curves) - 1) / 2)

    def whisker(self, x, low, high, colour):
        if high > low:
            top, bottom = self.y_at(high), self.y_at(low)
            self.parts.append(element("path", d=f"M{x - 4:.1f} {top:.1f}h8m-4 0V{bottom:.1f}m-4 0h8", stroke=colour, fill="none",
                                      stroke_width=1.4))

    def beneath(self, x, y):
        """How many marks that were drawn lie where this one comes."""
        return sum(abs(x - other[0]) < NEAR and abs(y - other[1]) < NEAR for other in self.places)

    def path(self, pieces, **more):
        d = "".join(f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" for (x1, y1), (x2, y2) in pieces)
        return element("path", d=d, stroke_width=2, stroke_linecap="round", **more) if d else ""

    def pieces(self, curve, shown):
        """Pairs of points that are neighbours; none where runs failed in between."""
        order = sorted([*shown, *curve.failed], key=lambda point: self.x.at(point[0]))
        return [(one, two) for one, two in zip(order, order[1:]) if len(one) > 2 and len(two) > 2]

    def line(self, curve):
        shown = [point for point in curve.points if not (self.x.log and point[0] <= 0)]
        place = {point[0]: (self.x.at(point[0]), self.y_at(point[1])) for point in shown}
        beneath = {x: self.beneath(*place[x]) for x in place}
        # Where a curve lies on others one sees them through its gaps.
        free, dashed = [], []
        for one, two in self.pieces(curve, shown):
            (dashed if beneath[one[0]] and beneath[two[0]] else free).append((place[one[0]], place[two[0]]))
        self.parts.append(element("g", self.path(free) + self.path(dashed, stroke_dasharray="5 7"), class_="curve",
                                  stroke=curve.colour(), fill="none"))
        for x, _, low, high, tip in shown:
            self.whisker(place[x][0] + self.dodge(curve), low, high, curve.colour())
            if len(shown) <= MOST_MARKS:
                self.parts.append(mark(curve, *place[x], tip, beneath[x]))
        self.places += place.values()
        self.crosses(curve, 0)

    def bar(self, index, curve):
        step = (self.x.end - self.x.start) / max(len(self.names), 1)
        width = min(step * 0.8 / len(self.curves), 60)
        shift = (index - (len(self.curves) - 1) / 2) * width
        for x, mean, low, high, tip in curve.points:
            middle, ends = self.x.at(x) + shift, sorted((self.y_at(0), self.y_at(mean)))
            self.parts.append(element("rect", element("title", html.escape(tip)), class_="bar", x=middle - width * 0.46, y=ends[0],
                                      width=width * 0.92, height=max(ends[1] - ends[0], 0.5), fill=curve.colour()))
            self.whisker(middle, low, high, INK)
            if width > 26:
                self.parts.append(label(middle, self.y_at(high) - 5, short(mean), size=11))
        self.crosses(curve, shift)

    def crosses(self, curve, shift):
        for x, why in curve.failed:
            at = self.x.at(x) + shift
            self.parts.append(element("path", element("title", html.escape(why)), class_="failed", stroke=FAILED, stroke_width=2.4,
                                      d=f"M{at - 5:.1f} {self.bottom - 5}l10 10m0 -10l-10 10"))

    def text(self):
        self.frame()
        self.draw_legend()
        for index, curve in enumerate(self.curves):
            self.bar(index, curve) if self.bars else self.line(curve)
        return element("svg", "\n".join(self.parts), xmlns="http://www.w3.org/2000/svg", class_="plot",
                       viewBox=f"0 0 {WIDTH} {self.height}", width=WIDTH, height=self.height, font_family=FONT, role="img",
                       aria_label=self.title, style="background:#fff") + "\n"


def draw(title, x_text, y_text, curves, bars=False, log=()):
    """The SVG text.  x of all points are numbers, or all names."""
    return Drawing(title, x_text, y_text, curves, bars, log).text()
