// What the API answers, as far as a player's program reads it; `/openapi.json` says all of it.

export interface TimeView {
  server_time_ms: number;
}

export interface RulesView {
  mode: string;
  guests: boolean;
  chain_ids: number[];
  domains: string[];
  presets_cents: number[];
  column_seconds: number;
  /** How many columns ahead take bets. */
  horizon_columns: number;
  fill_delay_ms: number;
  /** What a deposit of play money lifts a balance to at most. */
  deposit_max_cents: number;
}

export interface AccountView {
  id: string;
  wallet_address: string;
  balance: number;
  kind: "guest" | "wallet";
}

export interface LoginView {
  token: string;
  user: AccountView;
}

/** One bet; of a pending one little is known yet. */
export interface BetView {
  id: string;
  status: string;
  cell_id: string;
  amount: number;
  reward_rate?: number | null;
  payout_amount?: number | null;
  refusal_code?: string | null;
  /** Why it was refused, in a sentence. */
  refusal_detail?: string | null;
  /** When its window begins, in Unix seconds. */
  column_start_s?: number;
}

export interface PlacedView {
  bet: BetView;
  balance: number | null;
}

export interface BetDetailView {
  bet: BetView;
  explanation: string;
  evidence: object | null;
}

export interface BetsPage {
  bets: BetView[];
  next_cursor: string | null;
}

export interface EntryView {
  id: string;
  amount: number;
  balance_after: number;
  ref_type: string;
  ref_id: string;
}

export interface LedgerPage {
  entries: EntryView[];
  next_cursor: string | null;
}

/** The price that a grid was computed from, and its own time. */
export interface GridPriceView {
  cents: number;
  time_ms: number;
  exchange_ms: number;
}

/** What a `price` event tells: close, low and high of an interval, in cents. */
export interface PriceView {
  /** Unix milliseconds, strictly increasing. */
  id: number;
  exchange_ms: number;
  close: number;
  low: number;
  high: number;
  /** Which exchanges it was made from, comma-joined, and what rates are computed by; left out of brief prices. */
  sources?: string;
  features?: { volatility: number; sample_ms: number; history_ms: number; signals?: number[] };
  event_id?: string;
}

export interface GridView {
  server_time_ms: number;
  /** Id of the price that the rates were computed from. */
  grid_version: number;
  price: GridPriceView;
  columns: { start_s: number; opens_ms: number; closes_ms: number }[];
  rows: { low_cents: number; high_cents: number }[];
  /** By column, then by row; null where a cell is not offered. */
  rates_bp: (number | null)[][];
  presets_cents: number[];
  column_seconds: number;
}

/** The whole picture that a stream begins with, and goes on with after a gap (`reset`). */
export interface SnapshotView {
  server_time_ms: number;
  price: PriceView | null;
  grid: GridView | null;
  /** These two are left out where nobody is signed in. */
  balance?: number | null;
  open_bets?: BetView[] | null;
}

export interface DepositedView {
  ledger_id: string;
  amount: number;
  balance: number;
  reference: string;
}

export interface WithdrawnView {
  withdrawal: { id: string; amount: number; to_address: string; status: string };
  balance: number | null;
}

/** A player's own limits; null: none, for the reality check the house's interval. */
export interface LimitsView {
  stake_day_max_cents?: number | null;
  loss_day_max_cents?: number | null;
  cool_off_until_ms?: number | null;
  excluded_until_ms?: number | null;
  stake_max_cents?: number | null;
  deposit_day_max_cents?: number | null;
  deposit_week_max_cents?: number | null;
  reality_check_minutes?: number | null;
}

/** Those that count now, those that wait, and what counts against them; null where a day is too long to add up. */
export interface OwnLimitsView {
  limits: LimitsView;
  pending: { limits: LimitsView; effective_at: string; effective_ms: number } | null;
  stake_day_used_cents: number | null;
  loss_day_used_cents: number | null;
  deposit_day_used_cents: number;
  deposit_week_used_cents: number;
}

/** What an endpoint's refusal carries: RFC 9457, and the code's own fields. */
export interface Problem {
  code?: string;
  title?: string;
  detail?: string;
  retryable?: boolean;
  server_time_ms?: number;
  outcome?: string;
  bet?: BetView | null;
  taps?: ToldTap[];
  [field: string]: unknown;
}

export interface SignedBet {
  cell_id: string;
  amount: number;
  min_rate_bp: number;
  nonce: string;
  timestamp: number;
  signature: string;
}

/** One cell to bet on; `rateBp` is the rate that was seen, `minRateBp` the least to accept. */
export interface WantedTap {
  cellId: string;
  stakeCents: number;
  rateBp: number;
  minRateBp?: number;
}

/** Up to twenty taps under one signature. */
export interface SignedGesture {
  taps: { cell_id: string; amount: number; min_rate_bp: number }[];
  nonce: string;
  timestamp: number;
  signature: string;
}

/** What the answer to a gesture tells of one tap: its bet, its refusal, or what is known of `bet_id`. */
export interface ToldTap {
  bet?: BetView;
  balance?: number | null;
  refusal?: Problem;
  outcome?: string;
  bet_id?: string;
}

/** What became of a tap: the bet, or the code that says why there is none. */
export interface Fate {
  bet?: BetView;
  balance?: number | null;
  code?: string;
  problem?: Problem;
  /** What became of a bet that was pending, in words. */
  explanation?: string;
  evidence?: object | null;
}

/** Whatever signs a text: a wallet's account, or a key of one's own. */
export interface Signer {
  sign(text: string): Promise<string>;
}

/** A key as JSON holds it, private part and all. */
export interface SavedKey {
  x: string;
  y: string;
  d: string;
}

/** A `CryptoKeyPair`, whose name programs without the types of a browser do not know. */
export interface KeyPair {
  privateKey: object;
  publicKey: object;
}

/** A key as IndexedDB gives it back: all of it but its methods. */
export interface StoredKey {
  pair: KeyPair;
  text: string;
}

export type KeptKey = SavedKey | StoredKey;

export interface WalletSigner extends Signer {
  address: string;
}

/** What `privateKeyToAccount` of viem makes. */
export interface ViemAccount {
  address: string;
  signMessage(of: { message: string }): Promise<string>;
}

/** A `WalletClient` of viem. */
export interface ViemClient {
  account?: { address: string } | undefined;
  signMessage(of: any): Promise<string>;
}

export interface StreamEvent {
  type: string;
  id: string;
  data: any;
}

export interface Offered {
  cellId: string;
  rateBp: number;
  startS: number;
  lowCents: number;
  highCents: number;
}
