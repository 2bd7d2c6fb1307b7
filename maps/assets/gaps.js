/* rollby: cells by the share of time that a car was beyond T, for any hour of the week. */
(function (rollby) {
  "use strict";

  const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
  const CARS = ["First car", "Second car"];
  const WHOLE = -1, Z_95 = 1.959964, LABELS_FROM_ZOOM = 14;

  function two(number) { return String(number).padStart(2, "0"); }

  function hourName(hour) {
    if (hour === WHOLE) return "Whole week";
    return DAYS[Math.floor(hour / 24)] + " " + two(hour % 24) + ":00 to " + two(hour % 24 + 1) + ":00";
  }

  /* As data/words.py writes it: never rounded up to certainty. */
  function percent(share) {
    if (!(share >= 0 && share <= 1)) return "not looked at";
    if (share > 0 && share < 0.01) return "under 1\u00a0%";
    if (share > 0.99 && share < 1) return "over 99\u00a0%";
    return Math.round(100 * share) + "\u00a0%";
  }

  function drive(seconds) {
    if (seconds < 0) return "over 30:00, or nobody";
    return Math.floor(seconds / 60) + ":" + two(seconds % 60);
  }

  /* The drive time nine times of ten, and its interval where it is known. */
  function upto(data, car, cell) {
    const found = drive(data.p90_s[car][cell]);
    if (!data.p90_low_s) return found;
    return found + " (" + drive(data.p90_low_s[car][cell]) + " to " + drive(data.p90_high_s[car][cell]) + ")";
  }

  /* Wilson's interval, as geo/gap_figures.py gives it. */
  rollby.interval = function (mean, n) {
    if (!n) return [0, 1];
    const z = Z_95 * Z_95;
    const middle = (mean + z / (2 * n)) / (1 + z / n);
    const half = Z_95 / (1 + z / n) * Math.sqrt(mean * (1 - mean) / n + z / (4 * n * n));
    return [Math.max(0, Math.min(mean, middle - half)), Math.min(1, Math.max(mean, middle + half))];
  };

  /* The payload of maps/cells.py: rings in Mercator from 0 to 1, and what is chosen now. */
  rollby.weekOfCells = function (payload) {
    const rings = rollby.decodeRings(payload.cells);
    const count = rings.count;
    const row = new Int16Array(168).fill(-1);
    payload.seen.forEach(function (hour, i) { row[hour] = i; });
    const whole = payload.whole.map(rollby.decodeCodes);
    const byHour = payload.by_hour.map(rollby.decodeCodes);
    const listeners = [];
    const week = {
      rings: rings, count: count, data: payload, hour: WHOLE, car: 1, cell: null,
      seen: function (hour) { return hour === WHOLE || row[hour] >= 0; },
      times: function (hour) {
        return hour === WHOLE ? payload.days : row[hour] < 0 ? 0 : payload.times[row[hour]];
      },
      /* Of a cell, or of all road where `cell` is null; NaN where nobody looked. */
      share: function (cell, hour, car) {
        if (!week.seen(hour)) return NaN;
        if (cell === null) {
          return hour === WHOLE ? payload.all_whole[car] : payload.all_by_hour[car][row[hour]];
        }
        const level = hour === WHOLE ? whole[car][cell] : byHour[car][row[hour] * count + cell];
        return level > payload.levels ? NaN : level / payload.levels;
      },
      /* The row of style.SHARES; -1 where nobody looked. */
      step: function (share) {
        if (!(share >= 0)) return -1;
        const step = payload.bounds.findIndex(function (bound) { return share <= bound; });
        return step < 0 ? payload.bounds.length : step;
      },
      name: function (cell) {
        return cell === null ? "All road" : payload.names[payload.street[cell]] || "Road without a name";
      },
      choose: function (change) {
        Object.assign(week, change);
        for (const call of listeners) call();
      },
      onChange: function (call) { listeners.push(call); },
    };
    return week;
  };

  /* One car's shares as a layer: coloured cells beneath the roads, with figures from near by. */
  rollby.CellShares = L.Layer.extend({
    initialize: function (week, options) {
      this.week = week;
      L.setOptions(this, options);
      week.onChange(this.draw.bind(this));
    },

    onAdd: function (map) {
      const pane = map.getPane("cells") || map.createPane("cells");
      pane.style.zIndex = 150;
      const above = map.getPane("figures") || map.createPane("figures");
      above.style.zIndex = 260;
      above.style.pointerEvents = pane.style.pointerEvents = "none";
      this.canvas = L.DomUtil.create("canvas", "cell-shares", pane);
      this.figures = L.DomUtil.create("canvas", "cell-figures", above);
      this.canvas.setAttribute("aria-hidden", "true");
      this.figures.setAttribute("aria-hidden", "true");
      map.on("moveend resize", this.draw, this);
      map.on("zoomstart", this.clear, this);
      rollby.onTheme(this.draw, this);
      map.whenReady(this.draw, this);
      this.week.choose({ car: this.options.car });
    },

    onRemove: function (map) {
      map.off("moveend resize", this.draw, this);
      map.off("zoomstart", this.clear, this);
      rollby.offTheme(this.draw, this);
      this.canvas.remove();
      this.figures.remove();
    },

    clear: function () {
      for (const canvas of [this.canvas, this.figures]) canvas.width = canvas.height = 0;
    },

    /* A canvas as large as the view and half of it around, so that a short move shows no edge. */
    pen: function (canvas, view) {
      const ratio = Math.min(window.devicePixelRatio || 1, 2);
      canvas.width = view.width * ratio;
      canvas.height = view.height * ratio;
      canvas.style.width = view.width + "px";
      canvas.style.height = view.height + "px";
      L.DomUtil.setPosition(canvas, view.corner);
      const pen = canvas.getContext("2d");
      pen.scale(ratio, ratio);
      return pen;
    },

    draw: function () {
      const map = this._map;
      if (!map || !map._loaded) return;
      const size = map.getSize(), around = [Math.round(size.x / 4), Math.round(size.y / 4)];
      const origin = map.getPixelBounds().min.subtract(around);
      const view = {
        width: size.x + 2 * around[0], height: size.y + 2 * around[1],
        corner: map.containerPointToLayerPoint([-around[0], -around[1]]),
      };
      const scale = 256 * Math.pow(2, map.getZoom()), week = this.week, rings = week.rings;
      const pen = this.pen(this.canvas, view), labels = this.pen(this.figures, view);
      const colours = week.data.bounds.concat(1).map(function (_, i) { return rollby.colour("--share-" + i); });
      const ink = rollby.colour("--ink"), halo = rollby.colour("--halo");
      labels.font = "600 11px system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
      labels.textAlign = "center";
      labels.textBaseline = "middle";
      labels.lineWidth = 3;
      pen.lineWidth = 1;
      for (let cell = 0; cell < week.count; cell++) {
        const x = rings.middle[2 * cell] * scale - origin.x, y = rings.middle[2 * cell + 1] * scale - origin.y;
        const reach = rings.reach[cell] * scale;
        if (x < -reach || y < -reach || x > view.width + reach || y > view.height + reach) continue;
        const share = week.share(cell, week.hour, this.options.car), step = week.step(share);
        pen.beginPath();
        for (let i = rings.start[cell]; i < rings.start[cell + 1]; i++) {
          pen.lineTo(rings.x[i] * scale - origin.x, rings.y[i] * scale - origin.y);
        }
        pen.closePath();
        if (step >= 0) {
          pen.fillStyle = colours[step];
          pen.fill();
        }
        pen.setLineDash(step < 0 ? [2, 4] : []);
        pen.strokeStyle = step < 0 ? ink : halo;
        pen.globalAlpha = step < 0 ? 0.5 : 0.35;
        pen.stroke();
        pen.globalAlpha = 1;
        if (cell === week.cell) this.mark(labels, rings, cell, scale, origin, ink);
        if (map.getZoom() >= LABELS_FROM_ZOOM && step > 0) {
          labels.strokeStyle = halo;
          labels.fillStyle = ink;
          labels.strokeText(percent(share), x, y);
          labels.fillText(percent(share), x, y);
        }
      }
    },

    mark: function (pen, rings, cell, scale, origin, ink) {
      pen.beginPath();
      for (let i = rings.start[cell]; i < rings.start[cell + 1]; i++) {
        pen.lineTo(rings.x[i] * scale - origin.x, rings.y[i] * scale - origin.y);
      }
      pen.closePath();
      pen.strokeStyle = ink;
      pen.stroke();
    },
  });

  function element(kind, css, text) {
    const made = document.createElement(kind);
    if (css) made.className = css;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  /* The hour's slider, at the foot of the map. */
  function slider(map, week) {
    const box = element("div", "hour-bar"), said = element("output", "hour-said");
    const range = document.createElement("input");
    range.type = "range";
    range.min = WHOLE;
    range.max = 167;
    range.step = 1;
    range.id = "hour-of-week";
    const label = element("label", "hour-label", "Hour of the week");
    label.htmlFor = range.id;
    const whole = element("button", "hour-whole", "Whole week");
    whole.type = "button";
    const ticks = element("div", "hour-ticks");
    ticks.setAttribute("aria-hidden", "true");
    for (const day of DAYS) ticks.append(element("span", "", day));
    const track = element("div", "hour-track");
    track.append(range, ticks);
    box.append(label, said, whole, track);
    range.addEventListener("input", function () { week.choose({ hour: Number(range.value) }); });
    whole.addEventListener("click", function () { week.choose({ hour: WHOLE }); });
    function show() {
      const share = week.share(null, week.hour, week.car);
      const text = hourName(week.hour) + ": " + (share >= 0
        ? CARS[week.car].toLowerCase() + " beyond T on " + percent(share) + " of road" : percent(share));
      range.value = week.hour;
      range.setAttribute("aria-valuetext", text);
      said.textContent = text;
      whole.disabled = week.hour === WHOLE;
    }
    week.onChange(show);
    show();
    map.getContainer().after(box);
  }

  /* The matrix of the panel: seven days by twenty-four hours, of all road or of one cell. */
  function matrix(table, week) {
    const cells = Array.from(table.querySelectorAll("td[data-hour]"));
    const title = document.getElementById("matrix-of"), back = document.getElementById("matrix-all");
    for (const cell of cells) {
      cell.addEventListener("click", function () { week.choose({ hour: Number(cell.dataset.hour) }); });
    }
    back.addEventListener("click", function () {
      week.choose({ cell: null });
      rollby.map.closePopup();
    });
    function show() {
      title.textContent = week.name(week.cell) + ", " + CARS[week.car].toLowerCase();
      back.hidden = week.cell === null;
      for (const cell of cells) {
        const hour = Number(cell.dataset.hour), share = week.share(week.cell, hour, week.car);
        const step = week.step(share);
        cell.className = step < 0 ? "share-none" : "share-" + step;
        cell.classList.toggle("chosen", hour === week.hour);
        cell.title = hourName(hour) + ": " + percent(share);
        cell.firstChild.textContent = percent(share);
      }
    }
    week.onChange(show);
    show();
  }

  /* What is said of one cell, now: two cars, each with its interval. */
  function explanation(week, cell) {
    const box = element("div", "why explanation"), list = document.createElement("dl");
    box.append(element("p", "title", week.name(cell)), element("p", "quiet", hourName(week.hour)), list);
    const n = week.times(week.hour);
    for (const car of [0, 1]) {
      const alike = week.hour === WHOLE ? week.data.days_alike[car] : 1;
      const share = week.share(cell, week.hour, car), ends = rollby.interval(share, n / alike);
      list.append(element("dt", "", CARS[car] + " beyond T"), element("dd", "", share >= 0
        ? percent(share) + " (" + percent(ends[0]) + " to " + percent(ends[1]) + ")" : percent(share)));
    }
    const seen = week.hour === WHOLE ? n + (n === 1 ? " day" : " days") : n + (n === 1 ? " such hour" : " such hours");
    list.append(element("dt", "", "Rests on"), element("dd", "", seen));
    for (const car of [0, 1]) {
      list.append(element("dt", "", CARS[car] + ", 9 of 10 times"),
        element("dd", "", upto(week.data, car, cell)));
    }
    list.append(element("dt", "", "Stops a week, second car beyond"),
      element("dd", "", week.data.stops[cell]));
    return box;
  }

  function cellAt(week, latlng) {
    const rings = week.rings, x = latlng.lng / 360 + 0.5;
    const sine = Math.sin(latlng.lat * Math.PI / 180);
    const y = 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
    for (let cell = 0; cell < week.count; cell++) {
      const dx = x - rings.middle[2 * cell], dy = y - rings.middle[2 * cell + 1];
      if (Math.hypot(dx, dy) <= rings.reach[cell] && inside(rings, cell, x, y)) return cell;
    }
    return null;
  }

  function inside(rings, cell, x, y) {
    let odd = false;
    const first = rings.start[cell], end = rings.start[cell + 1];
    for (let i = first, j = end - 1; i < end; j = i++) {
      if ((rings.y[i] > y) !== (rings.y[j] > y) &&
          x < (rings.x[j] - rings.x[i]) * (y - rings.y[i]) / (rings.y[j] - rings.y[i]) + rings.x[i]) odd = !odd;
    }
    return odd;
  }

  function middleOf(rings, cell) {
    const x = rings.middle[2 * cell], y = rings.middle[2 * cell + 1];
    return L.latLng(Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180 / Math.PI, 360 * (x - 0.5));
  }

  rollby.openGaps = function (map, week) {
    let popup = null;
    function open(cell, at) {
      week.choose({ cell: cell });
      popup = L.popup({ className: "rollby-popup", maxWidth: Math.min(330, window.innerWidth - 72) })
        .setLatLng(at).setContent(explanation(week, cell));
      popup.cell = cell;
      popup.openOn(map);
      popup.getElement().setAttribute("role", "dialog");
      popup.getElement().setAttribute("aria-label", week.name(cell));
    }
    week.onChange(function () {
      if (popup && map.hasLayer(popup)) popup.setContent(explanation(week, popup.cell));
    });
    map.on("click", function (event) {
      const cell = cellAt(week, event.latlng);
      if (cell !== null) open(cell, event.latlng);
    });
    document.addEventListener("click", function (event) {
      const entry = event.target.closest("[data-cell]");
      if (!entry) return;
      const cell = Number(entry.dataset.cell), at = middleOf(week.rings, cell);
      const panel = document.getElementById("panel-button");
      const sheet = window.matchMedia("(max-width: 760px)").matches;
      if (sheet && panel && panel.getAttribute("aria-expanded") === "true") panel.click();
      map.setView(at, Math.max(map.getZoom(), 14), { animate: false });
      open(cell, at);
    });
    slider(map, week);
    matrix(document.getElementById("matrix"), week);
  };
})((window.rollby = window.rollby || {}));
