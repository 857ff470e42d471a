"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const config = { displayModeBar: false, responsive: true, displaylogo: false };
  let printing = false;

  const theme = () => {
    const paper = !dark.matches || printing;
    return paper
      ? { text: "#1f2933", grid: "#e3e7ec", zero: "#7b8794" }
      : { text: "#dde3ea", grid: "#2c3642", zero: "#8a96a3" };
  };

  const layout = (figure, width) => {
    const colour = theme();
    const merged = { ...figure.layout, ...(width < 620 ? figure.narrow : {}) };
    for (const axis of ["xaxis", "yaxis", "yaxis2"]) {
      if (!merged[axis]) continue;
      merged[axis] = {
        gridcolor: colour.grid, zerolinecolor: colour.zero, linecolor: colour.grid,
        fixedrange: true, ...merged[axis],
      };
      if (merged[axis].title) merged[axis].title = { ...merged[axis].title, font: { size: 13 } };
    }
    const family = getComputedStyle(document.body).fontFamily;
    return {
      ...merged,
      autosize: true,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family, size: 13, color: colour.text },
      hoverlabel: { font: { family, size: 13 } },
    };
  };

  const draw = () => {
    for (const [id, figure] of Object.entries(figures)) {
      const place = document.getElementById("plot-" + id);
      const shape = layout(figure, place.clientWidth);
      place.style.minHeight = shape.height + "px";
      Plotly.react(place, figure.data, shape, config);
    }
  };

  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    draw();
  });
  dark.addEventListener("change", draw);
  window.addEventListener("beforeprint", () => { printing = true; draw(); });
  window.addEventListener("afterprint", () => { printing = false; draw(); });
  draw();
})();
