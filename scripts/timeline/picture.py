"""A Story as one picture (SVG): a lane for each environment, one for each drive, over the same time.

Owns nothing.  What is finer than a pixel is drawn as density: a bar's opacity is the part of that
pixel's time in which the environment ran, a stroke's length how many things happened there.  Called by
timeline.
"""
from html import escape
from math import log2

WIDTH, LEFT, RIGHT, TOP = 1200, 190, 20, 78
LANE, BAR, STROKE = 38, 14, 8
MOST_LANES, TITLE = 48, 100
PLOT = WIDTH - LEFT - RIGHT
RUN, GRID, TEXT, LOST = "#4878a8", "#dddddd", "#333333", "#f4c7c3"
SORTS = [("call", "#888888", "system calls"), ("fault", "#cc3311", "faults"), ("upcall", "#aa44aa", "upcalls"),
         ("ipc", "#228833", "calls between them"), ("revoke", "#ee7733", "asked back, taken"),
         ("life", "#111111", "made, started, ended")]
OPS = [("read", "#3399cc"), ("write", "#ee9944"), ("clear", "#bbaa22"), ("flush", "#777777")]


class Picture:
    """The SVG, grown from top to bottom."""

    def __init__(self, story):
        self.story, self.scale, self.out = story, PLOT / max(story.end, 1), []

    def x(self, ns):
        return LEFT + ns * self.scale

    def put(self, tag, text=None, **attributes):
        words = " ".join(f'{name.replace("_", "-")}="{round(value, 2) if isinstance(value, float) else escape(str(value))}"'
                         for name, value in attributes.items())
        self.out.append(f"<{tag} {words}/>" if text is None else f"<{tag} {words}>{text}</{tag}>")

    def text(self, x, y, words, **attributes):
        self.put("text", escape(words), x=x, y=y, **{"fill": TEXT, **attributes})

    # ---- parts

    def coverage(self, spans):
        """For each pixel of the plot the part of its time that the spans cover."""
        cover = [0.0] * (PLOT + 1)
        for start, end in spans:
            a, b = start * self.scale, max(end * self.scale, start * self.scale + 0.02)
            for pixel in range(int(a), min(int(b), PLOT) + 1):
                cover[pixel] += max(0.0, min(b, pixel + 1) - max(a, pixel))
        return cover

    def bars(self, spans, y, colour, tip=""):
        """Runs of pixels that are covered alike become one rectangle."""
        cover = [round(min(1.0, part) * 10 + 0.499) for part in self.coverage(spans)]
        start = 0
        for pixel in range(1, len(cover) + 1):
            if pixel < len(cover) and cover[pixel] == cover[start]:
                continue
            if cover[start]:
                self.put("rect", f"<title>{escape(tip)}</title>" if tip else None, x=LEFT + start, y=y, width=pixel - start,
                         height=BAR, fill=colour, fill_opacity=max(0.25, cover[start] / 10))
            start = pixel

    def strokes(self, times, y, colour):
        """Things that happened: a stroke for each pixel, longer where there are more."""
        counts = {}
        for ns in times:
            pixel = min(int(ns * self.scale), PLOT - 1)
            counts[pixel] = counts.get(pixel, 0) + 1
        path = "".join(f"M{LEFT + pixel}.5 {y}v{min(STROKE, 4 + 1.6 * log2(count)):.1f}" for pixel, count in sorted(counts.items()))
        if path:
            self.put("path", d=path, stroke=colour, stroke_width=1, fill="none")

    def label(self, y, title, note):
        self.text(LEFT - 8, y + 11, title[:22], text_anchor="end", font_weight="bold")
        self.text(LEFT - 8, y + 24, note, text_anchor="end", font_size=10, fill="#777777")

    def lane(self, y, lane):
        ran = sum(run.end - run.start for run in lane.runs)
        faults = sum(mark.sort == "fault" for mark in lane.marks)
        self.label(y, lane.title(), f"{length(ran)}, {len(lane.calls)} calls" + (f", {faults} faults" if faults else ""))
        self.bars([(run.start, run.end) for run in lane.runs], y, RUN, lane.title())
        self.strokes([call.start for call in lane.calls], y + BAR + 1, SORTS[0][1])
        for sort, colour, _ in SORTS[1:]:
            self.strokes([mark.ns for mark in lane.marks if mark.sort == sort], y + (-4 if sort == "life" else BAR + STROKE + 2), colour)

    def drive(self, y, drive, model):
        done = [request for request in self.story.requests if request.drive == drive and request.end is not None]
        blocks = sum(request.count for request in done)
        self.label(y, f"drive {drive}", f"{len(done)} requests, {blocks} blocks")
        for op, colour in OPS:
            self.bars([(request.start, request.end) for request in done if request.op == op], y, colour, f"{model}: {op}")
        waiting = [request.queued for request in done if request.queued is not None]
        self.strokes(waiting, y + BAR + 1, SORTS[0][1])

    def axis(self, bottom):
        step = nice(self.story.end / 8)
        for number in range(int(self.story.end / step) + 1):
            x = self.x(number * step)
            self.put("path", d=f"M{x:.1f} {TOP - 6}V{bottom}", stroke=GRID)
            self.text(x, TOP - 10, length(number * step), text_anchor="middle", font_size=11)

    def gaps(self, bottom):
        for gap in self.story.lost:
            self.put("rect", f"<title>{escape(gap.name)}</title>", x=self.x(gap.start), y=TOP - 4,
                     width=max(2.0, (gap.end - gap.start) * self.scale), height=bottom - TOP + 4, fill=LOST)

    def legend(self, y):
        x = LEFT
        lost = [("lost", LOST, 1)] if self.story.lost else []
        for words, colour, wide in [("runs", RUN, 1), *((op, colour, 1) for op, colour in OPS),
                                    *((words, colour, 0) for _, colour, words in SORTS), *lost]:
            self.put("rect", x=x, y=y, width=12 if wide else 2, height=11, fill=colour)
            self.text(x + (16 if wide else 6), y + 10, words, font_size=11)
            x += (30 if wide else 20) + 6.2 * len(words)


