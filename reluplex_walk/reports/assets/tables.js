// Tables that sort: a button in each header, by click or key; numbers by their exact values.
"use strict";
(() => {
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    if (cell.classList.contains("none")) return null;
    return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent;
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number"
      ? (a > b) - (a < b)
      : String(a).localeCompare(String(b), undefined, { numeric: true });

  const sort = (table, header) => {
    const column = header.cellIndex;
    const down = header.getAttribute("aria-sort") === "ascending";
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => [keyOf(row, column), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null); // missing ones last
      return down ? compare(b, a) : compare(a, b);
    });
    body.append(...rows.map(([, row]) => row));
    for (const other of header.parentElement.cells) other.setAttribute("aria-sort", "none");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("table.sortable th[aria-sort] button");
    if (button) sort(button.closest("table"), button.closest("th"));
  });
})();
