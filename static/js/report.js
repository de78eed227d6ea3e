// The threshold of the training report: counted anew as the slider moves, without asking the server
// (dashboards/reporting/threshold.py counts and writes the same). The picture of the costs comes from the server.
(() => {
  "use strict";
  const GROUP = "\u202f", NO_BREAK = "\u00a0", MINUS = "\u2212", MISSING = "–", PER = 1000, MOST = 1e12;

  const writer = (decimal) => {
    const number = (value, digits = 0) => {
      const [whole, part] = Math.abs(value).toFixed(digits).split(".");
      const grouped = whole.length < 5 ? whole : whole.replace(/\B(?=(\d{3})+$)/g, GROUP);
      return (value < 0 && Number(value.toFixed(digits)) ? MINUS : "") + grouped + (part ? decimal + part : "");
    };
    const percent = (share, digits = 0) => { // what is not everything is never 100 %, what is not nothing never 0 %
      const rounded = Number((100 * share).toFixed(digits)), step = 10 ** -digits;
      if (rounded === 100 && share < 1) return `>${NO_BREAK}${number(100 - step, digits)}${NO_BREAK}%`;
      if (rounded === 0 && share > 0) return `<${NO_BREAK}${number(step, digits)}${NO_BREAK}%`;
      return `${number(rounded, digits)}${NO_BREAK}%`;
    };
    return { number, percent };
  };

  // As a person types it; null for what is no number from 0 on. 1.234 could be two numbers where people write 1,5.
  const read = (text, decimal) => {
    const other = decimal === "," ? "." : ",", typed = text.replace(/\s/g, "");
    const [whole, part, ...more] = typed.split(decimal);
    const grouped = new RegExp(`^\\d{1,3}(\\${other}\\d{3})+$`);
    if (!more.length && (/^\d+$/.test(whole) || (part !== undefined && grouped.test(whole))) && /^\d*$/.test(part ?? "")) {
      const value = Number(`${whole.replaceAll(other, "")}.${part || 0}`);
      return value <= MOST ? value : null;
    }
    const [left, right, ...rest] = typed.split(other);
    const isOther = !rest.length && /^\d+$/.test(left) && /^\d+$/.test(right ?? "") && right.length !== 3;
    return isOther && Number(`${left}.${right}`) <= MOST ? Number(`${left}.${right}`) : null;
  };

  const begin = (form) => {
    const data = JSON.parse(document.getElementById(form.dataset.threshold).textContent);
    const { number, percent } = writer(data.decimal);
    const slider = form.elements.at, last = data.at.length - 1;
    const costs = { miss: 1, alarm: 1, year: null };
    const cost = (place) => (PER * ((data.positives - data.found[place]) * costs.miss + data.false[place] * costs.alarm)) / data.rows;
    const chance = (place) => (data.at[place] === null ? data.never : percent(data.at[place], 1));
    const cheapest = () => {
      let best = 0;
      for (let place = 1; place <= last; place += 1) if (cost(place) <= cost(best)) best = place;
      return best;
    };

    const take = () => { // costs that can be read; says which cannot
      for (const name of Object.keys(costs)) {
        const field = form.elements[name], isEmpty = name === "year" && !field.value.trim();
        const value = isEmpty ? null : read(field.value, data.decimal);
        const isWrong = value === null && !isEmpty;
        field.toggleAttribute("aria-invalid", isWrong);
        document.getElementById(field.getAttribute("aria-describedby")).hidden = !isWrong;
        if (!isWrong) costs[name] = value;
      }
    };
    const count = () => {
      take();
      const place = Number(slider.value), best = cheapest();
      const found = data.found[place], alarms = data.false[place];
      const counts = { found, missed: data.positives - found, false: alarms, right: data.rows - data.positives - alarms };
      const shown = {
        chance: chance(place), cost: number(cost(place), 2), cheapest: chance(best), cheapest_cost: number(cost(best), 2),
        precision: found + alarms ? percent(found / (found + alarms)) : MISSING,
        recall: data.positives ? percent(found / data.positives) : MISSING,
        year: costs.year === null ? "" : number((cost(place) * costs.year) / PER),
      };
      for (const [name, rows] of Object.entries(counts)) {
        shown[name] = number(rows);
        shown[`${name}_per`] = number((PER * rows) / data.rows);
      }
      form.querySelectorAll("[data-show]").forEach((part) => {
        const text = shown[part.dataset.show];
        if (part.textContent !== text) part.textContent = text;
      });
      form.querySelector("[data-year]").hidden = costs.year === null;
      slider.setAttribute("aria-valuetext", shown.chance);
    };
    const changed = () => {
      if (form.querySelector("[aria-invalid]")) return;
      window.htmx.trigger(form, "counted");
      document.querySelectorAll("[data-report-file]").forEach((link) => { link.search = new URLSearchParams(new FormData(form)); });
    };

    form.addEventListener("input", count);
    form.addEventListener("change", changed);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (event.submitter?.matches("[data-cheapest]")) slider.value = cheapest();
      count();
      changed();
    });
  };
  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-threshold]").forEach(begin));
})();
