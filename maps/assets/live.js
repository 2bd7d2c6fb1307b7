/* rollby: signs on a map that move: each is made once, and only what is new of it is drawn. */
(function (rollby) {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const CROWD = 60; // more units in view than that: names on the nearer zooms only
  const NAMES_FROM = 14;

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

  class Live {
    constructor(map, looks) {
      this.map = map;
      this.looks = looks;
      this.signs = new Map();
      this.onStop = null;
      map.on("zoomend", () => this.crowd());
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
      this.count = units.length;
      this.crowd();
    }

    put(kind, name, one) {
      const key = kind + ":" + name, look = lookOf(kind, one);
      let sign = this.signs.get(key);
      if (!sign) {
        sign = { marker: this.make(kind, one), lat: one.lat, lon: one.lon, look: look };
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

    crowd() {
      const crowded = this.count > CROWD && this.map.getZoom() < NAMES_FROM;
      this.map.getContainer().classList.toggle("crowded", crowded);
    }

    goTo(lat, lon) {
      this.map.setView([lat, lon], Math.max(this.map.getZoom(), 15), { animate: false });
    }
  }

  /* Options: bounds, imperial, credit, and the looks of statuses, freshness and flags. */
  rollby.openLive = function (map, options) {
    rollby.map = map;
    map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');
    map.attributionControl.addAttribution(
      '<a href="https://www.openstreetmap.org/copyright">' + options.credit + "</a>"
    );
    L.control.scale({ imperial: options.imperial, metric: true, maxWidth: 140 }).addTo(map);
    map.fitBounds(options.bounds, { animate: false });
    rollby.live = new Live(map, options);
    document.documentElement.classList.add("ready");
  };
})((window.rollby = window.rollby || {}));