def nice(ns):
    """A step of 1, 2 or 5 times a power of ten, at least this long."""
    step = 1
    while step < ns:
        step *= 10
    return next(part for part in (step // 5, step // 2, step) if part >= min(ns, step) and part)


def length(ns):
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        if ns >= size:
            return f"{ns / size:.4g} {unit}"
    return f"{ns} ns"


def drawn(story):
    """The lanes that there is room for: those that ran longest, in their order."""
    longest = sorted(story.lanes, key=lambda lane: -sum(run.end - run.start for run in lane.runs))[:MOST_LANES]
    return [lane for lane in story.lanes if lane in longest]


def svg(story, title):
    """The picture as text."""
    lanes, drives = drawn(story), story.trace.drives
    bottom = TOP + LANE * (len(lanes) + len(drives)) + 4
    height, picture = bottom + 34, Picture(story)
    picture.put("rect", x=0, y=0, width=WIDTH, height=height, fill="white")
    picture.text(LEFT, 26, title if len(title) <= TITLE else title[:TITLE - 1] + "…", font_size=16, font_weight="bold")
    told = f"{length(story.end)}, {len(story.trace.records)} records"
    told += f", {sum(lost.count for lost in story.trace.lost)} lost" if story.trace.lost else ""
    told += f"; {len(story.lanes) - len(lanes)} lanes that ran shortest are left out" if len(lanes) < len(story.lanes) else ""
    picture.text(LEFT, 44, told, font_size=12, fill="#777777")
    picture.gaps(bottom)
    picture.axis(bottom)
    y = TOP + 4
    for lane in lanes:
        picture.lane(y, lane)
        y += LANE
    for drive, model in drives.items():
        picture.drive(y, drive, model)
        y += LANE
    picture.legend(bottom + 12)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
            f'font-family="DejaVu Sans, sans-serif" font-size="12">\n' + "\n".join(picture.out) + "\n</svg>\n")
