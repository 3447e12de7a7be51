"use strict";
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const charts = read("charts");
const drawings = read("drawings");
const root = document.documentElement;

const ink = "var(--ink)", soft = "var(--soft)", line = "var(--line)";
const looks = {
  background: "transparent",
  font: "system-ui, sans-serif",
  view: { stroke: null },
  axis: { labelColor: ink, titleColor: soft, titleFontWeight: "normal", gridColor: line, domainColor: line, tickColor: line, labelFontSize: 11, titleFontSize: 11 },
  text: { fontSize: 11 },
};

// Charts are drawn from the very CSV that the download gives, less the apostrophes that keep
// spreadsheets from running texts as formulas.
function csvOf(name) {
  const link = document.querySelector(`a[download="${CSS.escape(name)}.csv"]`).href;
  const text = decodeURIComponent(link.slice(link.indexOf(",") + 1));
  return text.replace(/(^|[,\n]"?)'(?=[=+\-@\t\r])/g, "$1");
}

async function draw(place, csv) {
  const { spec, panel } = charts[place.dataset.chart];
  const shown = { ...spec, data: { values: csv, format: { type: "csv" } } };
  if (panel) {
    const only = { filter: { field: panel, equal: place.dataset.panel } };
    shown.transform = [only, ...(spec.transform ?? [])];
  }
  const how = { mode: "vega-lite", renderer: "svg", actions: false, config: looks };
  await window.vegaEmbed(place, shown, how);
}

async function drawIn(article) {
  const places = article.querySelectorAll(".chart");
  const csv = places.length && csvOf(places[0].dataset.chart);
  for (const place of places) await draw(place, csv);
}

async function drawAll() {
  for (const article of document.querySelectorAll("article")) {
    const fold = article.querySelector("details");
    if (!fold) await drawIn(article);
    // A chart takes its width from the page, and has none before it is unfolded.
    else fold.addEventListener("toggle", () => drawIn(article), { once: true });
  }
  root.dataset.drawn = "true";
}

function keyOf(row, column) {
  const cell = row.cells[column];
  return cell.dataset.order === undefined ? cell.textContent.trim() : Number(cell.dataset.order);
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === typeof b) return a.localeCompare(b, "en", { numeric: true });
  return typeof a === "number" ? -1 : 1;
}

function sort(table, column, ascending) {
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, key: keyOf(row, column) }));
  // What has no value stays at the end, whichever way the table is sorted.
  rows.sort((a, b) => (a.key === "") - (b.key === "") || (ascending ? 1 : -1) * compare(a.key, b.key));
  body.append(...rows.map(({ row }) => row));
  for (const [number, head] of [...table.tHead.rows[0].cells].entries()) {
    if (number === column) head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
  }
}

for (const button of document.querySelectorAll(".sortable th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    sort(head.closest("table"), head.cellIndex, head.getAttribute("aria-sort") !== "ascending");
  });
}

for (const input of document.querySelectorAll("input[data-table]")) {
  const rows = [...document.getElementById(input.dataset.table).tBodies[0].rows];
  const count = document.querySelector(`output[for="${CSS.escape(input.dataset.table)}"]`);
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    const left = rows.filter((row) => !row.hidden).length;
    count.textContent = left === rows.length ? `${left} rows` : `${left} of ${rows.length} rows`;
  });
}

for (const image of document.querySelectorAll("img[data-drawing]")) {
  image.src = drawings[image.dataset.drawing];
}

// Phones show no scroll bar before a finger moves, so words say what is out of sight.
const widths = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const scroll = target.closest(".scroll");
    const isWide = scroll.scrollWidth > scroll.clientWidth;
    scroll.toggleAttribute("data-wide", isWide);
    scroll.previousElementSibling.hidden = !isWide;
  }
});

for (const scroll of document.querySelectorAll(".scroll")) {
  const hint = document.createElement("p");
  hint.className = "hint";
  hint.textContent = "Scroll sideways to see the rest →";
  hint.hidden = true;
  scroll.before(hint);
  widths.observe(scroll);
  widths.observe(scroll.firstElementChild);
}

const tip = document.getElementById("drawing");
let pointed = null;

function place(cell) {
  const at = cell.getBoundingClientRect();
  const below = at.bottom + 8 + tip.offsetHeight < innerHeight;
  tip.style.top = `${Math.max(8, below ? at.bottom + 8 : at.top - tip.offsetHeight - 8)}px`;
  tip.style.left = `${Math.max(8, Math.min(at.left, innerWidth - tip.offsetWidth - 8))}px`;
}

function show(cell) {
  pointed = cell;
  tip.firstElementChild.onload = () => place(cell);
  tip.firstElementChild.src = drawings[cell.dataset.drawing];
  tip.hidden = false;
  place(cell);
}

function hide() {
  pointed = null;
  tip.hidden = true;
}

for (const cell of document.querySelectorAll("button.cell")) {
  for (const event of ["pointerenter", "focus", "click"]) cell.addEventListener(event, () => show(cell));
  for (const event of ["pointerleave", "blur"]) cell.addEventListener(event, hide);
}
addEventListener("scroll", () => { if (pointed) place(pointed); }, true);
addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

const theme = document.getElementById("theme");
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches;
}

function tell() {
  theme.setAttribute("aria-pressed", isDark());
  theme.textContent = isDark() ? "Light" : "Dark";
}

theme.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  tell();
});
prefersDark.addEventListener("change", tell);
tell();
drawAll();
