/* rollby: a plan of posts by hand: move one, add one, and see the shares change. Places are those
   that the solver chose from, so that the figures are exact, and as its own. */

const FARTHEST_MS = 3600000;  // as geo/posts.py has it

/* What some posts give: shares of the demand within T of one and of two, and the mean drive. */
export function cover(data, rows) {
  let first = 0, second = 0, mean = 0;
  for (let point = 0; point < data.share.length; point++) {
    let within = 0, least = FARTHEST_MS;
    for (const row of rows) {
      const time = data.time_ms[row][point];
      if (time < 0) continue;
      if (time <= data.within_ms[point]) within++;
      if (time < least) least = time;
    }
    if (within > 0) first += data.share[point];
    if (within > 1) second += data.share[point];
    mean += data.share[point] * least;
  }
  return { first, second, mean_s: mean / 1000 };
}

/* As data/words.py writes them. */
function percent(share) {
  if (share > 0 && share < 0.01) return "under 1\u00a0%";
  if (share > 0.99 && share < 1 - 1e-9) return "over 99\u00a0%";
  return `${Math.round(100 * share)}\u00a0%`;
}

function drive(seconds) {
  const whole = Math.ceil(Math.round(10 * seconds) / 10);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function element(kind, css, text) {
  const made = document.createElement(kind);
  if (css) made.className = css;
  if (text !== undefined) made.textContent = text;
  return made;
}

export function byHand(data) {
  const map = rollby.map, count = data.lon.length;
  let rows = [...data.posts];
  const order = [...Array(count).keys()].sort((a, b) => data.street[a].localeCompare(data.street[b]) || a - b);
  const at = (row) => [data.lat[row], data.lon[row]];

  const box = element("section", "hand part"), title = element("h2", "", "By hand");
  box.setAttribute("aria-label", "By hand");
  const hint = element("p", "quiet", "Drag a post on the map, or choose its place here; the shares follow at once. Nothing is kept.");
  const table = element("table"), head = element("thead"), body = element("tbody");
  table.append(element("caption", "", "Within T"), head, body);
  head.innerHTML = "<tr><th scope=\"col\">Plan</th><th scope=\"col\" class=\"figure\">First car</th><th scope=\"col\" class=\"figure\">Second car</th><th scope=\"col\" class=\"figure\">Mean drive</th></tr>";
  const list = element("ol"), acts = element("p", "acts");
  const said = element("p", "for-readers");
  said.setAttribute("role", "status");
  const add = element("button", "", "Add a post"), back = element("button", "", "As chosen");
  add.type = back.type = "button";
  acts.append(add, back);
  box.append(title, hint, table, list, acts, said);
  document.getElementById("panel").prepend(box);

  const places = L.layerGroup(order.map((row) => L.marker(at(row), {
    icon: L.divIcon({ className: "hand-place", iconSize: null }), interactive: false, keyboard: false,
  })));
  const posts = L.layerGroup().addTo(map);

  function line(name, given) {
    const row = element("tr"), label = element("th", "", name);
    label.scope = "row";
    row.append(label);
    for (const text of [percent(given.first), percent(given.second), drive(given.mean_s)]) row.append(element("td", "figure", text));
    return row;
  }

  function nearest(latlng) {
    let best = 0, least = Infinity;
    for (let row = 0; row < count; row++) {
      const off = map.distance(latlng, at(row));
      if (off < least) { least = off; best = row; }
    }
    return best;
  }

  function marker(row, number) {
    const sign = L.marker(at(row), {
      icon: L.divIcon({ className: "hand-post", html: `H${number + 1}`, iconSize: null }), draggable: true, keyboard: false, zIndexOffset: 900,
    });
    sign.on("dragstart", () => places.addTo(map));
    sign.on("dragend", () => {
      places.remove();
      rows[number] = nearest(sign.getLatLng());
      show();
    });
    return sign;
  }

  function entry(row, number) {
    const item = element("li"), choose = element("select"), remove = element("button", "", "Remove");
    for (const place of order) {
      const option = element("option", "", `${data.street[place]} (${data.lat[place].toFixed(4)}, ${data.lon[place].toFixed(4)})`);
      option.value = place;
      option.selected = place === row;
      choose.append(option);
    }
    choose.setAttribute("aria-label", `Place of post H${number + 1}`);
    choose.addEventListener("change", () => {
      rows[number] = Number(choose.value);
      show(number);
      map.panTo(at(rows[number]), { animate: false });
    });
    remove.type = "button";
    remove.setAttribute("aria-label", `Remove post H${number + 1}`);
    remove.addEventListener("click", () => { rows.splice(number, 1); show(); add.focus(); });
    item.append(element("b", "", `H${number + 1}`), choose, remove);
    return item;
  }

  function show(focus) {
    const given = cover(data, rows);
    body.replaceChildren(line("As chosen", cover(data, data.posts)), line("By hand", given));
    list.replaceChildren(...rows.map(entry));
    posts.clearLayers();
    const changed = rows.length !== data.posts.length || rows.some((row) => !data.posts.includes(row));
    back.disabled = !changed;
    rows.forEach((row, number) => marker(row, number).addTo(posts));
    if (focus !== undefined) list.children[focus].querySelector("select").focus();
    said.textContent = changed ? `By hand: first car ${percent(given.first)}, second car ${percent(given.second)}` : "";
  }

  /* Where a post more would help the second car most, and then the first. */
  add.addEventListener("click", () => {
    let best = -1, most = -1;
    for (const row of order) {
      if (rows.includes(row)) continue;
      const given = cover(data, [...rows, row]), worth = given.second + given.first / 1000;
      if (worth > most) { most = worth; best = row; }
    }
    if (best < 0) return;
    rows.push(best);
    show(rows.length - 1);
  });
  back.addEventListener("click", () => { rows = [...data.posts]; show(); });
  show();
}
