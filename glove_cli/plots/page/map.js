// The map: a canvas that draws points, as many labels as fit, arrows of pairs, and what is chosen.

const canvas = document.getElementById("map");
const tip = document.getElementById("tip");
const brush = canvas.getContext("2d");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const palette = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900", "#56b4e9", "#7f6fc4", "#8c564b"]; // after Okabe and Ito
const CELL = 4; // pixels: labels are kept apart on a grid of such cells
const REACH = 16; // pixels within which a click means a point
const MOST_LABELS = 260;

const view = { x: 0, y: 0, scale: 1 }; // the place in the middle, and pixels a unit
const widths = new Map(); // of words, in pixels
let size = { width: 0, height: 0 };
let colours = {};
let chosen = -1;
let pairsShown = true;
let flight = 0; // of the animation that goes on
let asked = false;

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["paper", "ink", "soft", "line", "point", "label", "chosen", "near"]) {
    colours[name] = style.getPropertyValue(`--${name}`).trim();
  }
}

function wholeScale() {
  return 0.46 * Math.min(size.width, size.height);
}

function toScreen(row) {
  return [
    (places[2 * row] - view.x) * view.scale + size.width / 2,
    (view.y - places[2 * row + 1]) * view.scale + size.height / 2,
  ];
}

function resize() {
  const box = canvas.getBoundingClientRect();
  const ratio = devicePixelRatio || 1;
  const whole = size.width === 0 || Math.abs(view.scale - wholeScale()) < 1e-6;
  size = { width: box.width, height: box.height };
  canvas.width = Math.round(box.width * ratio);
  canvas.height = Math.round(box.height * ratio);
  brush.setTransform(ratio, 0, 0, ratio, 0, 0);
  if (whole) view.scale = wholeScale();
  redraw();
}

function redraw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    draw();
  });
}

function draw() {
  brush.clearRect(0, 0, size.width, size.height);
  const seen = visibleRows();
  drawPoints(seen);
  if (pairsShown) drawPairs();
  const near = chosen >= 0 ? neighboursOf(chosen).map((one) => one.row) : [];
  drawChosen(near);
  drawLabels(seen, near);
  if (document.activeElement === canvas && canvas.matches(":focus-visible")) drawMiddle();
}

function visibleRows() {
  const across = size.width / 2 / view.scale;
  const down = size.height / 2 / view.scale;
  const rows = [];
  for (let row = 0; row < n; row++) {
    if (Math.abs(places[2 * row] - view.x) < across && Math.abs(places[2 * row + 1] - view.y) < down) rows.push(row);
  }
  return rows;
}

// Squares, of one colour at a time in one path: thousands of circles would be slower to fill.
function drawPoints(seen) {
  const side = Math.min(5, 1.6 + Math.log2(view.scale / wholeScale() + 1) / 2);
  const byColour = new Map();
  for (const row of seen) {
    const colour = facts.clusters ? palette[facts.clusters[row] % palette.length] : colours.point;
    if (!byColour.has(colour)) byColour.set(colour, []);
    byColour.get(colour).push(row);
  }
  for (const [colour, rows] of byColour) {
    brush.fillStyle = colour;
    brush.beginPath();
    for (const row of rows) {
      const [x, y] = toScreen(row);
      brush.rect(x - side / 2, y - side / 2, side, side);
    }
    brush.fill();
  }
}

function drawPairs() {
  brush.strokeStyle = brush.fillStyle = colours.soft;
  brush.lineWidth = 1;
  for (const [from, to] of facts.pairs) {
    const [x, y] = toScreen(from);
    const [u, v] = toScreen(to);
    const angle = Math.atan2(v - y, u - x);
    const tipX = u - 5 * Math.cos(angle);
    const tipY = v - 5 * Math.sin(angle);
    brush.beginPath();
    brush.moveTo(x, y);
    brush.lineTo(tipX, tipY);
    brush.stroke();
    brush.beginPath();
    brush.moveTo(tipX, tipY);
    for (const side of [-1, 1]) brush.lineTo(tipX - 8 * Math.cos(angle + side * 0.35), tipY - 8 * Math.sin(angle + side * 0.35));
    brush.fill();
  }
}

function drawChosen(near) {
  if (chosen < 0) return;
  const [x, y] = toScreen(chosen);
  brush.strokeStyle = colours.near;
  brush.globalAlpha = 0.35;
  brush.lineWidth = 1;
  for (const row of near) {
    brush.beginPath();
    brush.moveTo(x, y);
    brush.lineTo(...toScreen(row));
    brush.stroke();
  }
  brush.globalAlpha = 1;
  brush.fillStyle = colours.near;
  for (const row of near) disc(...toScreen(row), 3.5);
  brush.fillStyle = colours.chosen;
  disc(x, y, 6);
}

function disc(x, y, radius) {
  brush.beginPath();
  brush.arc(x, y, radius, 0, 2 * Math.PI);
  brush.fill();
}

function widthOf(row) {
  if (!widths.has(row)) widths.set(row, brush.measureText(words[row]).width);
  return widths.get(row);
}

