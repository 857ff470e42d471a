"use strict";
(() => {
  const { planes, labels } = JSON.parse(document.getElementById("content").textContent);
  const places = [...document.querySelectorAll(".plot")];
  const key = document.getElementById("key");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const SHAPES = {
    circle: "<circle cx='5' cy='5' r='5'/>",
    square: "<rect width='10' height='10'/>",
    "triangle-up": "<path d='M5 0 10 10H0Z'/>",
  };
  let chosen = new Set();

  const by = () => document.querySelector("input[name=colour]:checked").value;

  const traces = (plane) => {
    const { hovers, colours, symbols, codes } = labels[by()];
    const lit = (code) => chosen.size === 0 || chosen.has(code);
    const size = Math.min(8, Math.max(4, 160 / Math.sqrt(codes.length)));
    const trace = (rows, look, more) => ({
      type: "scatter", mode: "markers", showlegend: false,
      x: rows.map((row) => plane.x[row]), y: rows.map((row) => plane.y[row]),
      marker: { size, line: { width: 0 }, ...look(rows.map((row) => codes[row])) }, ...more,
    });
    const rows = codes.map((_, row) => row);
    const grey = dark.matches ? "#2f3a46" : "#dfe3e8";
    return [
      trace(rows.filter((row) => !lit(codes[row])), () => ({ color: grey }), { hoverinfo: "skip" }),
      trace(
        rows.filter((row) => lit(codes[row])),
        (mine) => ({
          color: mine.map((code) => colours[code]), opacity: 0.75,
          symbol: mine.map((code) => symbols[code]),
        }),
        {
          text: rows.filter((row) => lit(codes[row])).map((row) =>
            `${labels.stage.hovers[labels.stage.codes[row]]}, ` +
            `${labels.subject.hovers[labels.subject.codes[row]]}`),
          hovertemplate: "%{text}<extra></extra>",
        }),
    ];
  };

  const layout = (plane) => {
    const grid = dark.matches ? "#2c3642" : "#e3e7ec";
    const axis = (number) => ({
      title: { text: `${plane.axis} ${number}` }, gridcolor: grid, zeroline: false,
      showticklabels: plane.ticks, nticks: 6,
    });
    return {
      margin: { l: plane.ticks ? 56 : 32, r: 8, t: 8, b: plane.ticks ? 44 : 32 },
      xaxis: axis(1), yaxis: { ...axis(2), scaleanchor: "x" },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: {
        color: getComputedStyle(document.body).color, size: 12,
        family: getComputedStyle(document.body).fontFamily,
      },
    };
  };

  const draw = () => {
    const options = { responsive: true, displayModeBar: false };
    planes.forEach((plane, n) => Plotly.react(places[n], traces(plane), layout(plane), options));
  };

  const entry = (name, code) => {
    const { colours, symbols, counts } = labels[by()];
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.innerHTML = `<svg viewBox="0 0 10 10" aria-hidden="true">${SHAPES[symbols[code]]}</svg>`;
    button.firstChild.style.fill = colours[code];
    const count = document.createElement("span");
    count.className = "soft";
    count.textContent = counts[code].toLocaleString("en");
    button.append(name, count);
    button.addEventListener("click", () => {
      if (!chosen.delete(code)) chosen.add(code);
      button.setAttribute("aria-pressed", String(chosen.has(code)));
      draw();
    });
    return button;
  };

  const colour = () => {
    chosen = new Set();
    key.replaceChildren(...labels[by()].names.map(entry));
    draw();
  };

  if (planes.length === 0) return;
  document.querySelector("form").addEventListener("change", colour);
  dark.addEventListener("change", draw);
  colour();
})();
