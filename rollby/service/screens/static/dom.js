/* rollby: lists that keep their elements, so that focus and scrolling stay where they are. Whatever
   is shown is text, never HTML: names are other people's. */

export const by = (id) => document.getElementById(id);

export function text(element, words) {
  if (element.shown === words) return;
  element.shown = words;
  element.textContent = words;
}

export function element(name, css, parent, words) {
  const one = document.createElement(name);
  if (css) one.className = css;
  if (words !== undefined) one.textContent = words;
  if (parent) parent.append(one);
  return one;
}

export function button(parent, words, css) {
  const one = element("button", css, parent, words);
  one.type = "button";
  return one;
}

/* One child for each name, in their order; those that are there already are kept. */
export function fill(list, names, make, draw) {
  const known = new Map([...list.children].map((one) => [one.dataset.name, one]));
  names.forEach((name, row) => {
    let one = known.get(name);
    if (!one) {
      one = make(name);
      one.dataset.name = name;
    }
    known.delete(name);
    if (list.children[row] !== one) list.insertBefore(one, list.children[row] || null);
    draw(one, row);
  });
  for (const gone of known.values()) gone.remove();
}

/* An entry of a list: a button with named parts, `parts` of the item. */
export function entry(parts) {
  const item = document.createElement("li");
  const what = element("span", "what", button(item, undefined, "entry"));
  item.parts = {};
  for (const [name, css] of parts) item.parts[css.split(" ").at(-1)] = element(name, css, what);
  return item;
}
