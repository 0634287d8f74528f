"""Draws call chains as a flame graph: one SVG without scripts, whose boxes tell what they are when pointed at.

A box's width is its instructions, those it calls included; what stands on a box was called by it.
"""
import html
import zlib

WIDTH, MARGIN, ROW, HEAD = 1200, 10, 17, 44
NARROWEST = 0.3   # pixels: narrower boxes are left out
CHARACTER = 6.6   # pixels of one letter, about
STYLE = "text{font:11px monospace;pointer-events:none}rect{stroke:#fff;stroke-width:.5}g:hover rect{fill:#fff3a0}"


class Box:
    """A function under one chain of callers."""

    def __init__(self):
        self.own, self.total, self.above = 0, 0, {}


def tree(chains):
    root = Box()
    for chain, count in chains.items():
        box = root
        box.total += count
        for name in chain:
            box = box.above.setdefault(name, Box())
            box.total += count
        box.own += count
    return root


def colour(name, kernel):
    """The kernel's blue, others from red to yellow; the same name always the same."""
    shade = zlib.crc32(name.encode()) % 60
    return f"rgb({110 + shade},{160 + shade // 2},235)" if kernel else f"rgb({225 + shade // 3},{120 + 2 * shade},{60 + shade // 2})"


def boxes(box, left, scale, depth, kernel=False):
    """(name, box, left, width, depth, is it the kernel's) of all that is wide enough, callers first."""
    for name, above in sorted(box.above.items()):
        width, blue = above.total * scale, kernel or name == "kernel" or name.startswith("kernel:")
        if width >= NARROWEST:
            yield name, above, left, width, depth, blue
            yield from boxes(above, left, scale, depth + 1, blue)
        left += width


def drawn(name, box, left, width, top, kernel, total):
    title = html.escape(f"{name}: {box.total:,} instructions ({100 * box.total / total:.2f} %), {box.own:,} of its own")
    room = int((width - 4) / CHARACTER)
    label = name if len(name) <= room else name[:room - 1] + "\N{HORIZONTAL ELLIPSIS}" if room > 3 else ""
    text = f'<text x="{left + 3:.1f}" y="{top + 12}">{html.escape(label)}</text>' if label else ""
    return (f'<g><title>{title}</title><rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{ROW - 1}" '
            f'fill="{colour(name, kernel)}"/>{text}</g>')


def svg(chains, title):
    """The picture of {(name, ...): count}."""
    root = tree(chains)
    found = list(boxes(root, MARGIN, (WIDTH - 2 * MARGIN) / root.total, 0))
    deepest = max(depth for *_, depth, _ in found)
    height = HEAD + ROW * (deepest + 1) + MARGIN
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">',
             f"<style>{STYLE}</style>", '<rect width="100%" height="100%" fill="#fdfdfa"/>',
             f'<text x="{MARGIN}" y="18" style="font-size:14px">{html.escape(title)}</text>',
             f'<text x="{MARGIN}" y="34">{root.total:,} instructions</text>']
    parts += [drawn(name, box, left, width, HEAD + ROW * (deepest - depth), kernel, root.total)
              for name, box, left, width, depth, kernel in found]
    return "\n".join(parts) + "\n</svg>\n"
