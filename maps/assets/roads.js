/* rollby: decodes the road network a page carries and draws it on canvas, tile by tile. */
(function (rollby) {
  "use strict";

  function decodeBase64(text) {
    const raw = atob(text);
    const bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    return bytes;
  }

  /* Unsigned numbers in groups of seven bits, lowest first. */
  function decodeVarints(text) {
    const bytes = decodeBase64(text);
    let count = 0;
    for (let i = 0; i < bytes.length; i++) if (bytes[i] < 128) count++;
    const numbers = new Uint32Array(count);
    let value = 0, shift = 0, row = 0;
    for (let i = 0; i < bytes.length; i++) {
      value |= (bytes[i] & 127) << shift;
      if (bytes[i] < 128) {
        numbers[row++] = value >>> 0;
        value = shift = 0;
      } else {
        shift += 7;
      }
    }
    return numbers;
  }

  const CODES = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

  /* One small number a line, in the order the lines are drawn in. */
  rollby.decodeCodes = function (text) {
    const codes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) codes[i] = CODES.indexOf(text[i]);
    return codes;
  };

  /* What zigzag in maps/encode.py made of a signed number. */
  function signed(number) { return (number >>> 1) ^ -(number & 1); }

  function mercator(lat) {
    const sine = Math.sin(lat * Math.PI / 180);
    return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
  }

  /* The payload of maps/encode.py as flat arrays; x and y are Mercator, 0 to 1. */
  rollby.decodeRoads = function (payload) {
    const counts = decodeVarints(payload.counts);
    const deltas = decodeVarints(payload.deltas);
    const points = deltas.length / 2;
    const x = new Float64Array(points), y = new Float64Array(points);
    let lon = 0, lat = 0;
    for (let i = 0; i < points; i++) {
      lon += signed(deltas[2 * i]);
      lat += signed(deltas[2 * i + 1]);
      x[i] = lon / payload.quantum / 360 + 0.5;
      y[i] = mercator(lat / payload.quantum);
    }
    const classes = payload.classes.length;
    let chains = 0;
    for (let k = 0; k < classes; k++) chains += counts[k];
    const net = {
      classes: payload.classes, names: payload.names, x: x, y: y, chains: chains,
      chainClass: new Uint8Array(chains), chainName: new Uint32Array(chains),
      chainLine: new Uint32Array(chains + 1), chainBox: new Float64Array(4 * chains),
    };
    let chain = 0, lines = 0, at = classes;
    for (let k = 0; k < classes; k++) {
      for (let i = 0; i < counts[k]; i++, chain++, at += 2) {
        net.chainClass[chain] = k;
        net.chainName[chain] = counts[at];
        net.chainLine[chain] = lines;
        lines += counts[at + 1];
      }
    }
    net.chainLine[chains] = lines;
    net.lines = lines;
    /* Line i has the points lineFrom[i] to lineTo[i]; in a chain a line begins where one ended. */
    net.lineFrom = new Uint32Array(lines);
    net.lineTo = new Uint32Array(lines);
    let point = 0;
    for (let c = 0; c < chains; c++) {
      const first = point;
      for (let i = net.chainLine[c]; i < net.chainLine[c + 1]; i++) {
        net.lineFrom[i] = i === net.chainLine[c] ? point : point - 1;
        point += counts[at + i];
        net.lineTo[i] = point - 1;
      }
      measure(net, c, first, point);
    }
    return net;
  };

  /* The rings of maps/cells.py: corners in Mercator, 0 to 1, each ring's middle and reach. */
  rollby.decodeRings = function (payload) {
    const corners = decodeVarints(payload.corners), deltas = decodeVarints(payload.deltas);
    const count = corners.length, points = deltas.length / 2;
    const rings = {
      count: count, start: new Uint32Array(count + 1),
      x: new Float64Array(points), y: new Float64Array(points),
      middle: new Float64Array(2 * count), reach: new Float64Array(count),
    };
    let lon = 0, lat = 0;
    for (let i = 0; i < points; i++) {
      lon += signed(deltas[2 * i]);
      lat += signed(deltas[2 * i + 1]);
      rings.x[i] = lon / payload.quantum / 360 + 0.5;
      rings.y[i] = mercator(lat / payload.quantum);
    }
    for (let c = 0; c < count; c++) {
      const from = rings.start[c], to = from + corners[c];
      rings.start[c + 1] = to;
      let x = 0, y = 0;
      for (let i = from; i < to; i++) {
        x += rings.x[i] / corners[c];
        y += rings.y[i] / corners[c];
      }
      rings.middle.set([x, y], 2 * c);
      for (let i = from; i < to; i++) {
        rings.reach[c] = Math.max(rings.reach[c], Math.hypot(rings.x[i] - x, rings.y[i] - y));
      }
    }
    return rings;
  };

  function measure(net, chain, from, to) {
    let west = 2, north = 2, east = -1, south = -1;
    for (let i = from; i < to; i++) {
      if (net.x[i] < west) west = net.x[i];
      if (net.x[i] > east) east = net.x[i];
      if (net.y[i] < north) north = net.y[i];
      if (net.y[i] > south) south = net.y[i];
    }
    net.chainBox.set([west, north, east, south], 4 * chain);
  }

  rollby.colour = function (variable) {
    return getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
  };

  /* Widths grow with the zoom as on a road map: a class has a width at zoom 14. */
  function widthAt(zoom, width) {
    return Math.max(0.5, width * Math.pow(1.32, zoom - 14));
  }

  /* A grid of canvas tiles over one decoded network; subclasses paint them, px being a pixel on screen. */
  const Roads = L.GridLayer.extend({
    options: { tileSize: 512, updateWhenZooming: false, keepBuffer: 1, className: "roads" },

    initialize: function (net, options) {
      this.net = net;
      L.setOptions(this, options);
    },

    onAdd: function (map) {
      rollby.onTheme(this.redraw, this);
      map.on("zoomend", this.sharpen, this);
      this.drawnFor = map.getZoom();
      return L.GridLayer.prototype.onAdd.call(this, map);
    },

    onRemove: function (map) {
      rollby.offTheme(this.redraw, this);
      map.off("zoomend", this.sharpen, this);
      return L.GridLayer.prototype.onRemove.call(this, map);
    },

    /* Leaflet keeps its tiles between whole zooms and scales them: ours are drawn anew. */
    sharpen: function () {
      const zoom = this._map.getZoom(), before = this.drawnFor;
      this.drawnFor = zoom;
      if (zoom !== before && Math.round(zoom) === Math.round(before)) this.redraw();
    },

    /* A tile is as fine as the screen it ends up on, whatever Leaflet scales it by. */
    createTile: function (coords) {
      const size = this.getTileSize(), zoom = this._map.getZoom();
      const shown = Math.pow(2, zoom - coords.z);
      const tile = document.createElement("canvas");
      const ratio = Math.min(window.devicePixelRatio || 1, 3);
      tile.width = Math.round(size.x * ratio * shown);
      tile.height = Math.round(size.y * ratio * shown);
      tile.setAttribute("aria-hidden", "true");
      const context = tile.getContext("2d");
      context.scale(tile.width / size.x, tile.height / size.y);
      context.lineJoin = "round";
      this.paint(context, this.window(coords, size), zoom, 1 / shown);
      return tile;
    },

    /* The chains a tile shows, and how to get from the network to its pixels. */
    window: function (coords, size) {
      const scale = 256 * Math.pow(2, coords.z), margin = 16;
      const left = coords.x * size.x, top = coords.y * size.y;
      const west = (left - margin) / scale, east = (left + size.x + margin) / scale;
      const north = (top - margin) / scale, south = (top + size.y + margin) / scale;
      const box = this.net.chainBox, chains = [];
      for (let c = 0, b = 0; c < this.net.chains; c++, b += 4) {
        if (box[b] <= east && box[b + 2] >= west && box[b + 1] <= south && box[b + 3] >= north) {
          chains.push(c);
        }
      }
      return { chains: chains, scale: scale, left: left, top: top };
    },

    /* One path of all lines that `wanted` accepts; joined lines go on, so dashes run through.
       Steps of less than a pixel are left out, but not the end of a line. */
    trace: function (context, view, wanted) {
      const net = this.net, scale = view.scale, left = view.left, top = view.top;
      context.beginPath();
      for (const chain of view.chains) {
        if (wanted.chain && !wanted.chain(chain)) continue;
        let joined = false, lastX = 0, lastY = 0;
        for (let line = net.chainLine[chain]; line < net.chainLine[chain + 1]; line++) {
          if (wanted.line && !wanted.line(line)) {
            joined = false;
            continue;
          }
          let i = net.lineFrom[line];
          const to = net.lineTo[line];
          if (!joined) {
            lastX = net.x[i] * scale - left;
            lastY = net.y[i] * scale - top;
            context.moveTo(lastX, lastY);
          }
          for (i++; i <= to; i++) {
            const x = net.x[i] * scale - left, y = net.y[i] * scale - top;
            if (i < to && Math.abs(x - lastX) + Math.abs(y - lastY) < 1) continue;
            context.lineTo(x, y);
            lastX = x;
            lastY = y;
          }
          joined = true;
        }
      }
    },
  });

  /* The zoom from which dashes and hatching can be told apart. */
  const FINE = 12;

  const WIDTHS = { motorway: 5, trunk: 4.4, primary: 3.6, secondary: 2.8, tertiary: 2.1, other: 1.1 };

  rollby.RoadBase = Roads.extend({
    paint: function (context, view, zoom, px) {
      const classes = this.net.classes;
      context.lineCap = "round";
      if (zoom >= 13) {
        context.strokeStyle = rollby.colour("--road-edge");
        for (let k = classes.length - 1; k >= 0; k--) {
          context.lineWidth = (widthAt(zoom, WIDTHS[classes[k]]) + (zoom >= 15 ? 2 : 1.4)) * px;
          this.strokeClass(context, view, k);
        }
      }
      for (let k = classes.length - 1; k >= 0; k--) {
        if (classes[k] === "other" && zoom < 10) continue;
        context.strokeStyle = rollby.colour("--road-" + classes[k]);
        context.lineWidth = widthAt(zoom, WIDTHS[classes[k]]) * px;
        this.strokeClass(context, view, k);
      }
    },

    strokeClass: function (context, view, k) {
      const chainClass = this.net.chainClass;
      this.trace(context, view, { chain: function (chain) { return chainClass[chain] === k; } });
      context.stroke();
    },
  });

  /* Drive-time bands: options.bands [{css, width_px, dash_px}], options.codes one a line. */
  rollby.RoadBands = Roads.extend({
    initialize: function (net, options) {
      Roads.prototype.initialize.call(this, net, options);
      this.codes = rollby.decodeCodes(options.codes);
    },

    paint: function (context, view, zoom, px) {
      const bands = this.options.bands, grow = Math.max(0.45, Math.pow(1.18, zoom - 14));
      for (let band = 0; band < bands.length; band++) {
        const codes = this.codes;
        context.strokeStyle = rollby.colour(bands[band].css);
        context.lineWidth = Math.max(0.8, bands[band].width_px * grow) * px;
        context.lineCap = bands[band].dash_px.length ? "butt" : "round";
        /* From afar a dash is longer than a block: there widths and figures tell the bands. */
        const dash = zoom < FINE ? [] : bands[band].dash_px;
        context.setLineDash(dash.map(function (length) { return length * grow * px; }));
        this.trace(context, view, { line: function (line) { return codes[line] === band; } });
        context.stroke();
      }
    },
  });

  /* Gaps: a hatched halo under the bands. options.codes is 1 where a line lies in a gap. */
  rollby.RoadGaps = Roads.extend({
    initialize: function (net, options) {
      Roads.prototype.initialize.call(this, net, options);
      this.codes = rollby.decodeCodes(options.codes);
    },

    paint: function (context, view, zoom, px) {
      const codes = this.codes;
      this.trace(context, view, { line: function (line) { return codes[line] === 1; } });
      context.lineCap = "butt";
      context.lineWidth = Math.max(4, 9 * Math.pow(1.2, zoom - 14)) * px;
      const colour = rollby.colour("--gap-hatch");
      context.strokeStyle = zoom < FINE ? colour : hatching(context, colour);
      context.stroke();
    },
  });

  function hatching(context, colour) {
    const cell = document.createElement("canvas");
    cell.width = cell.height = 6;
    const pen = cell.getContext("2d");
    pen.strokeStyle = colour;
    pen.lineWidth = 1.5;
    pen.beginPath();
    for (const shift of [-6, 0, 6]) {
      pen.moveTo(shift - 1, 7);
      pen.lineTo(shift + 7, -1);
    }
    pen.stroke();
    return context.createPattern(cell, "repeat");
  }
})((window.rollby = window.rollby || {}));
