// Sorting, choosing and searching. Without this script every page shows all that it has, and no control but one that
// works without it.
"use strict";
document.documentElement.classList.add("scripted");

// -- sorting: a button in each head; a cell is sorted by its data-value or by what it says, and one that says nothing,
// or words in a column of numbers, comes last, as do the rows set aside in a column that parts them

function sorted(cell, number) {
  const said = (cell.querySelector("bdi") ?? cell.firstChild)?.textContent.trim();
  const none = !said || said === "\u2013" || (number && Number.isNaN(Number(said)));
  return cell.dataset.value ?? (none ? undefined : said);
}

function sortBy(table, column, down) {
  const body = table.tBodies[0];
  const head = table.tHead.rows[0].cells[column];
  const isNumber = head.classList.contains("number");
  const value = (row) => sorted(row.cells[column], isNumber);
  const parted = "aside" in head.dataset;
  const aside = (row) => parted && "aside" in row.dataset;
  const number = (text) => (text === undefined || text === "" ? NaN : Number(text));
  const rows = [...body.rows];
  const numeric = rows.every((row) => value(row) === undefined || !Number.isNaN(number(value(row))));
  const order = (a, b) => (numeric ? number(a) - number(b) : a.localeCompare(b));
  rows.sort((one, other) => {
    if (aside(one) !== aside(other)) return aside(one) - aside(other);
    const [a, b] = [value(one), value(other)];
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    return down ? order(b, a) : order(a, b);
  });
  body.append(...rows);
  table.classList.toggle("mixed", !parted);
}

for (const table of document.querySelectorAll("table.sorted")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = head.querySelector("button");
    button.addEventListener("click", () => {
      const first = head.dataset.first ?? (head.classList.contains("number") ? "descending" : "ascending");
      const other = first === "ascending" ? "descending" : "ascending";
      const next = head.getAttribute("aria-sort") === first ? other : first;
      for (const one of table.tHead.rows[0].cells) one.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", next);
      sortBy(table, column, next === "descending");
    });
  });
}

// -- choosing: each control names in data-by what it looks at; an item is shown where all of them say so

function wordsOf(text) {
  const copy = text.cloneNode(true);
  for (const kind of copy.querySelectorAll("small")) kind.remove();
  return copy.textContent;
}

function chosen(item, control) {
  const wanted = control.value;
  if (!wanted) return true;
  if (control.type === "search") {
    const said = [...item.querySelectorAll("bdi, .text, .tagged")].map(wordsOf).join(" ").toLowerCase();
    return wanted.toLowerCase().split(/\s+/).every((word) => said.includes(word));
  }
  const has = item.dataset[control.dataset.by] ?? "";
  return control.dataset.many !== undefined ? has.split(" ").includes(wanted) : has === wanted;
}

for (const form of document.querySelectorAll("form.choose")) {
  const items = () => document.querySelectorAll(form.dataset.items);
  const controls = [...form.querySelectorAll("select:not([data-columns]), input[type=search]")];
  const columns = form.querySelector("select[data-columns]");
  const table = columns && document.querySelector(columns.dataset.columns);
  const told = form.querySelector("output");
  const choose = () => {
    let count = 0;
    for (const item of items()) {
      const wanted = controls.every((control) => chosen(item, control));
      item.hidden = !wanted || Boolean(table && !scored(table, item, columns.value));
      count += !item.hidden;
    }
    if (table) showColumns(table, columns.value);
    if (told) told.value = `${count} of ${items().length} shown`;
  };
  form.addEventListener("input", choose);
  form.addEventListener("submit", (event) => event.preventDefault());
  choose();
}

function scored(table, row, group) {
  const heads = [...table.tHead.rows[0].cells];
  return !group || heads.some((head, column) => head.dataset.group === group && sorted(row.cells[column], true));
}

// of a group, what is of all tasks would be read as the group's
function showColumns(table, group) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const hidden = Boolean(group && column > 0 && head.dataset.group !== group);
    for (const row of table.rows) row.cells[column].hidden = hidden;
  });
}

// -- offensive texts: blurred for the eye and silent for a screen reader until they are asked for

const reveal = document.getElementById("reveal");
if (reveal) {
  const hide = () => {
    for (const text of document.querySelectorAll(".text, .tagged")) text.ariaHidden = reveal.checked ? null : "true";
  };
  reveal.addEventListener("change", hide);
  hide();
}

// -- paper shows what is folded

addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details.part")) part.open = true;
});
