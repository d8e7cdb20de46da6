// Mouse, pen and finger on the board: press shows the payout, release bets, a drag bets on each cell it enters.

/** A finger that trembles, or rests while cells move under it, does not drag. */
const DRAG_PX = 10;

export class Pointer {
  #pressed = null;
  /** Where the pointer is, to aim again when cells have moved under it. */
  #at = null;

  /** `onAim(cell | null)` and `onTap(cell)`. */
  constructor(canvas, board, { onAim, onTap }) {
    Object.assign(this, { canvas, board, onAim, onTap });
    const hear = (name, listener) => canvas.addEventListener(name, (event) => listener.call(this, event));
    hear("pointerdown", this.#down);
    hear("pointermove", this.#move);
    hear("pointerup", this.#up);
    hear("pointercancel", this.#cancel);
    hear("pointerleave", this.#leave);
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    window.addEventListener("keydown", ({ key }) => key === "Escape" && this.#cancel());
    // Cells move under a pointer that rests.
    setInterval(() => this.#aimAgain(), 250);
  }

  #down(event) {
    if (!event.isPrimary || event.button !== 0) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    const cell = this.#cellOf(event);
    const { x, y } = this.#pointOf(event);
    this.#pressed = { id: event.pointerId, x, y, first: cell, last: cell, dragged: false };
    this.#aimAt(cell);
  }

  #move(event) {
    this.#at = { ...this.#pointOf(event), mouse: event.pointerType === "mouse" };
    const pressed = this.#pressed;
    if (!pressed) return this.#aimAt(this.#cellOf(event));
    if (event.pointerId !== pressed.id) return undefined;
    // Browsers gather moves between frames: a fast drag must not jump over cells.
    const gathered = event.getCoalescedEvents?.() ?? [];
    for (const one of gathered.length > 0 ? gathered : [event]) {
      const { x, y } = this.#pointOf(one);
      const far = Math.hypot(x - pressed.x, y - pressed.y) > DRAG_PX;
      if (far || pressed.dragged) this.#enter(this.#cellOf(one));
    }
    return undefined;
  }

  #enter(cell) {
    const pressed = this.#pressed;
    if (!cell || cell.cellId === pressed.last?.cellId) return;
    if (!pressed.dragged && pressed.first) this.onTap(pressed.first);
    pressed.dragged = true;
    pressed.last = cell;
    this.onTap(cell);
    this.#aimAt(cell);
  }

  #up(event) {
    const pressed = this.#pressed;
    if (!pressed || event.pointerId !== pressed.id) return;
    this.#pressed = null;
    if (!pressed.dragged && pressed.first) this.onTap(pressed.first);
    if (event.pointerType !== "mouse") this.#aimAt(null);
  }

  #cancel() {
    this.#pressed = null;
    this.#aimAt(null);
  }

  #leave() {
    this.#at = null;
    if (!this.#pressed) this.#aimAt(null);
  }

  #aimAgain() {
    // Where the keyboard aims, a mouse that rests does not.
    const keyboard = document.activeElement?.matches("#cells button");
    if (this.#at?.mouse && !this.#pressed && !keyboard) this.#aimAt(this.board.geometry.cellAt(this.#at.x, this.#at.y));
  }

  #cellOf(event) {
    const { x, y } = this.#pointOf(event);
    return this.board.geometry.cellAt(x, y);
  }

  /** Where an event is on the canvas; gathered events know the window's coordinates only. */
  #pointOf({ clientX, clientY }) {
    const { left, top } = this.canvas.getBoundingClientRect();
    return { x: clientX - left - this.canvas.clientLeft, y: clientY - top - this.canvas.clientTop };
  }

  #aimAt(cell) {
    this.onAim(cell);
  }
}
