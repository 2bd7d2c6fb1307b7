/* rollby: signs on a map that move: each is made once, and only what is new of it is drawn. */
(function (rollby) {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const BESIDE_PX = 3; // between a sign and its name
  const COVERED = 0.1; // of a name, by signs or other names: then it gives way

  function symbol(name, css) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", css);
    const use = document.createElementNS(SVG, "use");
    use.setAttribute("href", "#s-" + name);
    svg.append(use);
    return svg;
  }

  function span(css, text) {
    const one = document.createElement("span");
    one.className = css;
    if (text) one.textContent = text; // never as HTML: names are other people's
    return one;
  }

  function frame(kind) {
    const box = span("sign " + kind), stand = span("stand");
    box.append(stand);
    return [box, stand];
  }

  function drawUnit(unit, looks) {
    const [box, stand] = frame("unit");
    const look = looks.statuses[unit.status] || { symbol: "circle", css: "status-off" };
    const fresh = looks.freshness[unit.freshness] || looks.freshness.stale;
    if (fresh.css === "fix-silent" || fresh.css === "fix-stale") box.classList.add(fresh.css.replace("fix", "is"));
    const mark = span("symbol " + look.css + " " + fresh.css);
    if (unit.heading_deg !== null) {
      const heading = symbol("heading", "heading");
      heading.style.setProperty("--heading", unit.heading_deg + "deg");
      mark.append(heading);
    }
    mark.append(symbol(look.symbol, "shape"));
    if (fresh.symbol) mark.append(symbol(fresh.symbol, "over"));
    const tag = span("tag", unit.unit_id);
    if (fresh.css === "fix-silent" || fresh.css === "fix-stale") tag.append(span("detail", " " + fresh.word));
    stand.append(mark, tag);
    return box;
  }

  function drawStop(stop, looks) {
    const [box, stand] = frame("stop");
    const look = looks.flags[stop.flag];
    const mark = span("symbol " + look.css), letter = document.createElement("b");
    letter.className = "letter";
    letter.dataset.letter = look.letter;
    mark.append(symbol(look.symbol, "shape"), letter);
    const tag = span("tag", stop.unit_id);
    stand.append(mark, tag);
    return box;
  }

  function lookOf(kind, one) {
    return kind === "unit"
      ? [one.status, one.freshness, one.heading_deg].join()
      : [one.flag, one.unit_id].join();
  }

  function covered(box, by) {
    const w = Math.min(box[2], by[2]) - Math.max(box[0], by[0]);
    const h = Math.min(box[3], by[3]) - Math.max(box[1], by[1]);
    return w > 0 && h > 0 && w * h > COVERED * (box[2] - box[0]) * (box[3] - box[1]);
  }

  function measure(sign) {
    const box = sign.marker.getElement();
    sign.tag = box.querySelector(".tag");
    sign.half = box.querySelector(".symbol").offsetWidth / 2;
    sign.width = sign.tag.offsetWidth;
    sign.height = sign.tag.offsetHeight;
    sign.left = null;
    // A stop's name is shown whatever lies there, one that is silent before those that are heard.
    sign.rank = sign.kind === "stop" ? 0 : box.querySelector(".is-silent") ? 1 : 2;
  }

  const NUDGE = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const NUDGE_PX = 24;

  class Live {
    constructor(map, bandLayer, looks) {
      this.map = map;
      this.bandLayer = bandLayer;
      this.looks = looks;
      this.signs = new Map();
      this.ghosts = new Map();
      this.onStop = null;
      this.droppedAt = -Infinity;  // the click that ends a drag is none
      this.onThought = null;  // called with a unit's name and where it might be
      map.on("zoomend moveend resize", () => this.makeRoom());
      map.getContainer().addEventListener("pointerdown", (event) => this.grasp(event));
    }

    /* How soon a car is on each line; null takes the layer off. */
    bands(codes) {
      if (codes === null) { this.bandLayer.remove(); return; }
      this.bandLayer.codes = rollby.decodeCodes(codes);
      if (this.map.hasLayer(this.bandLayer)) this.bandLayer.redraw();
      else this.bandLayer.addTo(this.map);
    }

    /* ---- units that might be elsewhere: each a sign of its own; the real one stays where it is ---- */

    think(on) {
      this.thinking = on;
      this.map.getContainer().classList.toggle("thinking", on);
      if (on) return;
      for (const ghost of this.ghosts.values()) { ghost.marker.remove(); ghost.tie.remove(); }
      this.ghosts.clear();
    }

    putGhost(name, lat, lon) {
      let ghost = this.ghosts.get(name);
      const real = this.signs.get("unit:" + name);
      if (!ghost) {
        const [box, stand] = frame("ghost");
        const mark = span("symbol");
        mark.append(symbol("circle", "shape"));
        stand.append(mark, span("tag", name + " ?"));
        const icon = L.divIcon({ className: "sign-anchor", html: box, iconSize: [0, 0] });
        const marker = L.marker([lat, lon], { icon: icon, keyboard: false, interactive: false, zIndexOffset: 3000 });
        const tie = L.polyline([], { className: "ghost-tie", interactive: false });
        ghost = { marker: marker.addTo(this.map), tie: tie.addTo(this.map) };
        const element = marker.getElement();
        element.dataset.ghost = name;
        element.tabIndex = 0;
        element.setAttribute("role", "button");
        element.setAttribute("aria-label", "What if " + name + " were here: arrow keys move it");
        element.addEventListener("keydown", (event) => this.nudge(event, name));
        this.ghosts.set(name, ghost);
      }
      ghost.marker.setLatLng([lat, lon]);
      ghost.tie.setLatLngs(real ? [[real.lat, real.lon], [lat, lon]] : []);
      if (this.onThought) this.onThought(name, lat, lon);
    }

    nudge(event, name) {
      const way = NUDGE[event.key];
      if (!way) return;
      event.preventDefault();
      event.stopPropagation();
      const step = event.shiftKey ? NUDGE_PX / 6 : NUDGE_PX;
      const at = this.map.latLngToContainerPoint(this.ghosts.get(name).marker.getLatLng());
      const to = this.map.containerPointToLatLng([at.x + step * way[0], at.y + step * way[1]]);
      this.putGhost(name, to.lat, to.lng);
    }

    grasp(event) {
      const anchor = this.thinking && event.target.closest("[data-unit], [data-ghost]");
      if (!anchor || event.button > 0) return;
      const name = anchor.dataset.unit || anchor.dataset.ghost;
      event.preventDefault();
      event.stopPropagation();
      this.map.dragging.disable();
      const move = (one) => {
        const at = this.map.mouseEventToLatLng(one);
        this.putGhost(name, at.lat, at.lng);
      };
      const drop = () => {
        this.droppedAt = performance.now();
        this.map.dragging.enable();
        removeEventListener("pointermove", move);
        removeEventListener("pointerup", drop);
        removeEventListener("pointercancel", drop);
      };
      addEventListener("pointermove", move);
      addEventListener("pointerup", drop);
      addEventListener("pointercancel", drop);
    }

    /* Units and stops as the live picture has them; whoever is there no more goes. */
    show(units, stops) {
      const seen = new Set();
      const calls = new Set(stops.map((one) => one.unit_id));
      for (const stop of stops) if (stop.lon !== null) seen.add(this.put("stop", stop.stop_id, stop));
      for (const unit of units) {
        if (unit.lon !== null && !(calls.has(unit.unit_id) && unit.freshness === "fresh")) {
          seen.add(this.put("unit", unit.unit_id, unit));
        }
      }
      for (const [key, sign] of this.signs) {
        if (seen.has(key)) continue;
        sign.marker.remove();
        this.signs.delete(key);
      }
      this.makeRoom();
    }

    put(kind, name, one) {
      const key = kind + ":" + name, look = lookOf(kind, one);
      let sign = this.signs.get(key);
      if (!sign) {
        sign = { kind: kind, marker: this.make(kind, one), lat: one.lat, lon: one.lon, look: look };
        this.signs.set(key, sign);
        return key;
      }
      if (sign.lat !== one.lat || sign.lon !== one.lon) {
        sign.lat = one.lat;
        sign.lon = one.lon;
        sign.marker.setLatLng([one.lat, one.lon]);
      }
      if (sign.look !== look) {
        sign.look = look;
        sign.marker.getElement().replaceChildren(this.draw(kind, one));
        sign.tag = null;
      }
      return key;
    }

    draw(kind, one) {
      return kind === "unit" ? drawUnit(one, this.looks) : drawStop(one, this.looks);
    }

    make(kind, one) {
      const marker = L.marker([one.lat, one.lon], {
        icon: L.divIcon({ className: "sign-anchor", html: this.draw(kind, one), iconSize: [0, 0] }),
        keyboard: false, interactive: kind === "stop", riseOnHover: true,
        zIndexOffset: kind === "stop" ? 2000 : 0,
      });
      marker.addTo(this.map);
      const element = marker.getElement();
      element.setAttribute("aria-hidden", "true"); // the list says the same in words
      element.dataset[kind] = kind === "unit" ? one.unit_id : one.stop_id;
      if (kind === "stop") marker.on("click", () => this.onStop && this.onStop(one.stop_id));
      return marker;
    }

    /* Names stand right or left of their signs, and give way where they would lie on others. */
    makeRoom() {
      const view = this.map.getSize(), taken = [], shown = [];
      for (const sign of this.signs.values()) {
        const at = this.map.latLngToContainerPoint([sign.lat, sign.lon]);
        if (!view.contains(at)) continue;
        if (!sign.tag) measure(sign);
        taken.push([at.x - sign.half, at.y - sign.half, at.x + sign.half, at.y + sign.half]);
        shown.push([sign, at]);
      }
      shown.sort((a, b) => a[0].rank - b[0].rank);
      for (const [sign, at] of shown) {
        const right = sign.half + BESIDE_PX, left = -right - sign.width;
        const boxAt = (x) => [at.x + x, at.y - sign.height / 2, at.x + x + sign.width, at.y + sign.height / 2];
        const sides = sign.left === left ? [left, right] : [right, left]; // it stays where it is, if it can
        let side = sides.find((x) => !taken.some((by) => covered(boxAt(x), by)));
        if (side === undefined && sign.kind === "stop") side = sides[0];
        if (side !== undefined) taken.push(boxAt(side));
        if (side === sign.left) continue;
        sign.left = side;
        sign.tag.classList.toggle("no-room", side === undefined);
        if (side !== undefined) sign.tag.style.left = side + "px";
      }
    }

    goTo(lat, lon) {
      this.map.setView([lat, lon], Math.max(this.map.getZoom(), 15), { animate: false });
    }
  }

  /* Options: bounds, imperial, credit, and the looks of statuses, freshness and flags. */
  rollby.openLive = function (map, bands, options) {
    rollby.map = map;
    map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');
    map.attributionControl.addAttribution(
      '<a href="https://www.openstreetmap.org/copyright">' + options.credit + "</a>"
    );
    L.control.scale({ imperial: options.imperial, metric: true, maxWidth: 140 }).addTo(map);
    map.fitBounds(options.bounds, { animate: false });
    rollby.live = new Live(map, bands, options);
    document.documentElement.classList.add("ready");
  };
})((window.rollby = window.rollby || {}));
