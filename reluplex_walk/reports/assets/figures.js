// Figures: the library and the data are opened, and each figure is drawn when it is scrolled to,
// those in 3-D last.  Colours var(--name) are looked up in the style, anew for each theme.
"use strict";
(() => {
  const KINDS = {
    f4: Float32Array, f8: Float64Array, i1: Int8Array, u1: Uint8Array,
    i2: Int16Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array,
  };

  // Arrays that travelled as bytes: one of numbers, or of rows.
  const reviver = (_, value) => {
    if (!value || typeof value !== "object" || !Array.isArray(value.shape)) return value;
    const kind = Object.keys(KINDS).find((name) => typeof value[name] === "string");
    if (!kind) return value;
    const all = new KINDS[kind](report.bytes(value[kind]).buffer);
    if (value.shape.length === 1) return all;
    const row = value.shape.slice(1).reduce((a, b) => a * b, 1);
    return Array.from({ length: value.shape[0] }, (_, k) => all.subarray(k * row, (k + 1) * row));
  };
  report.parse = (text) => JSON.parse(text, reviver);

  // The library comes from an address of its own, so that the browser parses it beside all else.
  let library = null;
  const load = async () => {
    const file = new Blob([await report.library], { type: "text/javascript" });
    const script = document.createElement("script");
    script.src = URL.createObjectURL(file);
    await new Promise((then, fail) => {
      script.onload = then;
      script.onerror = () => fail(new Error("the library was not loaded"));
      document.head.append(script);
    });
    URL.revokeObjectURL(script.src);
    script.remove();
  };
  const plotly = () => (library ??= load());

  // ---------------------------------------------------------------- colours and layout

  const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  report.colour = variable;
  const resolved = (value) => {
    if (typeof value === "string") {
      const found = /^var\((--[\w-]+)\)$/.exec(value);
      return found ? variable(found[1]) : value;
    }
    if (Array.isArray(value)) {
      return typeof value[0] === "number" ? value : value.map(resolved);
    }
    if (value && value.constructor === Object) {
      return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, resolved(part)]));
    }
    return value;
  };

  const touch = window.matchMedia("(pointer: coarse)").matches;
  const axis = () => ({
    gridcolor: variable("--grid"), zerolinecolor: variable("--grid"), linecolor: variable("--rule"),
    automargin: true, title: { standoff: 8 },
  });
  const scene = () => ({
    gridcolor: variable("--grid"), zerolinecolor: variable("--grid"), showbackground: false,
    color: variable("--muted"),
  });
  const themed = (layout) => {
    const ink = variable("--ink");
    const names = ["--blue", "--vermilion", "--green", "--sky", "--orange", "--pink", "--muted"];
    return {
      ...resolved(layout),
      template: {
        layout: {
          font: { family: "system-ui, sans-serif", size: 13, color: ink },
          paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
          colorway: names.map(variable),
          margin: { l: 56, r: 14, t: 12, b: 44 },
          xaxis: axis(), yaxis: axis(),
          scene: { xaxis: scene(), yaxis: scene(), zaxis: scene() },
          legend: {
            orientation: "h", x: 0, y: 1, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)",
            traceorder: "normal", font: { size: 12 },
          },
          hoverlabel: {
            bgcolor: variable("--card"), bordercolor: variable("--rule"), font: { color: ink },
          },
          modebar: {
            color: variable("--muted"), activecolor: ink, bgcolor: "rgba(0,0,0,0)",
            orientation: "h",
          },
          dragmode: touch ? false : "zoom",
        },
      },
      uirevision: "kept", // zoom and turn stay when the theme changes
    };
  };
  const config = {
    displaylogo: false,
    responsive: true,
    displayModeBar: touch ? false : "hover",
    modeBarButtonsToRemove: ["lasso2d", "select2d", "hoverClosestCartesian", "hoverCompareCartesian",
      "toggleSpikelines", "resetCameraLastSave3d", "hoverClosest3d", "tableRotation", "autoScale2d"],
  };

  // ---------------------------------------------------------------- drawing

  const drawn = []; // figures that are there
  const waiting = []; // figures that are to be
  let busy = false;

  const draw = async (figure) => {
    const { place } = figure;
    try {
      await plotly();
      figure.before?.();
      await Plotly.newPlot(place, resolved(figure.traces), themed(figure.layout), config);
      place.classList.add("drawn");
      drawn.push(figure);
      figure.after?.();
    } catch (error) {
      report.fail(place, "This figure could not be drawn.", error);
    }
  };

  // Say at a place that it cannot show what it should, and why if it is for want of a new browser.
  report.fail = (place, text, error) => {
    const old = !window.DecompressionStream;
    place.classList.add("failed");
    place.textContent = old ? "This needs a browser of 2023 or later." : text;
    if (!old) console.error(error);
  };

  const flag = (name) => {
    document.documentElement.dataset[name] ??= String(Math.round(performance.now()));
  };

  const work = async () => {
    if (busy) return;
    busy = true;
    if (document.getElementById("plotly")) await Promise.allSettled([plotly(), ...report.ready]);
    await new Promise(requestAnimationFrame); // then what is in view is known
    await new Promise((then) => setTimeout(then));
    while (waiting.length) {
      waiting.sort((a, b) => a.later - b.later); // stable: else in the order they were seen
      if (waiting[0].later) flag("ready");
      await draw(waiting.shift());
      await new Promise((then) => setTimeout(then));
    }
    busy = false;
    flag("ready"); // all that is in view can be used
    flag("drawn"); // also what is in 3-D
  };

  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting || !target.figure) continue;
      seen.unobserve(target);
      waiting.push(target.figure);
    }
    work();
  }, { rootMargin: "150px" });

  // A figure at a place; it is drawn when it comes into view.
  report.figure = (place, traces, layout, hooks = {}) => {
    const later = place.dataset.later ? 1 : 0;
    place.figure = { place, traces, layout, later, ...hooks };
    seen.observe(place);
    return place.figure;
  };
  report.isDrawn = (figure) => figure.place.classList.contains("drawn");
  report.redraw = (figure) =>
    Plotly.react(figure.place, resolved(figure.traces), themed(figure.layout), config);

  document.addEventListener("theme", async () => {
    for (const figure of drawn) {
      figure.before?.();
      await report.redraw(figure);
      figure.after?.();
    }
  });

  for (const place of document.querySelectorAll("figure > .plot")) {
    const { traces, layout } = report.parse(place.nextElementSibling.textContent);
    if (traces.some((trace) => /3d$|^surface$/.test(trace.type))) place.dataset.later = "true";
    report.figure(place, traces, layout);
  }
  report.scheme = { touch, resolved };
  setTimeout(work); // when all scripts have said what they draw
})();
