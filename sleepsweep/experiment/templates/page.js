"use strict";
(() => {
  const { courses } = JSON.parse(document.getElementById("content").textContent);
  const places = [...document.querySelectorAll(".plot")];
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const COLOURS = ["#0072B2", "#E69F00"];

  const traces = ({ steps, lines }) => Object.entries(lines).map(([name, y], n) => ({
    type: "scatter", mode: "lines+markers", name, x: steps, y,
    line: { color: COLOURS[n] }, yaxis: name.includes("F1") ? "y2" : "y",
  }));

  const layout = ({ lines }) => {
    const grid = dark.matches ? "#2c3642" : "#e3e7ec";
    const style = getComputedStyle(document.body);
    const second = Object.keys(lines).some((name) => name.includes("F1"));
    return {
      margin: { l: 52, r: 12, t: 8, b: 44 },
      xaxis: { title: { text: "optimiser step" }, gridcolor: grid, rangemode: "tozero" },
      yaxis: { title: { text: "loss" }, gridcolor: grid, nticks: 6, automargin: true },
      // Plotly throws where an axis is there but undefined.
      ...(second && { yaxis2: {
        title: { text: "macro-F1" }, overlaying: "y", side: "right", showgrid: false, nticks: 6,
        automargin: true, tickformat: ".2f",
      } }),
      legend: { orientation: "h", y: 1.15 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: style.color, size: 12, family: style.fontFamily },
    };
  };

  const draw = () => {
    const options = { responsive: true, displayModeBar: false };
    courses.forEach((course, n) => Plotly.react(places[n], traces(course), layout(course), options));
  };

  dark.addEventListener("change", draw);
  draw();
})();
