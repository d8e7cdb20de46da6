// The market as the tab knows it: applies the stream's events to the state, each once.

const TICKS_MS = 180_000;
const REMEMBERED = 2_000;
/** Replaced by the next one of their kind: telling one twice does no harm. */
const NOT_COUNTED = new Set(["hello", "snapshot", "reset"]);

export class Market {
  #seen = new Set();

  /** `onBet`, `onColumn`, `onOpenBets` hear what concerns the own bets. */
  constructor({ state, clock, api, onBet, onColumn, onTouched, onOpenBets, onSession }) {
    Object.assign(this, { state, clock, api, onBet, onColumn, onTouched, onOpenBets, onSession });
    /** Ticks of the last minutes, oldest first. */
    this.ticks = [];
    /** Extremes of windows by their start in seconds: {low, high, final}. */
    this.ranges = new Map();
  }

  /** Take one event of the stream; an unknown one is passed over. */
  take({ type, data }) {
    if (!data || typeof data !== "object" || this.#isRepeat(type, data)) return;
    const take = {
      hello: this.#hello, snapshot: this.#snapshot, reset: this.#snapshot, price: this.#price, grid: this.#grid,
      status: this.#status, touched: this.#touched, column: this.#column, bet: this.#bet, balance: this.#balance,
    }[type];
    try {
      take?.call(this, data);
    } catch (error) {
      console.error(`the event ${type} cannot be read`, error);
    }
  }

  /** Fetch the ticks that the line begins with. */
  async loadPast() {
    const { ticks } = await this.api.get("/api/prices?limit=300");
    this.addTicks(ticks);
  }

  /** Merge ticks; they may overlap with known ones. */
  addTicks(ticks) {
    const byId = new Map(this.ticks.map((tick) => [tick.id, tick]));
    for (const { id, close, low, high } of ticks) byId.set(id, { id, close, low, high });
    this.ticks = [...byId.values()].sort((a, b) => a.id - b.id);
    this.state.touch("price");
  }

  /** The ticks that decide a window: the one carried in, and those in it. */
  pathOf(startMs, endMs) {
    const carried = this.ticks.findLast((tick) => tick.id <= startMs);
    const own = this.ticks.filter((tick) => tick.id > startMs && tick.id < endMs);
    return carried ? [carried, ...own] : own;
  }

  #isRepeat(type, { event_id: id }) {
    if (!id || NOT_COUNTED.has(type)) return false;
    if (this.#seen.has(id)) return true;
    this.#seen.add(id);
    if (this.#seen.size > REMEMBERED) this.#seen.delete(this.#seen.values().next().value);
    return false;
  }

  #hello({ server_time_ms: serverMs, user_id: userId }) {
    this.clock.hear(serverMs);
    this.onSession(userId);
  }

  #snapshot(data) {
    if (!data.late) this.clock.hear(data.server_time_ms);
    if (data.price) this.#price(data.price);
    if (data.grid) this.#grid(data.grid);
    if (data.breaker) this.#status(data.breaker);
    if (typeof data.balance === "number") this.state.set({ balanceCents: data.balance });
    if (Array.isArray(data.open_bets)) this.onOpenBets(data.open_bets);
  }

  #price({ id, close, low, high }) {
    if (this.ticks.length > 0 && id <= this.ticks.at(-1).id) return;
    const tick = { id, close, low, high };
    this.ticks.push(tick);
    const oldMs = id - TICKS_MS;
    if (this.ticks[0].id < oldMs - 30_000) this.ticks = this.ticks.filter((one) => one.id >= oldMs);
    this.state.set({ price: tick });
  }

  #grid(grid) {
    if (this.state.grid && grid.server_time_ms < this.state.grid.server_time_ms) return;
    this.clock.hear(grid.server_time_ms);
    this.state.set({ grid });
  }

  #status(breaker) {
    if (breaker.state) this.state.set({ breaker });
  }

  #touched({ column_start_s: startS, low_cents: low, high_cents: high }) {
    if (this.ranges.get(startS)?.final) return;
    this.ranges.set(startS, { low, high, final: false });
    for (const known of this.ranges.keys()) if (known < startS - 600) this.ranges.delete(known);
    this.onTouched(startS, low, high);
  }

  #column(column) {
    if (column.low !== null) this.ranges.set(column.start_s, { low: column.low, high: column.high, final: true });
    this.onColumn(column);
  }

  #bet(bet) {
    this.onBet(bet);
  }

  #balance({ balance }) {
    if (typeof balance === "number") this.state.set({ balanceCents: balance });
  }
}
