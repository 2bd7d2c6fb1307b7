/* rollby: the way to a stop, drawn small: the line, the roads around it, and the turns in words. */
import { ask } from "./api.js";
import { minutes } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 640;

function far(metres, unit) {
  if (unit === "mph") return metres < 300 ? `${Math.round(metres * 3.281 / 50) * 50} ft` : `${(metres / 1609).toFixed(1)} mi`;
  return metres < 1000 ? `${Math.round(metres / 10) * 10} m` : `${(metres / 1000).toFixed(1)} km`;
}

function element(name, attributes) {
  const one = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  return one;
}

export async function drawWay(box, suggestion, facts) {
  const way = await ask(`/api/way/${suggestion}`);
  const lons = way.line.map((one) => one[0]), lats = way.line.map((one) => one[1]);
  const west = Math.min(...lons), east = Math.max(...lons), south = Math.min(...lats), north = Math.max(...lats);
  const squeeze = Math.cos((south + north) / 2 * Math.PI / 180);
  const margin = Math.max((east - west) * squeeze, north - south) * 0.12 + 0.0008;
  const width = (east - west) * squeeze + 2 * margin, height = north - south + 2 * margin;
  const scale = WIDTH / width;
  const spot = ([lon, lat]) => [((lon - west) * squeeze + margin) * scale, (north - lat + margin) * scale];
  const path = (line) => "M" + line.map((one) => spot(one).map((v) => v.toFixed(1)).join(" ")).join("L");
  const svg = element("svg", {
    viewBox: `0 0 ${WIDTH} ${Math.round(height * scale)}`, role: "img",
    "aria-label": `The way: ${minutes(way.drive_time_s)}, ${far(way.distance_m, facts.speedUnit)}. North is up.`,
  });
  svg.append(
    element("path", { class: "roads", d: way.roads.map(path).join("") }),
    element("path", { class: "route", d: path(way.line) }),
  );
  for (const [name, place] of [["begin", way.line[0]], ["end", way.line.at(-1)]]) {
    const [cx, cy] = spot(place);
    svg.append(element("circle", { class: name, cx, cy, r: 10 }));
  }
  const steps = document.createElement("ol");
  for (const step of way.steps) {
    const line = document.createElement("li");
    const turn = step.turn === "set out" ? "Take" : step.turn[0].toUpperCase() + step.turn.slice(1) + " into";
    line.textContent = `${turn} ${step.street || "a road without a name"}, ${far(step.distance_m, facts.speedUnit)}`;
    steps.append(line);
  }
  box.replaceChildren(svg, steps);
}
