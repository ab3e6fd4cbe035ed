// Draws the figures of a report page and lets its explorers redraw, with plotly.js and without a kernel or a network.
// A figure is drawn when it comes near the window, so that a long page opens at once.
(() => {
  "use strict";
  // Fewer stops for those who walk by keyboard: what is left saves the picture, and undoes a zoom with the mouse.
  const BUTTONS = ["sendChartToCloud", "zoom2d", "pan2d", "select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d"];
  const CONFIG = { displaylogo: false, responsive: true, modeBarButtonsToRemove: BUTTONS };
  const data = (id) => document.getElementById(id).textContent;

  const words = (figure) => figure.layout.meta?.alt ?? figure.layout.title?.text ?? "A figure";

  // Panels side by side need some width for their titles, and more if they have axes; so do cells with numbers.
  function leastWidth({ data, layout }) {
    const panels = new Map();
    for (const [key, axis] of Object.entries(layout)) if (key.startsWith("xaxis")) panels.set(axis.domain?.[0], axis.visible === false ? 170 : 290);
    const sum = [...panels.values()].reduce((all, width) => all + width, 0);
    const table = panels.size < 2 && data.some((trace) => trace.texttemplate || trace.mode === "text");
    return Math.max(panels.size > 1 ? Math.min(sum, 870) : 170, table ? 640 : 0);
  }

  // On a phone a figure that needs more width scrolls, and pictures become lower.
  function fitted(place, figure) {
    const { layout } = figure, least = leastWidth(figure);
    const wide = Math.max(place.clientWidth, least) / (layout.meta?.wide ?? 1);
    place.style.minHeight = 0;
    const size = { height: layout.height && layout.height * Math.min(1, Math.max(0.5, wide)) };
    return { ...layout, ...size, ...(place.clientWidth < least && { width: least }) };
  }

  // The picture has its words as its name; the place itself has buttons in it, so it is none any more.
  async function show(place, figure) {
    await Plotly.react(place, figure.data, fitted(place, figure), CONFIG);
    place.removeAttribute("role");
    place.removeAttribute("aria-label");
    place.querySelectorAll("svg.main-svg").forEach((svg, number) => {
      if (number) return svg.setAttribute("aria-hidden", "true");
      svg.setAttribute("role", "img");
      svg.setAttribute("aria-label", words(figure));
    });
  }

  // The figures of an explorer are stored as base64 of gzip of JSON; what several share is stored once.
  async function unpacked(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  function figureOf(stored, number) {
    const [traces, layout] = stored.figures[number];
    const part = (i) => JSON.parse(stored.parts[i]);
    const entries = Object.entries(layout).map(([key, i]) => [key, part(i)]);
    return { data: traces.map(part), layout: Object.fromEntries(entries) };
  }

  // Stops of all controls -> number of the figure: the last control changes fastest.
  function numberOf(inputs) {
    return inputs.reduce((number, input) => number * Number(input.dataset.stops) + stopOf(input), 0);
  }

  function stopOf(input) {
    if (input.type === "checkbox") return Number(input.checked);
    return input.tagName === "SELECT" ? input.selectedIndex : Number(input.value);
  }

  async function explore(box) {
    const place = box.querySelector(".mk-place");
    const inputs = [...box.querySelectorAll("[data-stops]")];
    const [said, status] = ["[aria-live]", ".mk-status"].map((name) => box.querySelector(name));
    if (typeof DecompressionStream === "undefined") {
      status.textContent = "This explorer needs a browser of 2023 or later.";
      return;
    }
    const stored = await unpacked(data(box.dataset.from));
    const redraw = (event) => {
      for (const input of inputs.filter((one) => one.type === "range")) {
        const word = JSON.parse(input.dataset.words)[Number(input.value)];
        input.setAttribute("aria-valuetext", word);
        input.parentElement.querySelector("output").textContent = word;
      }
      const figure = figureOf(stored, numberOf(inputs));
      show(place, figure);
      if (event) said.textContent = words(figure);
    };
    for (const input of inputs) {
      input.disabled = false;
      input.addEventListener("input", redraw);
    }
    redraw();
  }

  function begin(place) {
    if (place.dataset.begun) return;
    place.dataset.begun = "yes";
    if (place.classList.contains("mk-explorer")) explore(place);
    else show(place, JSON.parse(data(place.dataset.from)));
  }

  addEventListener("DOMContentLoaded", () => {
    const places = document.querySelectorAll(".mk-figure, .mk-explorer");
    const near = new IntersectionObserver(
      (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => begin(entry.target)),
      { rootMargin: "1000px" },
    );
    places.forEach((place) => near.observe(place));
    addEventListener("beforeprint", () => places.forEach(begin));
  });
})();
