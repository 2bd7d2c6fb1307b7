/* rollby: signs on the map (stops, units, labels) that never cover each other. */
(function (rollby) {
  "use strict";

  /* A marker whose HTML is one span; options: html, label, kind, panel (id of the explanation). */
  rollby.sign = function (place, options) {
    const marker = L.marker(place, {
      icon: L.divIcon({ className: "sign-anchor", html: options.html, iconSize: [0, 0] }),
      keyboard: Boolean(options.panel),
      interactive: Boolean(options.panel),
      riseOnHover: true,
      zIndexOffset: { stop: 2000, route: 1000, gap: 1500 }[options.kind] || 0,
    });
    marker.rollby = options;
    marker.on("add", function () {
      const element = marker.getElement();
      if (options.panel) element.setAttribute("aria-label", options.label);
      else element.setAttribute("aria-hidden", "true");
    });
    if (options.panel) bindExplanation(marker, options);
    return marker;
  };

  /* The popup is a copy of what the panel says: one text, for eyes, print and screen readers. */
  function bindExplanation(marker, options) {
    marker.bindPopup(function () {
      const copy = document.getElementById(options.panel).cloneNode(true);
      copy.removeAttribute("id");
      copy.hidden = false;
      copy.classList.add("explanation");
      return copy;
    }, {
      maxWidth: Math.min(370, window.innerWidth - 72),
      minWidth: Math.min(290, window.innerWidth - 72),
      maxHeight: Math.round(Math.min(680, window.innerHeight * 0.62)),
      // Clear of the layers on the right, where there is room.
      autoPanPaddingTopLeft: [16, 16],
      autoPanPaddingBottomRight: [window.innerWidth > 900 ? 190 : 16, 16],
      className: "rollby-popup",
    });
    marker.on("popupopen", function (event) {
      const box = event.popup.getElement();
      box.setAttribute("role", "dialog");
      box.setAttribute("aria-label", options.label);
      box.tabIndex = -1;
      const text = box.querySelector(".leaflet-popup-scrolled");
      if (text) {
        text.tabIndex = 0;
        text.setAttribute("role", "group");
        text.setAttribute("aria-label", options.label);
      }
      const close = box.querySelector(".leaflet-popup-close-button");
      if (close) close.setAttribute("aria-label", "Close");
      const back = document.activeElement;
      marker._rollbyBack = back && back !== document.body ? back : null;
      box.addEventListener("keydown", function (key) {
        if (key.key === "Escape") {
          key.stopPropagation();
          marker.closePopup();
        }
      });
      box.focus({ preventScroll: true });
    });
    marker.on("popupclose", function (event) {
      const box = event.popup.getElement();
      const inside = box && box.contains(document.activeElement);
      if (marker._rollbyBack && (inside || document.activeElement === document.body)) {
        marker._rollbyBack.focus({ preventScroll: true });
      }
    });
  }

  function overlap(a, b) {
    const w = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
    const h = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
    return w > 0 && h > 0 ? w * h : 0;
  }

  function crowding(box, boxes) {
    let sum = 0;
    for (const other of boxes) sum += overlap(box, other);
    return sum;
  }

  const RANK = { stop: 0, end: 0, gap: 1, route: 2, unit: 3 };

  /* Where a symbol may stand: at its place, else on rings around it, tied to it by a line. */
  function standings(kind) {
    const places = [[0, 0]];
    if (kind === "stop" || kind === "unit" || kind === "gap") {
      for (const radius of [26, 40, 56]) {
        for (let turn = 0; turn < 8; turn++) {
          const angle = (turn * 45 + 45) * Math.PI / 180;
          places.push([Math.round(radius * Math.cos(angle)), Math.round(radius * Math.sin(angle))]);
        }
      }
    }
    return places;
  }

  function tagPlaces(symbol, width, height) {
    const near = symbol / 2 + 3;
    return [
      [near, -height / 2], [-near - width, -height / 2],
      [-width / 2, -near - height], [-width / 2, near],
      [near - 4, -near - height + 4], [near - 4, near - 4],
      [-near - width + 4, -near - height + 4], [-near - width + 4, near - 4],
    ];
  }

  function arrange(map) {
    const signs = [];
    map.eachLayer(function (layer) {
      if (layer.rollby && layer.getElement()) signs.push(layer);
    });
    signs.sort(function (a, b) {
      return (RANK[a.rollby.kind] - RANK[b.rollby.kind]) || (a._leaflet_id - b._leaflet_id);
    });
    const view = map.getSize(), pad = 60;
    const shown = signs.map(function (marker) {
      const box = marker.getElement().firstElementChild;
      const tag = box.querySelector(".tag");
      const symbol = box.querySelector(".symbol");
      return {
        box: box, tag: tag, marker: marker, at: map.latLngToContainerPoint(marker.getLatLng()),
        width: tag ? tag.offsetWidth : 0, height: tag ? tag.offsetHeight : 0,
        size: symbol ? symbol.offsetWidth : 0,
        pointer: symbol && symbol.querySelector(".heading") ? 5 : 0,
      };
    }).filter(function (sign) {
      return sign.at.x > -pad && sign.at.y > -pad && sign.at.x < view.x + pad && sign.at.y < view.y + pad;
    });
    const taken = [];
    for (const sign of shown) if (sign.size) standAt(sign, taken);
    taken.push(...controls(map));
    for (const sign of shown) if (sign.tag) tagAt(sign, taken, view);
  }

  function controls(map) {
    const frame = map.getContainer().getBoundingClientRect();
    return Array.from(map.getContainer().querySelectorAll(".leaflet-control"), function (control) {
      const box = control.getBoundingClientRect();
      return [box.left - frame.left, box.top - frame.top, box.right - frame.left, box.bottom - frame.top];
    });
  }

  function standAt(sign, taken) {
    const half = sign.size / 2 + 1;
    let best = [0, 0], least = Infinity, bestBox = null;
    for (const [dx, dy] of standings(sign.marker.rollby.kind)) {
      const x = sign.at.x + dx, y = sign.at.y + dy;
      const box = [x - half, y - half, x + half, y + half];
      const crowd = crowding(box, taken);
      if (crowd < least) {
        least = crowd;
        best = [dx, dy];
        bestBox = box;
        if (crowd < 0.12 * sign.size * sign.size) break;
      }
    }
    taken.push(bestBox);
    sign.shift = best;
    const length = Math.hypot(best[0], best[1]);
    sign.box.style.setProperty("--dx", best[0] + "px");
    sign.box.style.setProperty("--dy", best[1] + "px");
    sign.box.style.setProperty("--tie", length + "px");
    sign.box.style.setProperty("--turn", Math.atan2(best[1], best[0]) + "rad");
    sign.box.classList.toggle("moved", length > 0);
  }

  function tagAt(sign, taken, view) {
    const shift = sign.shift || [0, 0];
    const x = sign.at.x + shift[0], y = sign.at.y + shift[1];
    let best = null, least = Infinity, bestBox = null;
    tagPlaces(sign.size ? sign.size + 2 * sign.pointer : -6, sign.width, sign.height).forEach(function (place, turn) {
      const box = [x + place[0], y + place[1], x + place[0] + sign.width, y + place[1] + sign.height];
      const outside = sign.width * sign.height - overlap(box, [2, 2, view.x - 2, view.y - 2]);
      const crowd = crowding(box, taken) + 8 * outside + 0.2 * turn;
      if (crowd < least) {
        least = crowd;
        best = place;
        bestBox = box;
      }
    });
    /* A unit's name gives way where there is no room: its symbol stays, and the list names it. */
    const hidden = sign.marker.rollby.kind === "unit" && least > 0.35 * sign.width * sign.height;
    sign.tag.classList.toggle("no-room", hidden);
    sign.tag.style.left = best[0] + "px";
    sign.tag.style.top = best[1] + "px";
    if (!hidden) taken.push(bestBox);
  }

  /* Arrange the signs of a map now and whenever its view or its layers change. */
  rollby.keepApart = function (map) {
    let waiting = false;
    function soon() {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(function () {
        waiting = false;
        arrange(map);
      });
    }
    map.on("zoomend moveend resize overlayadd overlayremove baselayerchange", soon);
    rollby.onTheme(soon, map);
    rollby.arrange = function () { arrange(map); };
    rollby.arrange();
  };
})((window.rollby = window.rollby || {}));
