// Draws the charts of a page with Plotly, in the colours of the page. Data stand in a json_script element beside each chart.
(() => {
  "use strict";

  // Tokens may be light-dark(): an element wearing the colour says what it is now.
  const probe = document.createElement("span");
  const colour = (name) => {
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };

  const layout = (chart, data) => ({
    // a line where another network begins: nothing leads over from the one before
    shapes: data.begins.map((x) => ({ type: "line", x0: x, x1: x, y0: 0, y1: 1, yref: "paper", line: { color: colour("--line-strong"), width: 1 } })),
    margin: { l: 52, r: 12, t: 8, b: 40 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("--ink-soft"), family: "inherit", size: 13 },
    xaxis: { title: { text: chart.dataset.x }, gridcolor: colour("--line"), zeroline: false },
    yaxis: { title: { text: chart.dataset.y }, gridcolor: colour("--line"), zeroline: false },
    legend: { orientation: "h", y: 1.12 },
    separators: `${chart.dataset.decimal}\u202f`, // decimals and thousands as the reader writes them
    height: 260,
  });

  const draw = {
    loss: (chart, data) => ["training", "validation"].map((name) => ({
      x: data.round,
      y: data[name],
      text: data.name,
      hovertemplate: `%{text}<br>${chart.dataset.x} %{x}: %{y}`,
      name: chart.dataset[name],
      mode: "lines",
      line: { color: colour(name === "training" ? "--ink-soft" : "--accent"), width: 2 },
    })),
  };

  const drawAll = () => document.querySelectorAll("[data-chart]").forEach((chart) => {
    const data = JSON.parse(document.getElementById(chart.dataset.source).textContent);
    window.Plotly.react(chart, draw[chart.dataset.chart](chart, data), layout(chart, data), { displayModeBar: false, responsive: true });
  });

  addEventListener("DOMContentLoaded", drawAll);
  new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
})();
