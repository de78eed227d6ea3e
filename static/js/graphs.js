// Draws figures (dashboards/drawing/figure.py) with Plotly in the page's colours; drag and drop of what can be ordered.
// Stands before plotly.min.js in the page, see templates/components/_graph_scripts.html.
(() => {
  "use strict";

  // Plotly writes two style sheets into the page by itself, its own and that of its maps, unless it finds these elements.
  // Our CSP would refuse them; charts.css has the rules that are needed. The second name may change with Plotly's version.
  for (const id of ["plotly.js-style-global", "9f215cf04c5486422605d13261cb87401f4e7763b6296af81e98efbc0130da53"]) {
    if (document.getElementById(id)) continue;
    const mark = Object.assign(document.createElement("div"), { id, className: "no-inline-styles", hidden: true });
    document.body.append(mark);
  }

  // Plotly also writes style attributes, which our CSP refuses, too; through `style` the same is allowed.
  const setAttribute = SVGElement.prototype.setAttribute;
  SVGElement.prototype.setAttribute = function set(name, value) {
    if (name === "style") this.style.cssText = value;
    else setAttribute.call(this, name, value);
  };

  const NARROW = 560; // pixels, below which legends stand under the picture
  const FACET = 140; // pixels: pictures side by side are at least that wide, and scroll
  const NEAR = "600px 0px"; // what is further from the screen is not drawn yet
  const figures = new WeakMap(); // element -> the figure as it was sent, and the script it was read from
  const widths = new WeakMap(); // element -> for how many pixels it was drawn
  const opened = new Set(); // tables that stay open when their part of the page is swapped

  // Colours: "@0", "@0/0.45", "@ink" and "@scale" stand for the page's own.
  let known = { theme: null, colours: new Map() }; // asking the browser takes a millisecond, and a figure asks a hundred times
  const colour = (token) => {
    const theme = document.documentElement.dataset.bsTheme;
    if (known.theme !== theme) known = { theme, colours: new Map() };
    if (!known.colours.has(token)) known.colours.set(token, colourOf(token));
    return known.colours.get(token);
  };
  const WORDS = { ink: "--ink", soft: "--ink-soft", line: "--line", paper: "--paper" };
  const palette = () => {
    const mixed = new Map();
    return (token) => {
      if (token === "@scale") return [0, 1, 2, 3].map((step) => [step / 3, colour(`--scale-${step}`)]);
      const [, name, opacity] = /^@(\w+)(?:\/([\d.]+))?$/.exec(token) || [];
      if (!name) return token;
      if (!mixed.has(token)) {
        const whole = colour(WORDS[name] || `--c${name % 8}`);
        mixed.set(token, opacity ? `rgba(${whole.match(/[\d.]+/g).slice(0, 3).join(", ")}, ${opacity})` : whole);
      }
      return mixed.get(token);
    };
  };

  // A copy with the page's colours in place of the tokens. Only where colours stand: a label may look like a token.
  const coloured = (part, paint, isColour = false) => {
    if (typeof part === "string") return isColour && part.startsWith("@") ? paint(part) : part;
    if (Array.isArray(part)) return isColour || typeof part[0] === "object" ? part.map((item) => coloured(item, paint, isColour)) : part;
    if (part === null || typeof part !== "object") return part;
    return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, coloured(value, paint, /color(scale)?$/.test(name))]));
  };

  // The page's style, below what the figure says itself.
  const NUMBERS = { exponentformat: "SI", minexponent: 6 }; // 20 000, but 5M
  const TITLE_FONT = { font: { size: 13 } };
  const axisOf = (axis, isNarrow) => ({
    ...NUMBERS, gridcolor: colour("--line"), automargin: true, zeroline: false, minorloglabels: "complete",
    showgrid: axis.showticklabels !== false || "matches" in axis, // none behind the distributions beside a picture
    ...(axis.type === "log" ? { nticks: isNarrow ? 4 : 8, ...(isNarrow ? { minorloglabels: "small digits" } : {}) } : {}), // else so many that they are turned
    ...axis, title: { standoff: 10, ...TITLE_FONT, ...axis.title },
  });
  const barOf = (bar, isNarrow, y) => ({
    ...NUMBERS, thickness: 12, outlinewidth: 0, ...bar, title: { side: isNarrow ? "top" : "right", ...TITLE_FONT, ...bar?.title },
    ...(isNarrow ? { orientation: "h", x: 0.5, xanchor: "center", y, yanchor: "bottom", ypad: 0, len: 0.9 } : {}),
  });
  const ABOVE = 1.02, ABOVE_TITLES = 1.12; // where a lying bar stands, in heights of the picture
  const LEGENDS = { // on a phone that of colours stands below the picture, that of symbols above it
    legend: { orientation: "h", x: 0, y: 0, yref: "container", yanchor: "bottom" },
    legend2: { orientation: "h", x: 0, y: 1, yref: "container", yanchor: "top" },
  };

  const heightOf = (layout, width) => (layout.height || (width < NARROW ? 340 : 420)) + (width < NARROW && layout.showlegend ? 60 : 0);
  const layoutOf = (layout, element, width, hasBar) => {
    const isNarrow = width < NARROW, styled = { ...layout };
    const across = new Set();
    for (const name of new Set([...Object.keys(layout), "xaxis", "yaxis"])) {
      if (/^[xy]axis/.test(name)) styled[name] = axisOf(layout[name] || {}, isNarrow);
      if (/^xaxis/.test(name)) across.add(String(layout[name]?.domain));
    }
    if (layout.coloraxis) styled.coloraxis = { ...layout.coloraxis, colorbar: barOf(layout.coloraxis.colorbar, isNarrow, layout.annotations ? ABOVE_TITLES : ABOVE) };
    for (const name of ["legend", "legend2"]) styled[name] = { ...layout[name], title: { ...TITLE_FONT, ...layout[name]?.title }, ...(isNarrow ? LEGENDS[name] : {}) };
    const hasBarAbove = isNarrow && (hasBar || Boolean(layout.coloraxis));
    const facets = layout.annotations ? across.size : 1;
    return {
      ...styled,
      autosize: false, width: Math.max(width, facets * FACET), height: heightOf(layout, width),
      margin: { l: 60, r: 16, t: hasBarAbove ? 80 : layout.annotations ? 26 : 12, b: 48 }, // room for what most axes say: Plotly makes more, but draws all twice then
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colour("--ink-soft"), family: getComputedStyle(element).fontFamily, size: 13 },
      hoverlabel: { bgcolor: colour("--paper"), bordercolor: colour("--line-strong"), font: { color: colour("--ink") }, namelength: -1 },
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom", // a finger scrolls the page
    };
  };
  const traceOf = (trace, isNarrow) => ({
    ...trace,
    ...(isNarrow && trace.marker?.sizeref ? { marker: { ...trace.marker, sizeref: 3 * trace.marker.sizeref } } : {}),
    ...(trace.colorbar ? { colorbar: barOf(trace.colorbar, isNarrow, ABOVE) } : {}),
    ...(trace.marker?.colorbar ? { marker: { ...trace.marker, colorbar: barOf(trace.marker.colorbar, isNarrow, ABOVE) } } : {}),
  });

  const film = (element) => document.querySelector(`[data-graph-film="${element.id}"]`);
  const draw = (element) => {
    const width = element.clientWidth;
    if (!window.Plotly || !width || !element.isConnected) return null;
    element.style.minHeight = "";
    if (!element.layout) element.replaceChildren();
    // Plotly leaves remains of a colour bar that lies down or stands up.
    if ((widths.get(element) || width) < NARROW !== width < NARROW) window.Plotly.purge(element);
    widths.set(element, width);
    const { traces, layout: { sliders, ...layout } } = coloured(figures.get(element).told, palette());
    const step = sliders && sliders[0].steps[film(element)?.querySelector("input").value || 0];
    const shown = step ? traces.map((trace, number) => ({ ...trace, visible: step.args[0].visible[number] })) : traces;
    return window.Plotly.react(element, shown.map((trace) => traceOf(trace, width < NARROW)), layoutOf(layout, element, width, shown.some((trace) => trace.colorbar || trace.marker?.colorbar)), { displayModeBar: false });
  };

  // Drawn when the reader comes near, and again when its width changes. What has no width yet, in a closed part for
  // example, is not near before it is open.
  const watch = new ResizeObserver((entries) => requestAnimationFrame(() => entries.forEach(({ target }) => {
    if (target.clientWidth !== widths.get(target)) draw(target);
  })));
  const come = (element) => {
    near.unobserve(element);
    watch.observe(element);
    return draw(element);
  };
  const near = new IntersectionObserver((entries) => entries.forEach(({ target, isIntersecting }) => {
    if (isIntersecting) come(target);
  }), { rootMargin: NEAR });
  const drawn = (isDrawn) => [...document.querySelectorAll("[data-graph]")].filter((element) => widths.has(element) === isDrawn);
  addEventListener("beforeprint", () => drawn(false).forEach(come));

  // A picture stays when its part of the page is swapped (hx-preserve): Plotly changes one in half the time that it
  // takes for a new one.
  const read = (element) => {
    const source = document.getElementById(element.dataset.source);
    if (figures.get(element)?.source === source) return;
    figures.set(element, { source, told: JSON.parse(source.textContent) });
    if (widths.has(element)) {
      draw(element);
      return;
    }
    element.style.minHeight = `${heightOf(figures.get(element).told.layout, element.clientWidth)}px`; // what stands below stays there
    near.observe(element);
  };

  const begin = (root) => {
    const each = (selector, act) => [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)].forEach(act);
    if (!window.Plotly) return; // the table stays open
    each("[data-graph]", read);
    each("[data-graph-table]", (table) => { table.open = opened.has(table.id); });
    each("[data-graph-png], [data-graph-film], [data-handle]", (part) => { part.hidden = false; });
  };
  addEventListener("DOMContentLoaded", () => begin(document));
  document.addEventListener("htmx:load", ({ detail }) => { if (detail.elt !== document.body) begin(detail.elt); });
  document.addEventListener("htmx:beforeCleanupElement", ({ target }) => {
    if (!figures.has(target)) return;
    near.unobserve(target);
    watch.unobserve(target);
    window.Plotly.purge(target);
  });
  new MutationObserver(() => drawn(true).forEach(draw)).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });

  document.addEventListener("click", ({ target }) => { // not "toggle": the browser says that of every table that comes open
    const table = target.closest("[data-graph-table] > summary")?.parentElement;
    if (table) opened[table.open ? "delete" : "add"](table.id); // as it was before
  });
  document.addEventListener("input", ({ target }) => {
    const part = target.closest("[data-graph-film]");
    if (!part) return;
    const label = target.list.options[target.value].label;
    target.setAttribute("aria-valuetext", label);
    part.querySelector("output").value = label;
    draw(document.getElementById(part.dataset.graphFilm));
  });

  // By way of SVG: Plotly's PNG needs addresses that our CSP refuses.
  const png = async (element, title) => {
    await (element.layout || come(element));
    const { width, height } = element.layout;
    const source = await window.Plotly.toImage(element, { format: "svg", width, height });
    savePicture({ source, title, width, height });
  };
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-graph-png]");
    if (button) png(document.getElementById(button.dataset.graphPng), document.getElementById(`${button.dataset.graphPng}-title`).textContent);
  });

  // Order by dragging: [data-sortable="address"] around cards with data-id, each with a [data-handle]. The address gets
  // `ids` in the new order. The others make way, so that the dragged card never leaves the page and keeps the pointer.
  let drag = null;
  const order = (list) => [...list.children].filter((card) => card.dataset.id);
  const drop = (isKept) => {
    const { list, card, before } = drag;
    drag = null;
    card.classList.remove("is-dragged");
    const ids = order(list).map((item) => item.dataset.id);
    if (ids.join() === before.map((item) => item.dataset.id).join()) return;
    if (isKept) window.htmx.ajax("POST", list.dataset.sortable, { source: list, target: list, swap: "none", values: { ids } });
    else list.append(...before);
  };
  document.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest("[data-sortable] [data-handle]");
    if (!handle || event.button) return;
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    const list = handle.closest("[data-sortable]");
    drag = { list, card: handle.closest("[data-id]"), before: order(list), passed: null };
    drag.card.classList.add("is-dragged");
  });
  document.addEventListener("pointermove", ({ clientX, clientY }) => {
    if (!drag) return;
    const { list, card } = drag, over = document.elementFromPoint(clientX, clientY)?.closest("[data-id]");
    if (clientY < 50 || clientY > innerHeight - 50) scrollBy(0, clientY < 50 ? -12 : 12);
    if (!over || over.parentElement !== list || over === drag.passed) return;
    drag.passed = over; // cards of different sizes would change places again and again
    if (over === card) return;
    const isBelow = card.compareDocumentPosition(over) & Node.DOCUMENT_POSITION_FOLLOWING;
    for (let moved; moved !== over;) {
      moved = isBelow ? card.nextElementSibling : card.previousElementSibling;
      card[isBelow ? "before" : "after"](moved);
    }
  });
  document.addEventListener("pointerup", () => { if (drag) drop(true); });
  document.addEventListener("pointercancel", () => { if (drag) drop(false); });
  document.addEventListener("keydown", ({ key }) => { if (drag && key === "Escape") drop(false); });
})();
