// The loss in a plane: polygons, on each of which it is affine.  Drawn anew for each window, at the
// pixels of the screen: bands of colour, level lines, edges.  Points are shares of the whole window.
"use strict";
(() => {
  // Cividis, made for colour-blind readers: the map of matplotlib at every 16th of its colours.
  const CIVIDIS = [
    [0, 34, 78], [3, 46, 103], [20, 57, 110], [49, 68, 107], [68, 79, 107], [83, 90, 109],
    [97, 101, 113], [111, 112, 117], [124, 123, 120], [140, 134, 120], [156, 146, 117],
    [172, 159, 112], [189, 172, 104], [206, 185, 93], [223, 199, 79], [241, 213, 60], [254, 232, 56],
  ];
  const shade = (share) => {
    const at = Math.min(Math.max(share, 0), 1) * (CIVIDIS.length - 1);
    const k = Math.min(Math.floor(at), CIVIDIS.length - 2);
    return CIVIDIS[k].map((low, j) => Math.round(low + (at - k) * (CIVIDIS[k + 1][j] - low)));
  };
  const css = (share) => `rgb(${shade(share).join(",")})`;
  const scale = Array.from({ length: 17 }, (_, k) => [k / 16, css(k / 16)]);

  class Plane {
    constructor(cut) {
      Object.assign(this, cut);
      if (cut.corners instanceof Uint16Array) {
        this.corners = new Float32Array(cut.corners);
        for (let k = 0; k < this.corners.length; k++) this.corners[k] /= 65535;
      }
      this.ends = new Int32Array(cut.counts.length);
      let end = 0;
      for (let k = 0; k < cut.counts.length; k++) this.ends[k] = end += cut.counts[k];
      if (cut.near) this.near = new Plane(cut.near);
      this.bounds = this.levels(this.owners([0, 1, 0, 1], COARSE, COARSE), [0, 1, 0, 1], COARSE, COARSE);
    }

    // From shares of the whole window to those of a part, `within` it.
    inside(x, y) {
      const [x0, x1, y0, y1] = this.within;
      return [(x - x0) / (x1 - x0), (y - y0) / (y1 - y0)];
    }

    // Levels that part what is seen in pieces of equal area; the outermost are its least and most.
    levels(owners, [x0, x1, y0, y1], width, height) {
      const step = Math.max(1, Math.floor(owners.length / (COARSE * COARSE)));
      const values = [];
      for (let k = 0; k < owners.length; k += step) {
        if (owners[k] < 0) continue;
        const x = x0 + (((k % width) + 0.5) / width) * (x1 - x0);
        const y = y1 - ((Math.floor(k / width) + 0.5) / height) * (y1 - y0);
        values.push(this.value(owners[k], x, y));
      }
      values.sort((a, b) => a - b);
      const [low, high] = [values[0] ?? 0, values[values.length - 1] ?? 1];
      const room = 1e-6 * (high - low + Math.max(Math.abs(low), Math.abs(high))) || 1;
      const bounds = [low - room];
      for (let k = 1; k < LEVELS; k++) {
        const level = values[Math.floor((k * values.length) / LEVELS)];
        if (level > bounds[bounds.length - 1] + room && level < high) bounds.push(level);
      }
      bounds.push(high + room);
      return bounds;
    }

    get bands() {
      return this.bounds.length - 1;
    }

    get size() {
      return this.ends.length;
    }

    value(polygon, x, y) {
      const p = 3 * polygon;
      return this.pieces[p] * x + this.pieces[p + 1] * y + this.pieces[p + 2];
    }

    // Where a loss lies among the levels, from 0 to 1.
    place(loss) {
      const { bounds, bands } = this;
      let k = 0;
      while (k < bands - 1 && loss >= bounds[k + 1]) k++;
      const share = (loss - bounds[k]) / (bounds[k + 1] - bounds[k]);
      return (k + Math.min(Math.max(share, 0), 1)) / bands;
    }

    // From shares to coordinates, and back.
    x(share) {
      return this.extent[0] + share * (this.extent[1] - this.extent[0]);
    }
    y(share) {
      return this.extent[2] + share * (this.extent[3] - this.extent[2]);
    }
    shares([x0, x1, y0, y1]) {
      const [a, b, c, d] = this.extent;
      return [(x0 - a) / (b - a), (x1 - a) / (b - a), (y0 - c) / (d - c), (y1 - c) / (d - c)];
    }

    // The polygon at each pixel of the window `view` (shares), -1 where there is none; from above.
    owners(view, width, height) {
      const { corners, ends } = this;
      const [x0, x1, y0, y1] = view;
      const sx = width / (x1 - x0);
      const sy = height / (y1 - y0);
      const found = new Int32Array(width * height).fill(-1);
      let start = 0;
      for (let polygon = 0; polygon < ends.length; polygon++) {
        const end = ends[polygon];
        let low = Infinity;
        let high = -Infinity;
        for (let k = start; k < end; k++) {
          const y = (y1 - corners[2 * k + 1]) * sy;
          if (y < low) low = y;
          if (y > high) high = y;
        }
        const last = Math.min(height - 1, Math.ceil(high - 0.5));
        for (let row = Math.max(0, Math.floor(low - 0.5)); row <= last; row++) {
          const at = row + 0.5;
          let left = Infinity;
          let right = -Infinity;
          for (let k = start, j = end - 1; k < end; j = k++) {
            const ya = (y1 - corners[2 * j + 1]) * sy;
            const yb = (y1 - corners[2 * k + 1]) * sy;
            if (ya <= at === yb <= at) continue;
            const xa = (corners[2 * j] - x0) * sx;
            const xb = (corners[2 * k] - x0) * sx;
            const x = xa + ((at - ya) * (xb - xa)) / (yb - ya);
            if (x < left) left = x;
            if (x > right) right = x;
          }
          const stop = Math.min(width, Math.round(right));
          for (let k = Math.max(0, Math.round(left)); k < stop; k++) found[row * width + k] = polygon;
        }
        start = end;
      }
      return found;
    }

    // A picture of the window `view`; level lines and edges are `ratio` pixels wide.
    picture(view, width, height, ratio) {
      const canvas = this.painted(view, width, height, ratio);
      if (this.near) {
        const [s0, t0] = this.near.inside(view[0], view[2]);
        const [s1, t1] = this.near.inside(view[1], view[3]);
        const alone = s0 >= 0 && s1 <= 1 && t0 >= 0 && t1 <= 1;
        const levels = alone ? null : this.seen.bounds;
        const part = this.near.painted([s0, s1, t0, t1], width, height, ratio, levels);
        const context = canvas.getContext("2d");
        context.drawImage(part, 0, 0);
        context.strokeStyle = "rgba(255,255,255,0.9)";
        context.lineWidth = 1.5 * ratio;
        const [w, h] = [width / (s1 - s0), height / (t1 - t0)];
        context.strokeRect(-s0 * w, (t1 - 1) * h, w, h);
        this.seen.bounds = this.near.seen.bounds;
      }
      return canvas.toDataURL("image/png");
    }

    // A canvas of what lies in `view`, transparent elsewhere; `levels` are its own if not given.
    painted(view, width, height, ratio, levels = null) {
      const canvas = document.createElement("canvas");
      canvas.width = width;
      canvas.height = height;
      const context = canvas.getContext("2d", { willReadFrequently: true });
      const owners = this.owners(view, width, height);
      const bounds = levels ?? this.levels(owners, view, width, height);
      context.putImageData(this.coloured(view, width, height, ratio, owners, bounds), 0, 0);
      this.edges(context, view, width, height, ratio);
      this.seen = { view, width, height, owners, bounds };
      return canvas;
    }

    coloured([x0, x1, y0, y1], width, height, ratio, owners, bounds) {
      const { pieces } = this;
      const bands = bounds.length - 1;
      const image = new ImageData(width, height);
      const pixels = new Uint32Array(image.data.buffer);
      const dx = (x1 - x0) / width;
      const dy = (y1 - y0) / height;
      const colours = Array.from({ length: bands }, (_, k) => shade((k + 0.5) / bands));
      let band = 0;
      for (let row = 0; row < height; row++) {
        const y = y1 - (row + 0.5) * dy;
        for (let column = 0; column < width; column++) {
          const polygon = owners[row * width + column];
          if (polygon < 0) continue;
          const p = 3 * polygon;
          const gx = pieces[p];
          const gy = pieces[p + 1];
          const loss = gx * (x0 + (column + 0.5) * dx) + gy * y + pieces[p + 2];
          while (band < bands - 1 && loss >= bounds[band + 1]) band++;
          while (band > 0 && loss < bounds[band]) band--;
          // Distance to the nearest level line, in pixels, as the loss is affine here.
          const above = band < bands - 1 ? bounds[band + 1] - loss : Infinity;
          const below = band > 0 ? loss - bounds[band] : Infinity;
          const steep = Math.hypot(gx * dx, gy * dy);
          const far = steep > 0 ? Math.min(above, below) / steep : Infinity;
          const light = 1 - 0.5 * Math.min(Math.max(0.5 * ratio + 0.5 - far, 0), 1);
          const [r, g, b] = colours[band];
          pixels[row * width + column] =
            0xff000000 | ((b * light) << 16) | ((g * light) << 8) | (r * light);
        }
      }
      return image;
    }

    // Edges of polygons, fainter where they are many: they come out as one zooms in.
    edges(context, view, width, height, ratio) {
      if (this.sampled) return;
      const [x0, x1, y0, y1] = view;
      const { corners, ends } = this;
      const seen = this.within_view(view);
      const apart = Math.sqrt((width * height) / Math.max(seen.length, 1)) / ratio; // of the page
      const strength = Math.min(0.3, (apart - 5) / 60);
      if (strength <= 0) return;
      const sx = width / (x1 - x0);
      const sy = height / (y1 - y0);
      context.lineWidth = 0.7 * ratio;
      context.strokeStyle = `rgba(255,255,255,${strength})`;
      for (const polygon of seen) {
        // One by one: a path of thousands takes seconds.
        context.beginPath();
        for (let k = polygon ? ends[polygon - 1] : 0; k < ends[polygon]; k++) {
          context.lineTo((corners[2 * k] - x0) * sx, (y1 - corners[2 * k + 1]) * sy);
        }
        context.closePath();
        context.stroke();
      }
    }

    // The polygons that a window may meet.
    within_view([x0, x1, y0, y1]) {
      const { corners, ends } = this;
      const found = [];
      let start = 0;
      for (let polygon = 0; polygon < ends.length; polygon++) {
        let left = Infinity;
        let right = -Infinity;
        let low = Infinity;
        let high = -Infinity;
        for (let k = start; k < ends[polygon]; k++) {
          const x = corners[2 * k];
          const y = corners[2 * k + 1];
          if (x < left) left = x;
          if (x > right) right = x;
          if (y < low) low = y;
          if (y > high) high = y;
        }
        if (right > x0 && left < x1 && high > y0 && low < y1) found.push(polygon);
        start = ends[polygon];
      }
      return found;
    }

    // The polygon and the loss at a point of the last picture; null outside.
    at(x, y) {
      const part = this.near?.at(...this.near.inside(x, y));
      if (part || !this.seen) return part ?? null;
      const { view, width, height, owners } = this.seen;
      const column = Math.floor(((x - view[0]) / (view[1] - view[0])) * width);
      const row = Math.floor(((view[3] - y) / (view[3] - view[2])) * height);
      if (column < 0 || row < 0 || column >= width || row >= height) return null;
      const polygon = owners[row * width + column];
      return polygon < 0
        ? null
        : { polygon, loss: this.value(polygon, x, y), sampled: this.sampled };
    }

    // The loss over the plane as a trace in 3-D: the polygons in fans of triangles, or, where they
    // are too many for that, a grid of exact values.
    terrain() {
      const common = { colorscale: scale, cmin: 0, cmax: 1, showscale: false, hoverinfo: "z" };
      return this.corners.length / 2 > MOST_CORNERS || this.sampled
        ? { ...common, ...this.grid(GRID) }
        : { ...common, ...this.fans() };
    }

    fans() {
      const n = this.corners.length / 2;
      const [x, y, z, intensity] = [0, 0, 0, 0].map(() => new Float32Array(n));
      const [i, j, k] = [[], [], []];
      let start = 0;
      this.ends.forEach((end, polygon) => {
        for (let c = start; c < end; c++) {
          const [s, t] = [this.corners[2 * c], this.corners[2 * c + 1]];
          x[c] = this.x(s);
          y[c] = this.y(t);
          z[c] = this.value(polygon, s, t);
          intensity[c] = this.place(z[c]);
          if (c > start && c < end - 1) {
            i.push(start);
            j.push(c);
            k.push(c + 1);
          }
        }
        start = end;
      });
      return {
        type: "mesh3d", x, y, z, intensity,
        i: Int32Array.from(i), j: Int32Array.from(j), k: Int32Array.from(k),
        flatshading: true, lighting: { ambient: 0.75, diffuse: 0.5, specular: 0.05, facenormalsepsilon: 0 },
      };
    }

    grid(n) {
      const owners = this.owners([0, 1, 0, 1], n, n);
      const shares = Array.from({ length: n }, (_, k) => (k + 0.5) / n);
      const z = shares.map((t, row) => {
        const values = new Float32Array(n);
        shares.forEach((s, column) => {
          const polygon = owners[(n - 1 - row) * n + column];
          values[column] = polygon < 0 ? NaN : this.value(polygon, s, t);
        });
        return values;
      });
      return {
        type: "surface", z,
        x: shares.map((s) => this.x(s)), y: shares.map((t) => this.y(t)),
        surfacecolor: z.map((row) => row.map((loss) => this.place(loss))),
        lighting: { ambient: 0.75, diffuse: 0.5, specular: 0.05 },
      };
    }
  }

  const LEVELS = 24;
  const COARSE = 120; // points in each direction that levels are found by
  const MOST_CORNERS = 60000; // of a mesh that turns smoothly
  const GRID = 160;

  report.Plane = Plane;
  report.shade = css;
})();
