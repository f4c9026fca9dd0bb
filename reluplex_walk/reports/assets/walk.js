// The player of a walk: one slider moves through the loss, the fit, the plane and the terrain.
"use strict";
(() => {
  const player = document.getElementById("player");
  if (!player) return;
  const $ = (id) => document.getElementById(id);
  const VERMILION = "#D55E00"; // on the colours of the plane, whatever the theme
  const HALO = "rgba(0,0,0,0.55)";
  const TOP = { yref: "container", y: 1, yanchor: "top", x: 0, xanchor: "left" };
  const MOST_TRAIL = 800; // points of the walk so far
  const digits = (value, n = 8) => String(Number(value.toPrecision(n)));

  // ---------------------------------------------------------------- the fit, by the network

  // Outputs (rows of samples) of the network with the trained layer at `theta`, for `features`.
  const outputs = (fit, theta, features) => {
    const layer = (inputs, neuron, bias, width) =>
      inputs.map((row) => {
        const found = new Float64Array(width);
        for (let j = 0; j < width; j++) {
          const weights = neuron(j);
          let sum = bias(j);
          for (let c = 0; c < row.length; c++) sum += weights[c] * row[c];
          found[j] = sum;
        }
        return found;
      });
    const q = features[0].length + 1;
    const trained = (j) => theta.subarray(j * q, (j + 1) * q);
    let values = layer(features, trained, (j) => theta[j * q + q - 1], theta.length / q);
    for (const { weights, biases } of fit.tail) {
      for (const row of values) {
        for (let j = 0; j < row.length; j++) if (row[j] < 0) row[j] *= fit.slope;
      }
      values = layer(values, (j) => weights[j], (j) => biases[j], biases.length);
    }
    return values;
  };
  const column = (rows, k) => Float64Array.from(rows, (row) => row[k]);

  const span = (...arrays) => {
    let [low, high] = [Infinity, -Infinity];
    for (const array of arrays) {
      for (const value of array) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    const room = 0.06 * (high - low) || 0.5 * Math.abs(high) || 1;
    return [low - room, high + room];
  };

  const pressed = (button) => {
    for (const other of button.parentElement.children) {
      other.setAttribute("aria-pressed", String(other === button));
    }
  };

  // ---------------------------------------------------------------- the loss

  const lossView = (walk) => {
    const { at, loss, gap, level, low, high } = walk.curve;
    const place = $("walk-loss");
    const state = { shown: "loss", x: "linear", y: "linear" };
    const positive = (values) => Array.from(values, (value) => (value > 0 ? value : null));
    const at_end = (i) => Math.max(0, walk.losses[i] - walk.curve.end);
    const marker = (i) => {
      const y = state.shown === "loss" ? walk.losses[i] : at_end(i);
      return { x: [walk.entries[i]], y: [y > 0 || state.y === "linear" ? y : null] };
    };
    const traces = () => {
      const found = [];
      if (state.shown === "loss" && level) {
        found.push(
          { x: at, y: high, mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false },
          { x: at, y: low, mode: "lines", line: { width: 0 }, fill: "tonexty",
            fillcolor: "var(--band)", name: "80 % interval", hoverinfo: "skip" },
          { x: at, y: level, mode: "lines", line: { color: "var(--green)", width: 1.5 },
            name: "level expected" },
        );
      }
      const y = state.shown === "loss" ? loss : state.y === "log" ? positive(gap) : gap;
      const short = at.length < 60 ? "lines+markers" : "lines";
      found.push({ x: at, y, mode: short, line: { color: "var(--blue)", width: 2 },
        marker: { size: 5 }, name: state.shown === "loss" ? "loss" : "loss above the end" });
      found.push({ ...marker(walk.at), mode: "markers", name: "vertex shown", hoverinfo: "skip",
        marker: { color: "var(--vermilion)", size: 12, line: { color: "var(--card)", width: 2 } } });
      return found;
    };
    const layout = () => {
      const [bottom, top] = span(loss);
      const log = state.y === "log";
      const y = { title: { text: state.shown === "loss" ? "loss" : "loss above the end" }, type: state.y,
        exponentformat: "power" };
      // The interval may be far wider than the losses.
      if (state.shown === "loss" && !log) y.range = [Math.min(bottom, bottom), top];
      const shapes = walk.phase1 > 0
        ? [{ type: "rect", xref: "x", yref: "paper", x0: state.x === "log" ? 0.5 : 0, x1: walk.phase1,
            y0: 0, y1: 1, fillcolor: "var(--shade)", line: { width: 0 }, layer: "below" }]
        : [];
      return { xaxis: { title: { text: "pivot" }, type: state.x }, yaxis: y, shapes,
        margin: { l: 64, r: 14, t: 30, b: 44 }, legend: TOP, hovermode: "x" };
    };
    const figure = report.figure(place, traces(), layout(), {
      after: () => {
        place.removeAllListeners?.("plotly_click");
        place.on("plotly_click", ({ points }) => walk.show(walk.nearest(points[0].x)));
      },
    });
    const update = () => {
      figure.traces = traces();
      figure.layout = layout();
      if (report.isDrawn(figure)) report.redraw(figure);
    };
    for (const button of player.querySelectorAll("[data-show]")) {
      button.addEventListener("click", () => {
        pressed(button);
        state.shown = button.dataset.show;
        state.y = state.shown === "gap" ? "log" : "linear";
        player.querySelector("[data-log=y]").setAttribute("aria-pressed", String(state.y === "log"));
        update();
      });
    }
    for (const button of player.querySelectorAll("[data-log]")) {
      button.addEventListener("click", () => {
        const axis = button.dataset.log;
        state[axis] = state[axis] === "log" ? "linear" : "log";
        button.setAttribute("aria-pressed", String(state[axis] === "log"));
        update();
      });
    }
    return (i) => {
      const last = figure.traces.length - 1;
      Object.assign(figure.traces[last], marker(i));
      if (!report.isDrawn(figure)) return null;
      const { x, y } = figure.traces[last];
      return Plotly.restyle(place, { x: [x], y: [y] }, [last]);
    };
  };

  // ---------------------------------------------------------------- data and fit

  const fitView = (walk) => {
    const { fit } = walk;
    const place = $("walk-fit");
    const views = { ...(fit.x && { curve: "curve" }), observed: "observed", residuals: "residuals" };
    const state = { view: Object.keys(views)[0], output: 0 };
    const last = fit.theta.length - 1;
    const at = (i, rows) => column(outputs(fit, fit.theta[i], rows), state.output);
    const points = { size: 6, color: "var(--muted)", opacity: 0.65 };
    const moving = (i) => {
      const observed = fit.observed[state.output];
      if (state.view === "curve") return { x: fit.grid, y: at(i, fit.grid_features) };
      const fitted = at(i, fit.features);
      if (state.view === "observed") return { x: observed, y: fitted };
      return { x: fit.x ?? fitted, y: observed.map((y, k) => y - fitted[k]) };
    };
    const ranges = () => {
      const observed = fit.observed[state.output];
      const ends = moving(last);
      if (state.view === "residuals") {
        const [low, high] = span(ends.y);
        const most = Math.max(Math.abs(low), Math.abs(high));
        return { x: fit.x ? span(fit.x) : span(ends.x, observed), y: [-1.5 * most, 1.5 * most] };
      }
      const x = state.view === "curve" ? span(fit.x) : span(observed);
      return { x, y: span(observed, ends.y) };
    };
    const traces = () => {
      const { x } = ranges();
      const line = (y, name, extra) => ({ x, y, mode: "lines", name, hoverinfo: "skip",
        line: { color: "var(--rule)", width: 1.5, ...extra } });
      const now = moving(walk.at);
      if (state.view === "curve") {
        return [
          { x: fit.x, y: fit.observed[state.output], mode: "markers", name: "data", marker: points },
          { ...moving(0), mode: "lines", name: "start",
            line: { color: "var(--sky)", width: 1.5, dash: "dash" } },
          { ...moving(last), mode: "lines", name: "end", line: { color: "var(--green)", width: 1.5 } },
          { ...now, mode: "lines", name: "vertex shown", line: { color: "var(--vermilion)", width: 3 } },
        ];
      }
      const still = state.view === "observed" ? line(x, "fitted = observed") : line([0, 0], "fitted = observed");
      const dots = { size: 7, color: "var(--vermilion)", opacity: 0.75 };
      return [still, { ...now, mode: "markers", name: "vertex shown", marker: dots }];
    };
    const layout = () => {
      const { x, y } = ranges();
      const names = {
        curve: ["x", "y"],
        observed: ["observed", "fitted"],
        residuals: [fit.x ? "x" : "fitted", "observed - fitted"],
      }[state.view];
      return { xaxis: { title: { text: names[0] }, range: x },
        yaxis: { title: { text: names[1] }, range: y }, margin: { l: 64, r: 14, t: 30, b: 44 },
        legend: TOP };
    };
    const figure = report.figure(place, traces(), layout());
    const update = () => {
      figure.traces = traces();
      figure.layout = { ...layout(), uirevision: `${state.view} ${state.output}` };
      if (report.isDrawn(figure)) report.redraw(figure);
    };
    for (const [view, name] of Object.entries(views)) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.setAttribute("aria-pressed", String(view === state.view));
      button.addEventListener("click", () => {
        pressed(button);
        state.view = view;
        update();
      });
      $("fit-views").append(button);
    }
    if (fit.outputs > 1) {
      $("output-choice").hidden = false;
      for (let k = 0; k < fit.outputs; k++) $("output").add(new Option(String(k), String(k)));
      $("output").addEventListener("change", () => {
        state.output = Number($("output").value);
        update();
      });
    }
    return (i) => {
      const which = figure.traces.length - 1;
      Object.assign(figure.traces[which], moving(i));
      if (!report.isDrawn(figure)) return null;
      const { x, y } = figure.traces[which];
      return Plotly.restyle(place, { x: [x], y: [y] }, [which]);
    };
  };

  // ---------------------------------------------------------------- the plane

  const planeView = (walk, plane) => {
    const place = $("walk-plane");
    const xs = Float64Array.from(plane.walk, ([s]) => plane.x(s));
    const ys = Float64Array.from(plane.walk, ([, t]) => plane.y(t));
    const path = {
      x: Float64Array.from(plane.path, ([s]) => plane.x(s)),
      y: Float64Array.from(plane.path, ([, t]) => plane.y(t)),
    };
    const first = walk.entries.findIndex((entry) => entry >= walk.phase1);
    const trail = (i) => {
      const stride = Math.max(1, Math.ceil((i - first) / MOST_TRAIL));
      const chosen = [];
      for (let k = first; k < i; k += stride) chosen.push(k);
      if (i >= first) chosen.push(i);
      return { x: chosen.map((k) => xs[k]), y: chosen.map((k) => ys[k]) };
    };
    const lines = (points, color, width, name) => ({ ...points, mode: "lines", hoverinfo: "skip", name,
      line: { color, width }, showlegend: false });
    const traces = [
      lines(path, HALO, 3.5, "halo"),
      lines(path, "rgba(255,255,255,0.55)", 1.4, "walk"),
      lines(trail(walk.at), "#FFFFFF", 2.2, "walk so far"),
      { x: plane.marks.map(([s]) => plane.x(s)), y: plane.marks.map(([, t]) => plane.y(t)),
        mode: "markers", hoverinfo: "text", text: ["first vertex", "middle vertex", "last vertex"],
        showlegend: false, marker: { symbol: ["square", "triangle-up", "circle"], size: 11,
          color: "#FFFFFF", line: { color: "#000000", width: 1.5 } } },
      { x: [xs[walk.at]], y: [ys[walk.at]], mode: "markers", hoverinfo: "skip", showlegend: false,
        marker: { color: VERMILION, size: 14, line: { color: "#FFFFFF", width: 2.5 } } },
    ];
    const [a, b, c, d] = plane.extent;
    const layout = {
      xaxis: { title: { text: "along first to last vertex" }, range: [a, b], showgrid: false, zeroline: false },
      yaxis: { title: { text: "towards the middle vertex" }, range: [c, d], showgrid: false, zeroline: false },
      margin: { l: 64, r: 14, t: 12, b: 44 },
    };
    const image = (view) => {
      const ratio = Math.min(window.devicePixelRatio || 1, 2);
      const width = Math.max(50, Math.round(place.clientWidth * ratio * 0.9));
      const height = Math.max(50, Math.round(place.clientHeight * ratio * 0.85));
      const source = plane.picture(plane.shares(view), width, height, ratio);
      const { bounds } = plane.seen;
      $("colour-levels").replaceChildren(
        ...[0, 0.25, 0.5, 0.75, 1].map((share) => {
          const tick = document.createElement("span");
          tick.textContent = digits(bounds[Math.round(share * (bounds.length - 1))], 4);
          return tick;
        }),
      );
      const [x0, x1, y0, y1] = view;
      return [{ source, xref: "x", yref: "y", x: x0, y: y1, sizex: x1 - x0, sizey: y1 - y0,
        sizing: "stretch", layer: "below" }];
    };
    const view = () => [...place.layout.xaxis.range, ...place.layout.yaxis.range].map(Number);
    const look = () => {
      const now = view();
      layout.images = image(now);
      const change = { images: layout.images };
      // One finger moves the page, unless there is a part of the plane to be moved.
      if (report.scheme.touch) change.dragmode = now[1] - now[0] < 0.99 * (b - a) ? "pan" : false;
      return Plotly.relayout(place, change);
    };
    const figure = report.figure(place, traces, layout, {
      before: () => {
        layout.images ??= image([a, b, c, d]);
      },
      after: () => {
        place.removeAllListeners("plotly_relayout");
        place.on("plotly_relayout", (change) => {
          if (Object.keys(change).some((key) => /^[xy]axis/.test(key) || key === "autosize")) look();
        });
      },
    });
    place.addEventListener("pointermove", (event) => {
      const box = place.querySelector(".nsewdrag")?.getBoundingClientRect();
      if (!box || !box.width) return;
      const [x0, x1, y0, y1] = plane.shares(view());
      const s = x0 + ((event.clientX - box.left) / box.width) * (x1 - x0);
      const t = y1 - ((event.clientY - box.top) / box.height) * (y1 - y0);
      const found = plane.at(s, t);
      $("pointed").textContent = found
        ? `${found.sampled ? "about " : ""}${digits(found.loss, 6)} at (${digits(plane.x(s), 4)}, ${digits(plane.y(t), 4)})`
        : "";
    });
    place.addEventListener("pointerleave", () => ($("pointed").textContent = ""));
    for (const button of player.querySelectorAll("[data-zoom]")) {
      if (button.dataset.zoom === "exact") button.hidden = !plane.near;
      button.addEventListener("click", () => {
        if (!report.isDrawn(figure)) return;
        const [x0, x1, y0, y1] = view();
        let middle = [(x0 + x1) / 2, (y0 + y1) / 2];
        let by = Number(button.dataset.zoom);
        const windows = { whole: plane.extent, exact: plane.near?.extent };
        const chosen = windows[button.dataset.zoom];
        if (chosen) {
          Plotly.relayout(place, { "xaxis.range": chosen.slice(0, 2), "yaxis.range": chosen.slice(2) });
          return;
        }
        if (button.dataset.zoom === "here") [middle, by] = [[xs[walk.at], ys[walk.at]], 0.25];
        const [w, h] = [((x1 - x0) * by) / 2, ((y1 - y0) * by) / 2];
        Plotly.relayout(place, { "xaxis.range": [middle[0] - w, middle[0] + w],
          "yaxis.range": [middle[1] - h, middle[1] + h] });
      });
    }
    return (i) => {
      const so_far = trail(i);
      Object.assign(traces[2], so_far);
      Object.assign(traces[4], { x: [xs[i]], y: [ys[i]] });
      if (!report.isDrawn(figure)) return null;
      return Plotly.restyle(place, { x: [so_far.x, [xs[i]]], y: [so_far.y, [ys[i]]] }, [2, 4]);
    };
  };

  // ---------------------------------------------------------------- the terrain

  const terrainView = (walk, plane) => {
    const place = $("walk-terrain");
    const [low, high] = [plane.bounds[0], plane.bounds[plane.bands]];
    const middle = plane.bounds[Math.floor(plane.bands / 2)];
    const possible = low > 0;
    const skewed = possible && high - low > 8 * (middle - low);
    const state = { height: skewed ? "log" : "linear" };
    const lifted = (z, by = 0.008) =>
      state.height === "log" ? z * (high / low) ** by : z + by * (high - low);
    const spot = (i) => ({ x: [plane.x(plane.walk[i][0])], y: [plane.y(plane.walk[i][1])],
      z: [lifted(plane.beneath[i], 0.03)] });
    const path = () => ({
      x: Float64Array.from(plane.path, ([s]) => plane.x(s)),
      y: Float64Array.from(plane.path, ([, t]) => plane.y(t)),
      z: Float64Array.from(plane.path, ([, , z]) => lifted(z)),
    });
    let ground = null;
    const traces = () => [
      (ground ??= plane.terrain()),
      { ...path(), type: "scatter3d", mode: "lines", hoverinfo: "skip", showlegend: false,
        line: { color: "#FFFFFF", width: 4 } },
      { ...spot(walk.at), type: "scatter3d", mode: "markers", hoverinfo: "skip", showlegend: false,
        marker: { color: VERMILION, size: 7, line: { color: "#FFFFFF", width: 2 } } },
    ];
    const axis = (text) => ({ title: { text, font: { size: 12 } }, tickfont: { size: 10 }, nticks: 5 });
    const ticks = [0, 0.5, 0.75, 1].map((share) => plane.bounds[Math.round(share * plane.bands)]);
    const heights = () => (state.height === "log"
      ? { type: "log", tickvals: ticks, ticktext: ticks.map((loss) => digits(loss, 3)) }
      : { type: "linear" });
    const far = place.clientWidth < 450 ? 1.2 : 1;
    const layout = () => ({
      margin: { l: 0, r: 0, t: 0, b: 0 },
      scene: {
        xaxis: axis("first to last"), yaxis: axis("to the middle"),
        zaxis: { ...axis("loss"), ...heights() },
        aspectmode: "manual", aspectratio: { x: 1.25, y: 1, z: 0.62 },
        camera: { eye: { x: 0.6 * far, y: -1.55 * far, z: 0.95 * far }, center: { x: 0, y: 0, z: -0.2 } },
        dragmode: "turntable",
      },
    });
    const figure = report.figure(place, [], layout(), {
      before: () => {
        figure.traces = traces();
      },
    });
    for (const button of player.querySelectorAll("[data-height]")) {
      button.disabled = button.dataset.height === "log" && !possible;
      button.setAttribute("aria-pressed", String(button.dataset.height === state.height));
      button.addEventListener("click", () => {
        pressed(button);
        state.height = button.dataset.height;
        figure.layout = layout();
        if (!report.isDrawn(figure)) return;
        figure.layout.scene.camera = place.layout.scene.camera;
        figure.before();
        report.redraw(figure);
      });
    }
    for (const button of player.querySelectorAll("[data-turn]")) {
      button.addEventListener("click", () => {
        if (!report.isDrawn(figure)) return;
        const { eye, ...camera } = place.layout.scene.camera;
        const by = (Number(button.dataset.turn) * Math.PI) / 180;
        const [c, s] = [Math.cos(by), Math.sin(by)];
        const turned = { x: c * eye.x - s * eye.y, y: s * eye.x + c * eye.y, z: eye.z };
        Plotly.relayout(place, { "scene.camera": { ...camera, eye: turned } });
      });
    }
    return (i) => {
      const { top, bottom } = place.getBoundingClientRect();
      if (!report.isDrawn(figure) || bottom < 0 || top > innerHeight) return null;
      const { x, y, z } = spot(i);
      Object.assign(figure.traces[2], { x, y, z });
      return Plotly.restyle(place, { x: [x], y: [y], z: [z] }, [2]);
    };
  };

  // ---------------------------------------------------------------- a line, where there is no plane

  const lineView = (walk, line) => {
    const place = $("walk-line");
    const spot = (i) => ({ x: [line.at[i]], y: [walk.losses[i]] });
    const traces = [
      { x: line.positions, y: line.losses, mode: "lines", name: "loss on the line",
        line: { color: "var(--blue)", width: 2 } },
      { ...spot(walk.at), mode: "markers", name: "vertex shown",
        marker: { color: "var(--vermilion)", size: 12, line: { color: "var(--card)", width: 2 } } },
    ];
    const layout = { xaxis: { title: { text: "along first to last vertex" } },
      yaxis: { title: { text: "loss" } } };
    const figure = report.figure(place, traces, layout);
    return (i) => {
      Object.assign(traces[1], spot(i));
      if (!report.isDrawn(figure)) return null;
      return Plotly.restyle(place, { x: [traces[1].x], y: [traces[1].y] }, [1]);
    };
  };

  // ---------------------------------------------------------------- the slider

  const begin = async () => {
    const walk = report.parse(await report.open("walk-data"));
    report.walk = walk;
    const slider = $("vertex");
    const last = walk.entries.length - 1;
    walk.at = Number(slider.value);
    walk.nearest = (entry) => {
      let best = 0;
      walk.entries.forEach((value, k) => {
        if (Math.abs(value - entry) < Math.abs(walk.entries[best] - entry)) best = k;
      });
      return best;
    };
    walk.predict = (i, rows) => outputs(walk.fit, walk.fit.theta[i], rows);
    const plane = walk.plane && new report.Plane(walk.plane);
    report.plane = plane;
    const views = [
      lossView(walk),
      fitView(walk),
      ...(plane ? [planeView(walk, plane)] : []),
      ...(walk.line ? [lineView(walk, walk.line)] : []),
    ];

    const tell = (i) => {
      const entry = walk.entries[i];
      const name = entry < walk.phase1 ? "Entry" : "Vertex";
      const before = entry < walk.phase1 ? " (before the first vertex)" : "";
      const falling = walk.descending[i];
      const text = `${name} ${entry} of ${walk.last}${before}: loss ${digits(walk.losses[i], 10)}, ` +
        `${falling} half-edge${falling === 1 ? " descends" : "s descend"}`;
      $("told").textContent = text;
      slider.setAttribute("aria-valuetext", text);
    };
    // The newest place wins: what was asked for while a figure was being drawn is left out.
    const newest = (draws) => {
      let wanted = null;
      let working = null;
      const work = async () => {
        while (wanted !== null) {
          const i = wanted;
          wanted = null;
          await Promise.all(draws.map((draw) => draw(i)));
          await new Promise(requestAnimationFrame);
        }
        working = null;
      };
      return (i) => {
        wanted = i;
        return (working ??= work());
      };
    };
    // The terrain may be slow where there is no graphics card: it follows when it can.
    const draw = newest(views);
    const follow = newest(plane ? [terrainView(walk, plane)] : []);
    walk.show = (i) => {
      walk.at = Math.min(Math.max(i, 0), last);
      slider.value = String(walk.at);
      tell(walk.at);
      follow(walk.at);
      return draw(walk.at);
    };

    let playing = false;
    const button = $("play");
    const still = window.matchMedia("(prefers-reduced-motion: reduce)");
    const stop = () => {
      playing = false;
      button.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-label", "Play");
      $("told").setAttribute("aria-live", "polite");
    };
    const play = async () => {
      playing = true;
      button.setAttribute("aria-pressed", "true");
      button.setAttribute("aria-label", "Pause");
      $("told").setAttribute("aria-live", "off"); // not every vertex of a film
      const pause = Math.min(Math.max(20000 / last, 50), 400); // ms
      const stride = Math.max(1, Math.ceil((last * pause) / 30000));
      if (walk.at === last) await walk.show(0);
      while (playing && walk.at < last) {
        const began = performance.now();
        await walk.show(walk.at + stride);
        await new Promise((then) => setTimeout(then, Math.max(0, pause + began - performance.now())));
      }
      if (playing) stop();
    };
    button.addEventListener("click", () => (playing ? stop() : play()));
    document.addEventListener("scrollend", () => follow(walk.at)); // it may have come into view
    still.addEventListener("change", () => still.matches && stop());
    $("previous").addEventListener("click", () => (stop(), walk.show(walk.at - 1)));
    $("next").addEventListener("click", () => (stop(), walk.show(walk.at + 1)));
    slider.addEventListener("input", () => (stop(), walk.show(Number(slider.value))));
    for (const each of [slider, button, $("previous"), $("next")]) each.disabled = last === 0;
    tell(walk.at);
  };

  report.ready.push(
    begin().catch((error) => {
      for (const place of player.querySelectorAll(".plot, #told")) {
        report.fail(place, "The walk could not be opened.", error);
      }
    }),
  );
})();
