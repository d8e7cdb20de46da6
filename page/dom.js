// Make and fill elements; everything shown is text, never markup.

/** Make an element with attributes, listeners ("onclick") and children; null children are left out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Make an SVG element; `classes` colour it by the style sheet. */
export function drawing(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

const ICONS = {
  soundOn: ["M4 9v6h4l5 4V5L8 9H4z", "M16 9c1.4 1.6 1.4 4.4 0 6", "M18.5 6.5c3 3 3 8 0 11"],
  soundOff: ["M4 9v6h4l5 4V5L8 9H4z", "M16 9.5l5 5", "M21 9.5l-5 5"],
  system: ["M12 3a9 9 0 1 0 0 18z", "M12 3a9 9 0 1 1 0 18z"],
  dark: ["M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z"],
  light: [
    "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z",
    "M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  ],
  menu: ["M4 7h16M4 12h16M4 17h16"],
};

/** Draw one of the icons; it says nothing by itself, its button has a name. */
export function icon(name) {
  const attributes = { viewBox: "0 0 24 24", class: `icon ${name}`, "aria-hidden": "true" };
  return drawing("svg", attributes, ...ICONS[name].map((d) => drawing("path", { d })));
}

/** Set the text only where it differs: an unchanged node costs no layout. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const find = (id) => document.getElementById(id);
