"use strict";
(() => {
  const night = JSON.parse(document.getElementById("content").textContent);
  const { stages, colours, hypnograms, probabilities } = night;
  const place = document.getElementById("night");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const LEVELS = ["W", "R", "N1", "N2", "N3"];
  const STACKED = ["N3", "N2", "N1", "R", "W"];
  const level = (code) => (code === null ? null : -LEVELS.indexOf(stages[code]));
  const hours = [...probabilities[0].keys(), probabilities[0].length]
    .map((n) => night.first + n * night.step);

  const two = (number) => String(number).padStart(2, "0");
  const clock = (hour) => {
    const minutes = Math.floor((night.starts + hour) * 60 + 1e-6);
    return `${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}`;
  };
  const closed = (values) => [...values, values[values.length - 1]];
  const texts = (codes) => closed(codes).map((code, n) =>
    `${clock(hours[n])}, epoch ${Math.min(n, codes.length - 1)}: ${code === null ? "no stage" : stages[code]}`);

  const rows = [...Object.keys(hypnograms), "probability"];
  const axis = (row) => (row === 0 ? "y" : `y${row + 1}`);

  const hypnogram = (name, row) => {
    const codes = hypnograms[name];
    const line = {
      type: "scatter", mode: "lines", x: hours, y: closed(codes.map(level)), yaxis: axis(row),
      line: { shape: "hv", width: 1, color: dark.matches ? "#7b8794" : "#9aa5b1" },
      text: texts(codes), hovertemplate: "%{text}<extra></extra>", showlegend: false,
    };
    const parts = stages.map((stage, code) => {
      const x = [], y = [];
      codes.forEach((own, n) => {
        if (own !== code) return;
        x.push(hours[n], hours[n + 1], null);
        y.push(level(code), level(code), null);
      });
      return {
        type: "scatter", mode: "lines", x, y, yaxis: axis(row), hoverinfo: "skip",
        // Plotly would leave out what is shorter than a few pixels.
        line: { width: 6, color: colours[code], simplify: false }, showlegend: false,
      };
    });
    return [line, ...parts];
  };

  const stack = () => STACKED.map((stage) => {
    const code = stages.indexOf(stage);
    return {
      type: "scatter", mode: "lines", stackgroup: "probabilities", x: hours,
      y: closed(probabilities[code].map((share) => share ?? 0)), yaxis: axis(rows.length - 1),
      line: { shape: "hv", width: 0 }, fillcolor: colours[code], showlegend: false,
      text: hours.map(clock), hovertemplate: `%{text}: ${stage} %{y:.0%}<extra></extra>`,
    };
  });

  const layout = () => {
    const grid = dark.matches ? "#2c3642" : "#e3e7ec";
    const style = getComputedStyle(document.body);
    const every = Math.ceil(night.ticks.length / Math.max(2, place.clientWidth / 75));
    const ticks = night.ticks.filter((_, n) => n % every === 0);
    const height = 1 / rows.length;
    const axes = Object.fromEntries(rows.map((name, row) => {
      const top = 1 - row * height;
      const shared = {
        domain: [Math.max(0, top - height + (row < rows.length - 1 ? 0.03 : 0)), top],
        title: { text: name, standoff: 6 }, fixedrange: true, zeroline: false,
      };
      const own = name === "probability"
        ? { range: [0, 1], tickformat: ".0%", nticks: 3, gridcolor: grid }
        : { range: [-4.6, 0.6], tickvals: LEVELS.map((_, n) => -n), ticktext: LEVELS, gridcolor: grid };
      return [axis(row).replace("y", "yaxis"), { ...shared, ...own }];
    }));
    return {
      margin: { l: 62, r: 12, t: 12, b: 48 },
      xaxis: {
        title: { text: night.dated ? "time of day" : "hours since the start" },
        range: [hours[0], hours[hours.length - 1]], gridcolor: grid, zeroline: false,
        tickvals: ticks.map(([hour]) => hour), ticktext: ticks.map(([, text]) => text),
        anchor: axis(rows.length - 1),
      },
      ...axes,
      hovermode: "closest", dragmode: "zoom",
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: style.color, size: 12, family: style.fontFamily },
    };
  };

  document.getElementById("key").innerHTML = LEVELS.map((stage) =>
    `<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" fill="${colours[stages.indexOf(stage)]}"/></svg>${stage}</li>`).join("");

  const draw = () => Plotly.react(
    place, [...Object.keys(hypnograms).flatMap(hypnogram), ...stack()], layout(),
    { responsive: true, displayModeBar: false });

  dark.addEventListener("change", draw);
  draw();
})();
