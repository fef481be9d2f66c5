"use strict";
// What the page adds where scripts run: sorting and filtering (DataTables), records and figures
// in a window, and the choice of light or dark. Without it everything is still there to read.
(() => {
  const root = document.documentElement;

  // ---- light or dark
  const theme = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const kept = (value) => {
    try {
      if (value === undefined) return localStorage.getItem("theme");
      localStorage.setItem("theme", value);
    } catch { /* a file may not be allowed to keep anything */ }
    return null;
  };
  const show = (name) => {
    if (name) root.dataset.theme = name;
    const dark = name ? name === "dark" : system.matches;
    theme.setAttribute("aria-pressed", String(dark));
  };
  show(kept());
  system.addEventListener("change", () => show(root.dataset.theme));
  theme.addEventListener("click", () => {
    const name = theme.getAttribute("aria-pressed") === "true" ? "light" : "dark";
    kept(name);
    show(name);
  });
  theme.hidden = false;

  // ---- the window for records and figures
  const dialog = document.getElementById("window");
  const title = document.getElementById("window-title");
  const content = dialog.querySelector(".content");
  const open = (name, nodes, kind) => {
    title.textContent = name;
    dialog.className = kind;
    content.replaceChildren(...nodes);
    if (!dialog.open) dialog.showModal();
    content.scrollTop = 0;
    title.focus();
  };
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // the backdrop
    const link = event.target.closest("a[href^='#']");
    if (link) {
      event.preventDefault();
      dialog.close();
      location.hash = link.hash;
    }
  });

  const cards = [...document.querySelectorAll("#records .card")];
  const copy = (number) => {
    const card = cards[number - 1].cloneNode(true);
    card.querySelectorAll("[id]").forEach((node) => node.removeAttribute("id"));
    return card;
  };
  const words = (node) => node.textContent.trim().replace(/\s+/g, " ");
  const where = (link) => {
    const cell = link.closest("td, th");
    if (!cell) return words(link.closest(".picture, section").querySelector("h3, h2"));
    const row = words(cell.parentNode.cells[0].querySelector("a") || cell.parentNode.cells[0]);
    if (cell.cellIndex === 0) return row;
    const heads = [...cell.closest("table").tHead.rows].at(-1).cells;
    return `${row}, ${words(heads[cell.cellIndex])}: ${words(link)}`;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-r]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const numbers = link.dataset.r.split(" ").map(Number);
    const found = numbers.map(copy);
    found[0].open = true;
    const count = numbers.length === 1 ? "1 record" : `${numbers.length} records`;
    open(`${where(link)}: ${count}`, found, "records");
  });

  document.querySelectorAll("button.zoom").forEach((button) => {
    button.addEventListener("click", () => {
      const image = button.querySelector("img").cloneNode();
      image.loading = "eager";
      open(button.getAttribute("aria-label").replace("Enlarge: ", ""), [image], "picture");
    });
  });

  // ---- the list of sections is folded where it would push the page down
  if (matchMedia("(max-width: 70rem)").matches) {
    document.querySelector("nav details").open = false;
  }

  // ---- tables
  const strip = (cell) => (typeof cell === "string" ? cell.replace(/<[^>]*>/g, " ") : cell);
  const blankLast = (compare) => (a, b) => {
    if (a === "" || b === "") return a === b ? 0 : a === "" ? 1 : -1;
    return compare(a, b);
  };
  const types = {
    value: (a, b) => a - b,
    words: (a, b) => a.localeCompare(b, undefined, { numeric: true }),
  };
  for (const [name, compare] of Object.entries(types)) {
    DataTable.type(name, {
      order: { asc: blankLast(compare), desc: blankLast((a, b) => compare(b, a)) },
      search: strip,
    });
  }
  DataTable.ext.errMode = "throw";
  document.querySelectorAll("table.grid").forEach((grid) => {
    if (grid.tBodies[0].rows.length < 2) return;
    const table = new DataTable(grid, {
      paging: false,
      autoWidth: false,
      order: [],
      layout: { topStart: null, topEnd: null, bottomStart: null, bottomEnd: null },
      language: {
        zeroRecords: "No row holds all of these words.",
        aria: { orderable: ": sort", orderableRemove: ": remove sorting", orderableReverse: ": sort the other way" },
      },
    });
    grid.tHead.addEventListener("keydown", (event) => {
      if (event.key !== " " || !event.target.matches("[role=button]")) return;
      event.preventDefault(); // the space bar presses buttons too, here as elsewhere
      event.target.click();
    });
    const filter = grid.closest(".table").querySelector(".filter");
    if (!filter) return;
    const count = filter.querySelector(".count");
    filter.hidden = false;
    filter.querySelector("input").addEventListener("input", (event) => {
      table.search(event.target.value).draw();
      const { recordsDisplay, recordsTotal } = table.page.info();
      count.textContent = event.target.value ? `${recordsDisplay} of ${recordsTotal} rows` : "";
    });
  });
})();
