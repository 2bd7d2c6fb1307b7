/* rollby: the page around the map: theme, panel, lists that work from the keyboard, print. */
(function (rollby) {
  "use strict";

  const root = document.documentElement;
  const narrow = window.matchMedia("(max-width: 760px)");

  function setUpTheme() {
    const button = document.getElementById("theme-button");
    function say() {
      button.querySelector(".word").textContent = rollby.isDark() ? "Light" : "Dark";
    }
    button.addEventListener("click", function () {
      rollby.setTheme(rollby.isDark() ? "light" : "dark");
    });
    rollby.onTheme(say);
    say();
  }

  function setUpPanel(map) {
    const button = document.getElementById("panel-button");
    function show(open) {
      document.body.classList.toggle("panel-closed", !open);
      button.setAttribute("aria-expanded", String(open));
      map.invalidateSize({ pan: false });
    }
    button.addEventListener("click", function () {
      show(document.body.classList.contains("panel-closed"));
    });
    document.querySelector(".skip").addEventListener("click", function () { show(true); });
    show(!narrow.matches);
    return show;
  }

  /* Every button with data-sign shows that sign on the map and opens what it says. */
  function setUpLists(map, groups, showPanel) {
    const signs = {};
    for (const group of groups) {
      group.eachLayer(function (layer) {
        if (layer.rollby && layer.rollby.panel) signs[layer.rollby.panel] = [layer, group];
      });
    }
    document.addEventListener("click", function (event) {
      const entry = event.target.closest("[data-sign]");
      if (!entry || !signs[entry.dataset.sign]) return;
      const [sign, group] = signs[entry.dataset.sign];
      if (!map.hasLayer(group)) group.addTo(map);
      if (narrow.matches) showPanel(false);
      map.closePopup();
      map.setView(sign.getLatLng(), Math.max(map.getZoom(), 15), { animate: false });
      sign.openPopup();
    });
  }

  /* On paper: light, everything unfolded. A map that nobody moved shows what it opened on. */
  function setUpPrint(map, fit) {
    let before = null, moved = false;
    map.on("dragstart zoomstart popupopen", function () { moved = moved || !before; });
    function lay(view) {
      map.invalidateSize({ pan: false });
      if (moved) map.setView(view.centre, view.zoom, { animate: false });
      else fit();
      if (rollby.arrange) rollby.arrange(); // now: paper does not wait for a frame
    }
    function start() {
      if (before) return;
      const folded = Array.from(document.querySelectorAll("details:not([open])"));
      before = {
        theme: root.dataset.theme, folded: folded, centre: map.getCenter(), zoom: map.getZoom(),
      };
      for (const part of folded) part.open = true;
      root.classList.add("printing");
      map.closePopup();
      rollby.setTheme("light");
      lay(before);
    }
    function end() {
      if (!before) return;
      for (const part of before.folded) part.open = false;
      root.classList.remove("printing");
      rollby.setTheme(before.theme);
      lay(before);
      before = null;
    }
    window.addEventListener("beforeprint", start);
    window.addEventListener("afterprint", end);
    window.matchMedia("print").addEventListener("change", function (event) {
      if (event.matches) start();
      else end();
    });
  }

  /* Options: bounds [[south, west], [north, east]], imperial, groups (layers that hold signs). */
  rollby.openPage = function (map, options) {
    rollby.map = map;
    map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');
    map.attributionControl.addAttribution(
      '<a href="https://www.openstreetmap.org/copyright">' + options.credit + "</a>"
    );
    L.control.scale({ imperial: options.imperial, metric: true, maxWidth: 140 }).addTo(map);
    setUpTheme();
    const showPanel = setUpPanel(map);
    function fit() {
      const layers = map.getContainer().querySelector(".leaflet-control-layers-expanded");
      const edge = narrow.matches ? 24 : 40;
      map.fitBounds(options.bounds, {
        paddingTopLeft: [narrow.matches ? edge : 60, edge],
        paddingBottomRight: [layers ? layers.offsetWidth + 24 : edge, edge],
        maxZoom: 16,
        animate: false,
      });
    }
    fit();
    map.invalidateSize({ pan: false }); // a map without a view kept the size it had before the slider
    fit();
    setUpLists(map, options.groups, showPanel);
    setUpPrint(map, fit);
    rollby.keepApart(map);
    root.classList.add("ready");
  };
})((window.rollby = window.rollby || {}));