// What is chosen comes first, then frequent words; a label that would cover another is left out.
function drawLabels(seen, near) {
  brush.font = "13px system-ui, sans-serif";
  brush.textBaseline = "middle";
  brush.lineJoin = "round";
  brush.lineWidth = 3;
  const across = Math.ceil(size.width / CELL);
  const taken = new Uint8Array(across * Math.ceil(size.height / CELL + 1));
  let drawn = 0;
  const first = chosen >= 0 ? [chosen, ...near] : [];
  const special = new Set(first);
  const paired = pairsShown ? facts.pairs.flat() : [];
  for (const row of first.concat(paired, seen)) {
    if (drawn >= MOST_LABELS) break;
    const [x, y] = toScreen(row);
    if (x < 0 || y < 8 || x > size.width || y > size.height - 8) continue;
    const left = Math.floor((x + 6) / CELL);
    const top = Math.floor((y - 8) / CELL);
    const bottom = Math.floor((y + 8) / CELL);
    if (taken[top * across + left] || taken[bottom * across + left]) continue;
    const right = Math.floor((x + 8 + widthOf(row)) / CELL);
    if (right >= across || !claim(taken, across, left, right, top, bottom)) continue;
    drawn++;
    brush.strokeStyle = colours.paper;
    brush.strokeText(words[row], x + 7, y);
    brush.fillStyle = row === chosen ? colours.chosen : special.has(row) ? colours.near : colours.label;
    brush.fillText(words[row], x + 7, y);
  }
}

function claim(taken, across, left, right, top, bottom) {
  for (let i = top; i <= bottom; i++) {
    for (let j = left; j <= right; j++) if (taken[i * across + j]) return false;
  }
  for (let i = top; i <= bottom; i++) taken.fill(1, i * across + left, i * across + right + 1);
  return true;
}

// Shows those who move the map by keys which place Enter means.
function drawMiddle() {
  brush.strokeStyle = colours.near;
  brush.lineWidth = 1;
  brush.beginPath();
  brush.arc(size.width / 2, size.height / 2, REACH, 0, 2 * Math.PI);
  brush.stroke();
}

function rowNear(x, y, reach) {
  let best = -1;
  let least = reach * reach;
  for (let row = 0; row < n; row++) {
    const [u, v] = toScreen(row);
    const square = (u - x) * (u - x) + (v - y) * (v - y);
    if (square < least) [best, least] = [row, square];
  }
  return best;
}

function zoomAt(x, y, factor) {
  cancelAnimationFrame(flight);
  const before = view.scale;
  view.scale = Math.min(Math.max(view.scale * factor, wholeScale() / 2), wholeScale() * 400);
  // The place under the pointer stays under it.
  view.x += (x - size.width / 2) * (1 / before - 1 / view.scale);
  view.y -= (y - size.height / 2) * (1 / before - 1 / view.scale);
  redraw();
}

function move(dx, dy) {
  cancelAnimationFrame(flight);
  view.x -= dx / view.scale;
  view.y += dy / view.scale;
  redraw();
}

function showAll() {
  flyTo(0, 0, wholeScale());
}

function flyTo(x, y, scale) {
  cancelAnimationFrame(flight);
  const from = { ...view };
  const begin = performance.now();
  const step = (now) => {
    const t = calm.matches ? 1 : Math.min(1, Math.max(0, (now - begin) / 350));
    const s = t * t * (3 - 2 * t);
    view.x = from.x + (x - from.x) * s;
    view.y = from.y + (y - from.y) * s;
    view.scale = from.scale * (scale / from.scale) ** s;
    redraw();
    if (t < 1) flight = requestAnimationFrame(step);
  };
  step(calm.matches ? begin + 350 : begin);
}

function listenToPointers(choose) {
  const down = new Map(); // the pointers that are down, by their ids
  let moved = 0;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, place(event));
    if (down.size === 1) moved = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    if (!down.has(event.pointerId)) return hover(x, y);
    const [u, v] = down.get(event.pointerId);
    moved += Math.abs(x - u) + Math.abs(y - v);
    if (down.size === 2) pinch(down, event.pointerId, x, y);
    else if (moved > 4) {
      canvas.classList.add("dragging");
      move(x - u, y - v);
    }
    down.set(event.pointerId, [x, y]);
  });
  const up = (event) => {
    const [x, y] = place(event);
    const click = event.type === "pointerup" && down.size === 1 && moved <= 4;
    down.delete(event.pointerId);
    canvas.classList.remove("dragging");
    if (!click) return;
    const row = rowNear(x, y, REACH);
    if (row >= 0) choose(row);
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", () => (tip.hidden = true));
  canvas.addEventListener("dblclick", (event) => zoomAt(...place(event), 2));
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      zoomAt(...place(event), Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0016)));
    },
    { passive: false },
  );
}

function pinch(down, id, x, y) {
  const [u, v] = down.get(id);
  const other = [...down].find(([key]) => key !== id)[1];
  const before = Math.hypot(u - other[0], v - other[1]) || 1;
  const after = Math.hypot(x - other[0], y - other[1]) || 1;
  zoomAt((x + other[0]) / 2, (y + other[1]) / 2, after / before);
}

function hover(x, y) {
  const row = rowNear(x, y, REACH);
  canvas.classList.toggle("over", row >= 0);
  tip.hidden = row < 0;
  if (row < 0) return;
  tip.textContent = words[row];
  const [u, v] = toScreen(row);
  tip.style.left = `${Math.min(u + 10, size.width - tip.offsetWidth - 4)}px`;
  tip.style.top = `${Math.max(v - 30, 4)}px`;
}

function listenToKeys(choose) {
  const step = 60;
  const keys = {
    ArrowLeft: () => move(step, 0),
    ArrowRight: () => move(-step, 0),
    ArrowUp: () => move(0, step),
    ArrowDown: () => move(0, -step),
    "+": () => zoomAt(size.width / 2, size.height / 2, 1.5),
    "=": () => zoomAt(size.width / 2, size.height / 2, 1.5),
    "-": () => zoomAt(size.width / 2, size.height / 2, 1 / 1.5),
    0: showAll,
    Enter: () => {
      const row = rowNear(size.width / 2, size.height / 2, Infinity);
      if (row >= 0) choose(row);
    },
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
  canvas.addEventListener("focus", redraw);
  canvas.addEventListener("blur", redraw);
}
