"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const figures = read("figures"), numbers = read("numbers"), themes = read("themes");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const wide = window.matchMedia("(min-width: 1120px)");
  const config = { displayModeBar: false, responsive: true, displaylogo: false };
  const NARROW = 560;  // pixels: below, a plot takes its layout for a phone
  let printing = false;

  const theme = () => (dark.matches && !printing ? themes.dark : themes.light);

  // Colours that start with @ are the page's own: light or dark.
  const coloured = (value, colours) => {
    if (typeof value === "string") return value[0] === "@" ? colours[value] ?? value : value;
    if (Array.isArray(value)) return value.map((item) => coloured(item, colours));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, coloured(item, colours)]));
  };

  const layout = (figure, width, colours) => {
    const merged = { ...figure.layout, ...(width < NARROW ? figure.narrow : {}) };
    for (const axis of Object.keys(merged).filter((key) => /^[xy]axis\d*$/.test(key))) {
      merged[axis] = {
        gridcolor: colours["@grid"], zerolinecolor: colours["@zero"], linecolor: colours["@grid"],
        fixedrange: true, ...merged[axis],
      };
      if (merged[axis].title) merged[axis].title = { ...merged[axis].title, font: { size: 13 } };
    }
    const family = getComputedStyle(document.body).fontFamily;
    return {
      ...coloured(merged, colours),
      autosize: true,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family, size: 12.5, color: colours["@text"] },
      hoverlabel: { font: { family, size: 13 } },
    };
  };

  const drawOne = (id) => {
    const place = document.getElementById(id), figure = figures[id], colours = theme();
    const shape = layout(figure, place.clientWidth, colours);
    const patches = place.clientWidth < NARROW ? figure.narrowData : [];
    const data = figure.data.map((trace, n) => ({ ...trace, ...patches[n] }));
    place.style.minHeight = shape.height + "px";
    return Plotly.react(place, coloured(data, colours), shape, config);
  };
  const draw = () => Promise.all(Object.keys(figures).map(drawOne));

  const save = (text, name, type) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  const csv = ({ columns, rows }) => {
    const cell = (value) => {
      const text = value === null ? "" : String(value);
      return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    return [columns, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
  };

  // The page may have been sent without the files beside it: what it holds, it gives itself.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-table]");
    if (link && numbers[link.dataset.table]) {
      event.preventDefault();
      save(csv(numbers[link.dataset.table]), link.download, "text/csv");
    }
    const button = event.target.closest("button[data-svg]");
    if (button) saveSvg(button.dataset.svg);
  });

  // A saved picture stands on white paper: it is drawn in the light colours.
  const svg = (id) => Plotly.toImage(
    { data: coloured(figures[id].data, themes.light),
      layout: { ...layout({ ...figures[id], narrow: {} }, 900, themes.light), autosize: false,
                width: 900 } },
    { format: "svg", width: 900, height: figures[id].layout.height });

  const saveSvg = async (figure) => {
    const ids = Object.keys(figures).filter((id) => id.replace(/-\d+$/, "") === "plot-" + figure);
    for (const [n, id] of ids.entries()) {
      const text = decodeURIComponent((await svg(id)).replace(/^[^,]*,/, ""));
      save(text, figure + (ids.length > 1 ? `-${n + 1}` : "") + ".svg", "image/svg+xml");
    }
  };

  // Text nodes only: no name from the data is ever read as HTML.
  const fill = (details) => {
    const place = details.querySelector(".scroll"), table = numbers[details.dataset.table];
    if (place.firstChild) return;
    if (!table) {
      place.textContent = `Too many rows for this page: see tables/${details.dataset.table}.csv.`;
      return;
    }
    const made = document.createElement("table");
    const head = made.createTHead().insertRow(), body = made.createTBody();
    for (const column of table.columns) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = column;
      head.append(cell);
    }
    for (const row of table.rows) {
      const line = body.insertRow();
      for (const value of row) {
        const cell = line.insertCell();
        cell.textContent = value === null ? "–" : value;
        if (typeof value === "number") cell.className = "n";
      }
    }
    place.append(made);
  };
  for (const details of document.querySelectorAll("details.numbers")) {
    details.addEventListener("toggle", () => details.open && fill(details));
  }

  const contents = document.querySelector("nav details");
  const fold = () => { contents.open = wide.matches; };
  wide.addEventListener("change", fold);
  fold();
  contents.addEventListener("click", (event) => {
    if (event.target.closest("a") && !wide.matches) contents.open = false;
  });

  const links = new Map([...document.querySelectorAll("nav a")].map((a) => [a.hash.slice(1), a]));
  const mark = () => {
    const sections = [...document.querySelectorAll("main > section")];
    const passed = sections.filter((one) => one.getBoundingClientRect().top < 140);
    const current = (passed.at(-1) ?? sections[0]).id;
    for (const [id, link] of links) {
      if (id === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  document.addEventListener("scroll", mark, { passive: true });
  mark();

  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    draw();
  });
  dark.addEventListener("change", draw);
  window.addEventListener("beforeprint", () => { printing = true; draw(); });
  window.addEventListener("afterprint", () => { printing = false; draw(); });
  // `sleepsweepReport` is for whoever drives this page: when it is drawn, and a figure as SVG.
  window.sleepsweepReport = { drawn: draw().then(() => true), ids: Object.keys(figures), svg };
})();
