// What happens: a word is chosen, an analogy is asked, two words are compared.

const at = (id) => document.getElementById(id);
const TITLE = document.title;

function wordButton(row, name) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = name;
  button.textContent = words[row];
  button.addEventListener("click", () => choose(row));
  return button;
}

// A word and its cosine, which is also told by the length of the bar behind them.
function scoreRow({ row, cosine }) {
  const item = document.createElement("li");
  const button = wordButton(row, "row");
  const number = document.createElement("span");
  number.className = "number";
  number.textContent = cosine.toFixed(3);
  button.append(number);
  button.setAttribute("aria-label", `${words[row]}, cosine ${cosine.toFixed(3)}`);
  button.style.setProperty("--share", `${Math.max(0, Math.min(1, cosine)) * 100}%`);
  item.append(button);
  return item;
}

function choose(row, { fly = true } = {}) {
  chosen = row;
  at("word").hidden = false;
  at("word-name").textContent = words[row];
  const count = facts.counts ? `, ${facts.counts[row].toLocaleString("en")} times in the corpus` : "";
  const cluster = facts.clusters ? `, in the cluster of ${facts.clusterNames[facts.clusters[row]]}` : "";
  at("word-facts").textContent = `Word ${(row + 1).toLocaleString("en")} by frequency${count}${cluster}.`;
  const found = neighboursOf(row);
  at("neighbours").replaceChildren(...found.map(scoreRow));
  const listed = found.slice(0, 5).map((one) => words[one.row]).join(", ");
  note(found.length ? `${words[row]}: nearest are ${listed}.` : `${words[row]} has a vector of zeros, and so no nearest words.`);
  document.title = `${words[row]} - ${TITLE}`;
  const hash = `#word=${encodeURIComponent(words[row])}`;
  if (location.hash !== hash) location.hash = hash;
  if (fly) flyTo(places[2 * row], places[2 * row + 1], Math.max(view.scale, wholeScale() * 6));
  else redraw();
}

function letGo() {
  chosen = -1;
  at("word").hidden = true;
  document.title = TITLE;
  note("");
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  redraw();
}

function note(text) {
  at("search-note").replaceChildren(text);
}

function unknown(text) {
  const similar = spelledLike(text, 3);
  const parts = [`${text.trim() || "Nothing"} is not among the words of this page.`];
  if (similar.length) parts.push(" Did you mean ", ...similar.flatMap((row, i) => [i ? ", " : "", wordButton(row, "plain")]), "?");
  return parts;
}

function search(text) {
  const row = findRow(text);
  if (row >= 0) choose(row);
  else at("search-note").replaceChildren(...unknown(text));
}

// The rows of some fields; where a word is unknown that is said, and nothing is returned.
function rowsOf(ids, answer) {
  const rows = [];
  for (const id of ids) {
    const row = findRow(at(id).value);
    if (row < 0) {
      answer.replaceChildren(...unknown(at(id).value));
      return null;
    }
    rows.push(row);
  }
  return rows;
}

function answerAnalogy() {
  const answer = at("analogy-answer");
  const rows = rowsOf(["analogy-a", "analogy-b", "analogy-c"], answer);
  if (!rows) return;
  const list = document.createElement("ol");
  list.append(...analogy(...rows, 8).map(scoreRow));
  answer.replaceChildren(list);
}

function answerSimilarity() {
  const answer = at("similarity-answer");
  const rows = rowsOf(["similarity-a", "similarity-b"], answer);
  if (rows) answer.replaceChildren(`Cosine of ${words[rows[0]]} and ${words[rows[1]]}: ${cosineOf(...rows).toFixed(3)}`);
}

function listPairs() {
  at("pairs-part").hidden = facts.pairs.length === 0;
  const items = facts.pairs.map(([from, to]) => {
    const item = document.createElement("li");
    item.append(wordButton(from, "plain"), " \u2192 ", wordButton(to, "plain"));
    return item;
  });
  at("pairs").replaceChildren(...items);
  at("pairs-shown").addEventListener("change", (event) => {
    pairsShown = event.target.checked;
    redraw();
  });
}

function listClusters() {
  if (!facts.clusters) return;
  at("clusters-part").hidden = false;
  const items = facts.clusterNames.map((name, i) => {
    const item = document.createElement("li");
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.background = palette[i % palette.length];
    item.append(swatch, name);
    return item;
  });
  at("clusters").replaceChildren(...items);
}

function followHash() {
  const found = /^#word=(.*)$/.exec(location.hash);
  if (!found) return;
  let word = found[1];
  try {
    word = decodeURIComponent(word);
  } catch {
    // a % that isn't the beginning of a byte stays as it is
  }
  const row = findRow(word);
  if (row < 0) at("search-note").replaceChildren(...unknown(word));
  else if (row !== chosen) choose(row);
}

function start() {
  readColours();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    readColours();
    redraw();
  });
  new ResizeObserver(resize).observe(canvas);
  resize();
  listenToPointers((row) => choose(row, { fly: false }));
  listenToKeys((row) => choose(row, { fly: false }));
  const close = completeWords(at("search"), choose);
  at("search-form").addEventListener("submit", (event) => {
    event.preventDefault();
    close();
    search(at("search").value);
  });
  for (const id of ["analogy-a", "analogy-b", "analogy-c", "similarity-a", "similarity-b"]) completeWords(at(id), () => {});
  at("analogy").addEventListener("submit", (event) => {
    event.preventDefault();
    answerAnalogy();
  });
  at("similarity").addEventListener("submit", (event) => {
    event.preventDefault();
    answerSimilarity();
  });
  at("zoom-in").addEventListener("click", () => zoomAt(size.width / 2, size.height / 2, 1.5));
  at("zoom-out").addEventListener("click", () => zoomAt(size.width / 2, size.height / 2, 1 / 1.5));
  at("zoom-all").addEventListener("click", showAll);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && event.target.tagName !== "INPUT") {
      event.preventDefault();
      at("search").focus();
    } else if (event.key === "Escape") letGo();
  });
  listPairs();
  listClusters();
  addEventListener("hashchange", followHash);
  followHash();
}

start();
