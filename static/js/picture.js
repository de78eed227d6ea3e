// Pictures of a page as PNG: twice as fine as on the screen, the title above, what explains them below.
"use strict";
const MARGIN = 12; // pixels

// What a colour of ours is in the present theme, as a canvas knows it.
function colourOf(token) {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

// A text in lines that are at most so wide; a word that is wider stands alone.
function wrapped(text, room, pen) {
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length && pen.measureText(longer).width <= room) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

// Draw an SVG (its address) and lines of text, each with the stroke that it explains, if any; then offer it as a file.
async function savePicture({ source, title, width, height, lines = [] }) {
  const TITLE = 40, LINE = 24, SAMPLE = 22;
  const picture = Object.assign(new Image(), { src: source });
  await picture.decode();
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d"), { fontFamily } = getComputedStyle(document.body);
  const font = `14px ${fontFamily}`, left = (line) => (line.stroke ? MARGIN + SAMPLE + 8 : MARGIN);
  pen.font = font;
  const told = lines.flatMap((line) => wrapped(line.text, width - left(line) - MARGIN, pen).map((text, number) => ({ ...line, text, isFirst: !number })));
  const whole = height + TITLE + (told.length ? MARGIN + LINE * told.length : 0);
  Object.assign(canvas, { width: 2 * width, height: 2 * whole });
  pen.scale(2, 2);
  pen.fillStyle = colourOf("--paper");
  pen.fillRect(0, 0, width, whole);
  pen.fillStyle = colourOf("--ink");
  pen.font = `600 16px ${fontFamily}`;
  pen.fillText(title, MARGIN, 26, width - 2 * MARGIN);
  pen.drawImage(picture, 0, TITLE, width, height);
  pen.font = font;
  told.forEach((line, number) => {
    const base = TITLE + height + MARGIN / 2 + LINE * number + 16;
    if (line.stroke && line.isFirst) {
      pen.strokeStyle = line.stroke.colour;
      pen.lineWidth = 2;
      pen.setLineDash(line.stroke.isDashed ? [4, 4] : []);
      pen.beginPath();
      pen.moveTo(MARGIN, base - 5);
      pen.lineTo(MARGIN + SAMPLE, base - 5);
      pen.stroke();
    }
    pen.fillText(line.text, left(line), base, width - left(line) - MARGIN);
  });
  const link = Object.assign(document.createElement("a"), { download: `${title.replace(/[^\p{L}\p{N} _-]+/gu, "")}.png` });
  link.href = URL.createObjectURL(await new Promise((done) => { canvas.toBlob(done); }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

// A curve of the page as it looks: an image of its own knows nothing of our style sheets, so each part takes its style along.
function saveCurve(figure, title) {
  const DRAWN = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "vector-effect", "overflow", "font-family", "font-size", "text-anchor", "dominant-baseline"];
  const picture = figure.querySelector(".curve-picture"), svg = picture.querySelector("svg"), copy = svg.cloneNode(true);
  const copies = copy.querySelectorAll("*");
  svg.querySelectorAll("*").forEach((part, number) => {
    const style = getComputedStyle(part);
    DRAWN.forEach((name) => copies[number].setAttribute(name, style.getPropertyValue(name)));
  });
  const sheet = document.createElementNS("http://www.w3.org/2000/svg", "svg"), whole = picture.getBoundingClientRect(), { left, top, width, height } = svg.getBoundingClientRect();
  const size = { width: whole.width + 2 * MARGIN, height: whole.height };
  const put = (part, values) => Object.entries(values).forEach(([name, value]) => part.setAttribute(name, value));
  put(copy, { x: MARGIN + left - whole.left, y: top - whole.top, width, height, overflow: "visible" });
  put(sheet, size);
  sheet.append(copy);
  const keys = [...figure.querySelectorAll("[data-key]")].map((key) => {
    const sample = getComputedStyle(key, "::before");
    return { text: key.textContent, stroke: { colour: sample.borderTopColor, isDashed: sample.borderTopStyle === "dashed" } };
  });
  const said = [svg.getAttribute("aria-label"), figure.querySelector("[data-said]")?.textContent].filter(Boolean).map((text) => ({ text }));
  const source = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(sheet))}`;
  return savePicture({ source, title, ...size, lines: [...keys, ...said] });
}

document.querySelectorAll("[data-curve-png]").forEach((button) => { button.hidden = false; });
document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-curve-png]");
  if (button) saveCurve(document.getElementById(button.dataset.curvePng), button.dataset.title);
});

// A part that is swapped has its table as the reader left it: open, scrolled, and with the focus, which htmx can give to
// nothing in a closed one.
let tableLeft = null;
document.addEventListener("htmx:beforeSwap", () => {
  const rows = document.getElementById("curve-rows");
  tableLeft = rows?.parentElement.open ? { left: rows.scrollLeft, top: rows.scrollTop, isFocused: rows === document.activeElement } : null;
});
document.addEventListener("htmx:afterSwap", () => {
  const rows = document.getElementById("curve-rows");
  if (!tableLeft || !rows) return;
  rows.parentElement.open = true;
  rows.scrollTo(tableLeft.left, tableLeft.top);
  if (tableLeft.isFocused) rows.focus({ preventScroll: true });
});
