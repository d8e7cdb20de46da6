// The colours of the style sheet as the canvas needs them.

const NAMES = {
  ground: "--ground", edge: "--line", text: "--text", muted: "--text-quiet", accent: "--accent", price: "--price",
  glow: "--price-glow", cell: "--cell", cellText: "--cell-text", won: "--won", lost: "--lost", touched: "--touched",
  void: "--void", refused: "--refused", unknown: "--unknown", onMark: "--on-mark", panel: "--surface",
};
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
let generation = 0;

/** Read the colours that are in force. */
export function readColors() {
  const style = getComputedStyle(document.documentElement);
  const colors = { key: (generation += 1) };
  for (const [name, variable] of Object.entries(NAMES)) colors[name] = style.getPropertyValue(variable).trim();
  colors.font = (px, weight = 400) => `${weight} ${px}px ${FONT}`;
  colors.cellFont = (columnPx) => colors.font(columnPx < 50 ? 12 : 13, 500);
  return colors;
}

/** Call back whenever the theme changes, by the system or by the switch. */
export function watchColors(onChange) {
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", onChange);
  new MutationObserver(onChange).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}
