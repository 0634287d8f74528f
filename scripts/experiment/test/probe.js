// Looks at an experiment's page from inside, for page_test.py: what is there, as JSON in <pre id="probe">.
const errors = [];
window.addEventListener("error", event => errors.push(event.message));

function box(node) {
  const b = node.getBoundingClientRect();
  return [b.left, b.top, b.right, b.bottom];
}

function overlap(a, b) {
  return Math.min(a[2], b[2]) - Math.max(a[0], b[0]) > 1 && Math.min(a[3], b[3]) - Math.max(a[1], b[1]) > 1;
}

// Is this what a person who points at its middle points at?
function visible(node) {
  node.scrollIntoView({ block: "center" });
  const [left, top, right, bottom] = box(node);
  const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  return Boolean(hit && hit.closest("svg") === node.closest("svg"));
}

function plot(svg) {
  const texts = [...svg.querySelectorAll("text")], whole = box(svg);
  const curves = [...svg.querySelectorAll(".curve")];
  const shapes = [...svg.querySelectorAll(".mark, .bar")];
  const inside = b => b[0] >= whole[0] - 1 && b[1] >= whole[1] - 1 && b[2] <= whole[2] + 1 && b[3] <= whole[3] + 1;
  return {
    title: svg.getAttribute("aria-label"), width: whole[2] - whole[0], height: whole[3] - whole[1],
    curves: curves.filter(c => [...c.querySelectorAll("path")].some(p => p.getTotalLength() > 0)).length, shapes: shapes.length,
    failed: svg.querySelectorAll(".failed").length,
    outside: [...texts, ...shapes].filter(t => !inside(box(t))).map(t => t.textContent),
    overlapping: texts.flatMap((a, i) => texts.slice(i + 1).filter(b => overlap(box(a), box(b))).map(b => `${a.textContent} | ${b.textContent}`)),
    visible: shapes.filter(visible).length, // last, since it scrolls
  };
}

window.addEventListener("load", () => {
  const found = {
    title: document.title, plots: [...document.querySelectorAll("figure svg.plot")].map(plot),
    links: [...document.querySelectorAll("a[href]")].map(a => a.getAttribute("href")),
    answers: [...document.querySelectorAll(".answer")].map(a => a.textContent.trim()),
    rows: document.querySelectorAll("#runs tbody tr").length, failed: document.querySelectorAll("#failed tbody tr").length,
    sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    outer: [...document.querySelectorAll("[src], link[href]")].map(n => n.outerHTML), errors,
  };
  const pre = document.body.appendChild(document.createElement("pre"));
  pre.id = "probe";
  pre.textContent = JSON.stringify(found);
});
