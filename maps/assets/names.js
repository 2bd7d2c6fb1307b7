/* rollby: street names written along the roads, the greater road first, none over another. */
(function (rollby) {
  "use strict";

  const FROM_ZOOM = { motorway: 12, trunk: 12, primary: 13, secondary: 14, tertiary: 15, other: 16 };
  const FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif";
  const APART = 260, STRAIGHT = 0.97;

  rollby.RoadNames = L.Layer.extend({
    initialize: function (net, options) {
      this.net = net;
      L.setOptions(this, options);
    },

    onAdd: function (map) {
      const pane = map.getPane("names") || map.createPane("names");
      pane.style.zIndex = 250;
      pane.style.pointerEvents = "none";
      this.canvas = L.DomUtil.create("canvas", "road-names", pane);
      this.canvas.setAttribute("aria-hidden", "true");
      map.on("moveend resize", this.write, this);
      map.on("zoomstart", this.clear, this);
      rollby.onTheme(this.write, this);
      map.whenReady(this.write, this);
    },

    onRemove: function (map) {
      map.off("moveend resize", this.write, this);
      map.off("zoomstart", this.clear, this);
      rollby.offTheme(this.write, this);
      this.canvas.remove();
    },

    clear: function () {
      this.canvas.width = this.canvas.height = 0;
    },

    write: function () {
      const map = this._map, size = map.getSize(), zoom = map.getZoom();
      const ratio = Math.min(window.devicePixelRatio || 1, 3);
      this.canvas.width = size.x * ratio;
      this.canvas.height = size.y * ratio;
      this.canvas.style.width = size.x + "px";
      this.canvas.style.height = size.y + "px";
      L.DomUtil.setPosition(this.canvas, map.containerPointToLayerPoint([0, 0]));
      const pen = this.canvas.getContext("2d");
      pen.scale(ratio, ratio);
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.lineJoin = "round";
      pen.lineWidth = 3.5;
      pen.fillStyle = rollby.colour("--road-name");
      pen.strokeStyle = rollby.colour("--halo");
      const origin = map.getPixelBounds().min, scale = 256 * Math.pow(2, zoom);
      this.written = [];
      for (let chain = 0; chain < this.net.chains; chain++) {
        const kind = this.net.classes[this.net.chainClass[chain]];
        const name = this.net.names[this.net.chainName[chain]];
        if (!name || zoom < FROM_ZOOM[kind]) continue;
        const box = this.net.chainBox, b = 4 * chain;
        if (box[b] * scale > origin.x + size.x || box[b + 2] * scale < origin.x) continue;
        if (box[b + 1] * scale > origin.y + size.y || box[b + 3] * scale < origin.y) continue;
        pen.font = (kind === "other" ? "500 11px " : "600 12px ") + FONT;
        this.writeAlong(pen, chain, name, { origin: origin, scale: scale, size: size });
      }
    },

    /* Puts a name on every straight stretch that has room for it, far enough from its like. */
    writeAlong: function (pen, chain, name, view) {
      const net = this.net, width = pen.measureText(name).width;
      const from = net.lineFrom[net.chainLine[chain]];
      const to = net.lineTo[net.chainLine[chain + 1] - 1];
      let first = from, length = 0;
      for (let i = from + 1; i <= to; i++) {
        length += step(net, i - 1, i, view);
        while (length > width + 24) {
          const a = pixel(net, first, view), b = pixel(net, i, view);
          const chord = Math.hypot(b[0] - a[0], b[1] - a[1]);
          if (chord > STRAIGHT * length) this.writeAt(pen, name, width, a, b, view);
          first++;
          length -= step(net, first - 1, first, view);
          if (first >= i) length = 0;
        }
      }
    },

    writeAt: function (pen, name, width, a, b, view) {
      const x = (a[0] + b[0]) / 2, y = (a[1] + b[1]) / 2;
      let angle = Math.atan2(b[1] - a[1], b[0] - a[0]);
      if (angle > Math.PI / 2) angle -= Math.PI;
      if (angle < -Math.PI / 2) angle += Math.PI;
      const half = [
        (Math.abs(Math.cos(angle)) * width + Math.abs(Math.sin(angle)) * 14) / 2,
        (Math.abs(Math.sin(angle)) * width + Math.abs(Math.cos(angle)) * 14) / 2,
      ];
      if (x - half[0] < 0 || y - half[1] < 0) return;
      if (x + half[0] > view.size.x || y + half[1] > view.size.y) return;
      for (const other of this.written) {
        const dx = Math.abs(other.x - x), dy = Math.abs(other.y - y);
        if (other.name === name && Math.hypot(dx, dy) < APART) return;
        if (dx < other.half[0] + half[0] + 4 && dy < other.half[1] + half[1] + 4) return;
      }
      this.written.push({ x: x, y: y, half: half, name: name });
      pen.save();
      pen.translate(x, y);
      pen.rotate(angle);
      pen.strokeText(name, 0, 0);
      pen.fillText(name, 0, 0);
      pen.restore();
    },
  });

  function pixel(net, i, view) {
    return [net.x[i] * view.scale - view.origin.x, net.y[i] * view.scale - view.origin.y];
  }

  function step(net, i, j, view) {
    return Math.hypot(net.x[j] - net.x[i], net.y[j] - net.y[i]) * view.scale;
  }
})((window.rollby = window.rollby || {}));
