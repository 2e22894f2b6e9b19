// The data of the page: words, their places on the map, their nearest words, and their vectors (length 1).

function decode(id, Numbers) {
  const text = atob(document.getElementById(id).textContent.trim());
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new Numbers(bytes.buffer);
}

const facts = JSON.parse(document.getElementById("facts").textContent);
const { words, n, d, k } = facts;
const places = decode("places", Float32Array); // (n, 2), within -1 ... 1
const nearest = decode("nearest", Int32Array); // (n, k) rows, -1 fills up
const cosines = decode("cosines", Float32Array); // (n, k)
const vectors = decode("vectors", facts.rounded ? Int16Array : Float32Array); // (n, d)
const unit = facts.rounded ? 1 / 32767 : 1; // what a number of a vector is multiplied by

const rowOf = new Map(words.map((word, row) => [word, row]));
const folded = words.map((word) => word.toLowerCase());

function findRow(text) {
  const word = text.trim();
  const row = rowOf.get(word) ?? folded.indexOf(word.toLowerCase());
  return row;
}

function component(row, j) {
  return vectors[row * d + j] * unit;
}

function cosineOf(a, b) {
  let sum = 0;
  for (let j = 0; j < d; j++) sum += component(a, j) * component(b, j);
  return sum;
}

// 3CosAdd (Mikolov, Yih and Zweig 2013): the rows nearest to b - a + c, other than these.
function analogy(a, b, c, most) {
  const query = new Float64Array(d);
  let square = 0;
  for (let j = 0; j < d; j++) {
    query[j] = component(b, j) - component(a, j) + component(c, j);
    square += query[j] * query[j];
  }
  const length = Math.sqrt(square) || 1;
  const found = [];
  for (let row = 0; row < n; row++) {
    if (row === a || row === b || row === c) continue;
    let sum = 0;
    for (let j = 0, at = row * d; j < d; j++, at++) sum += query[j] * vectors[at];
    const cosine = (sum * unit) / length;
    if (found.length === most && cosine <= found[most - 1].cosine) continue;
    let at = found.length;
    while (at > 0 && found[at - 1].cosine < cosine) at--;
    found.splice(at, 0, { row, cosine });
    if (found.length > most) found.pop();
  }
  return found;
}

function neighboursOf(row) {
  const found = [];
  for (let i = row * k; i < (row + 1) * k && nearest[i] >= 0; i++) found.push({ row: nearest[i], cosine: cosines[i] });
  return found;
}

// The words that begin with a text, most frequent first.
function beginningWith(text, most) {
  const begin = text.trim().toLowerCase();
  const found = [];
  if (!begin) return found;
  for (let row = 0; row < n && found.length < most; row++) if (folded[row].startsWith(begin)) found.push(row);
  return found;
}

// Edit distance, in which two letters that changed places count once; beyond `most` it is only known to be more.
function distance(a, b, most) {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let before = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next[j] = Math.min(last[j] + 1, next[j - 1] + 1, last[j - 1] + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    [before, last] = [last, next];
    if (Math.min(...last) > most) return most + 1;
  }
  return last[b.length];
}

function spelledLike(text, most) {
  const word = text.trim().toLowerCase();
  const found = [];
  for (let row = 0; row < n; row++) {
    const edits = distance(word, folded[row], 2);
    if (edits <= 2 && edits < word.length) found.push({ row, edits });
  }
  found.sort((x, y) => x.edits - y.edits || x.row - y.row);
  return found.slice(0, most).map((one) => one.row);
}
