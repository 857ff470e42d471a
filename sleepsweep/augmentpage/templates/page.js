"use strict";
(() => {
  const page = JSON.parse(document.getElementById("content").textContent);
  const place = document.getElementById("plot");
  const choice = document.getElementById("augmentation");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const ROW = 150, BELOW = 60, ABOVE = 30;

  const unpacked = ({ step, data }) => {
    const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
    const whole = new Int16Array(bytes.buffer);
    return Float32Array.from(whole, (count) => count * step);
  };

  const places = (count, last) =>
    Float32Array.from({ length: count }, (_, k) => (last * k) / Math.max(count - 1, 1));

  // The first axis of a plot has no number.
  const numbered = (letter, axis) => letter + (axis === 1 ? "" : axis);

  const lines = (drawn, row, colour, name) =>
    [["trace", 2 * row + 1, page.duration_s], ["spectrum", 2 * row + 2, page.highest_hz]].map(
      ([part, axis, last]) => {
        const y = unpacked(drawn[part]);
        return {
          type: "scatter", mode: "lines", name, x: places(y.length, last), y,
          xaxis: numbered("x", axis), yaxis: numbered("y", axis), line: { color: colour, width: 1 },
          hovertemplate: part === "trace" ? "%{x:.2f} s, %{y:.1f} µV" : "%{x:.2f} Hz, %{y:.1f} dB",
        };
      });

  const layout = (settings) => {
    const grid = dark.matches ? "#2c3642" : "#e3e7ec";
    const text = getComputedStyle(document.body).color;
    const rows = settings.length;
    const whole = {
      showlegend: false, height: ROW * rows + BELOW + ABOVE, annotations: [],
      margin: { l: 60, r: 10, t: ABOVE, b: BELOW },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: text, size: 12, family: getComputedStyle(document.body).fontFamily },
    };
    settings.forEach((setting, row) => {
      const domain = [1 - (row + 0.82) / rows, 1 - row / rows];
      const bottom = row === rows - 1;
      [["Time (s)", "µV", [0, 0.66]], ["Frequency (Hz)", "dB (µV²/Hz)", [0.74, 1]]].forEach(
        ([across, up, width], side) => {
          const axis = 2 * row + side + 1;
          whole[numbered("xaxis", axis)] = {
            domain: width, anchor: numbered("y", axis), gridcolor: grid, zeroline: false,
            showticklabels: bottom, matches: row ? numbered("x", side + 1) : undefined,
            title: bottom ? { text: across } : undefined,
          };
          whole[numbered("yaxis", axis)] = {
            domain, anchor: numbered("x", axis), gridcolor: grid, zeroline: false,
            title: { text: up }, matches: row ? numbered("y", side + 1) : undefined,
          };
        });
      whole.annotations.push({
        text: setting, showarrow: false, xref: "paper", yref: "paper", x: 0, y: domain[1],
        xanchor: "left", yanchor: "bottom",
      });
    });
    return whole;
  };

  const draw = () => {
    const name = choice.value;
    const stage = document.querySelector("input[name=stage]:checked").value;
    const { settings, views } = page.augmented[name];
    const data = views[stage].flatMap((view, row) => [
      ...lines(page.original[stage], row, "#8a8f98", "original"),
      ...lines(view, row, "#d55e00", "augmented"),
    ]);
    for (const about of document.querySelectorAll(".about")) {
      about.hidden = about.dataset.name !== name;
    }
    Plotly.react(place, data, layout(settings), { responsive: true, displayModeBar: false });
  };

  document.querySelector("form").addEventListener("change", draw);
  dark.addEventListener("change", draw);
  draw();
})();
