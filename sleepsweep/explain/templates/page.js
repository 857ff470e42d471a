"use strict";
(() => {
  const content = JSON.parse(document.getElementById("content").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const KINDS = ["bands", "windows"];

  const chosen = () => document.querySelector("input[name=measure]:checked").value;
  const digits = () => (chosen() === "log_odds" ? 2 : 1);
  // Nothing is said to be minus nothing.
  const signed = (text) => (Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−"));
  const said = (value) => (value === null ? "–" : signed(value.toFixed(digits())));
  const covers = (low, high) => low !== null && low <= 0 && high >= 0;
  const interval = (low, high) => (low === null ? "no interval" : `${said(low)} to ${said(high)}`);
  const stageName = (stage) => (stage === "all" ? "all stages" : stage);

  const cells = ({ stages, measures }, make) => {
    const [values, lows, highs] = measures[chosen()];
    return stages.map((_, row) => values[row].map((value, column) =>
      make(value, lows[row][column], highs[row][column], row, column)));
  };

  // On a phone a cell is as wide as three letters.
  const axisName = (stage, narrow) => (narrow ? stage : stageName(stage));

  const trace = (map, narrow) => {
    const { names, labels, stages, changed, measures } = map;
    const unit = chosen() === "log_odds" ? "" : " points";
    const most = Math.max(...measures[chosen()][0].flat().map((value) => Math.abs(value ?? 0)), 1e-6);
    const middle = dark.matches ? "#1b232c" : "#f4f6f8";
    const full = dark.matches ? ["#f0a33c", "#5fb2ea"] : ["#b45f00", "#004b78"];
    return {
      type: "heatmap", x: names, y: stages.map((stage) => axisName(stage, narrow)), z: measures[chosen()][0],
      zmin: -most, zmax: most, xgap: 2, ygap: 2, showscale: false,
      colorscale: [[0, full[0]], [0.5, middle], [1, full[1]]],
      text: cells(map, (value, low, high) => (covers(low, high) ? `(${said(value)})` : said(value))),
      texttemplate: narrow && names.length > 8 ? "" : "%{text}",
      textfont: { size: narrow ? 10 : 12 },
      customdata: cells(map, (value, low, high, row, column) =>
        `${said(value)}${unit} (${interval(low, high)})<br>${changed[row][column]} % of the epoch’s energy`),
      hovertemplate: "%{y} without %{x}<br>%{customdata}<extra></extra>",
    };
  };

  const layout = ({ names, labels, stages }, narrow) => {
    const style = getComputedStyle(document.body);
    const own = names[0] === labels[0];
    const shown = own ? names.map((name) => name.split("–")[0])
      : names.map((name, n) => (narrow ? name : `${name}<br>${labels[n]}`));
    return {
      margin: { l: narrow ? 34 : 84, r: 8, t: 8, b: own ? 44 : narrow ? 56 : 52 },
      xaxis: {
        tickvals: names, ticktext: shown, fixedrange: true, showgrid: false, zeroline: false,
        tickangle: narrow && !own ? -45 : 0, title: { text: own ? "seconds, start of the window" : "" },
        tickfont: { size: narrow ? 10 : 12 },
      },
      yaxis: { autorange: "reversed", fixedrange: true, showgrid: false, zeroline: false,
        tickvals: stages.map((stage) => axisName(stage, narrow)) },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: style.color, size: 12, family: style.fontFamily },
    };
  };

  const element = (tag, text, attributes = {}) => {
    const made = document.createElement(tag);
    made.textContent = text;
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    return made;
  };

  const fill = (table, map) => {
    const { names, labels, stages } = map;
    const head = document.createElement("tr");
    head.append(element("th", "Without", { scope: "col" }),
      ...stages.map((stage) => element("th", stageName(stage), { scope: "col", class: "number" })));
    const told = cells(map, (value, low, high) => `${said(value)} (${interval(low, high)})`);
    const rows = names.map((name, column) => {
      const row = document.createElement("tr");
      const words = name === labels[column] ? name : `${name}, ${labels[column]}`;
      row.append(element("th", words, { scope: "row" }),
        ...stages.map((_, n) => element("td", told[n][column], { class: "number" })));
      return row;
    });
    const parts = ["thead", "tbody"].map((tag) => document.createElement(tag));
    parts[0].append(head);
    parts[1].append(...rows);
    table.replaceChildren(...parts);
  };

  const draw = () => {
    const narrow = document.body.clientWidth < 600;
    for (const kind of KINDS) {
      const map = content[kind];
      const options = { responsive: true, displayModeBar: false };
      Plotly.react(document.getElementById(kind), [trace(map, narrow)], layout(map, narrow), options);
      fill(document.getElementById(`${kind}-table`), map);
    }
  };

  document.querySelector("form").addEventListener("change", draw);
  window.addEventListener("resize", draw);
  dark.addEventListener("change", draw);
  draw();
})();
