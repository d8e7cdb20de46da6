// What index.js exports, for TypeScript; tests hold it against the code. Nothing here needs the types of a browser.

import type {
  BetDetailView, BetView, DepositedView, EntryView, Fate, GridView, KeptKey, KeyPair, LimitsView, LoginView, AccountView,
  Offered, OwnLimitsView, Problem, RulesView, SavedKey, SignedBet, SignedGesture, Signer, StreamEvent, ViemAccount,
  ViemClient, WalletSigner, WantedTap, WithdrawnView,
} from "./types.js";

export * from "./types.js";

export interface AccountOptions {
  wallet?: WalletSigner | null | undefined;
  /** The host that logins are signed for; by default the address's. */
  domain?: string | undefined;
  /** Hears why a call takes longer. */
  onWait?: ((error: Error) => void) | undefined;
}

export class Account {
  /** Sign in: with a wallet, or as a guest whose `key` is the account. */
  static open(url: string, options?: AccountOptions & { key?: BrowserKey | KeptKey | undefined }): Promise<Account>;
  constructor(url: string, key: BrowserKey, options: AccountOptions);
  key: BrowserKey;
  wallet: WalletSigner | null;
  domain: string;
  onWait: (error: Error) => void;
  api: Api;
  clock: ServerClock;
  delivery: Delivery;
  gestures: GestureDelivery;
  renew: () => Promise<void>;
  /** What the house plays by, as it was at the last sign-in. */
  get rules(): RulesView;
  get user(): AccountView;
  /** The server's time in Unix milliseconds. */
  serverMs(): number;
  signIn(): Promise<LoginView>;
  /** Ask until there is an answer. Only for what may be asked twice. */
  ask<T>(ask: () => Promise<T>): Promise<T>;
  /** Bet once: `bet`, or `code` and `problem`; LineError when the house stays silent. */
  place(wanted: WantedTap): Promise<Fate>;
  placeMany(wanted: WantedTap[]): Promise<Fate[]>;
  bet(id: string): Promise<BetDetailView>;
  allBets(): Promise<BetView[]>;
  statement(): Promise<EntryView[]>;
  /** In cents, once for each key. */
  deposit(amount: number, key: string): Promise<DepositedView>;
  withdraw(amount: number, key: string): Promise<WithdrawnView>;
  limits(): Promise<OwnLimitsView>;
  setLimits(wanted: LimitsView): Promise<OwnLimitsView>;
  /** The stream's events until the loop is left; what no repeat mends is thrown as ApiError. */
  events(only?: string[]): AsyncGenerator<StreamEvent>;
}

/** The API refused. */
export class ApiError extends Error {
  constructor(status: number, problem: Problem, retryAfterMs: number | null);
  status: number;
  code: string;
  problem: Problem;
  retryAfterMs: number | null;
}

/** No answer came: whether the request was heard is not known. */
export class LineError extends Error {}

/** One request, one answer, without repeats. */
export class Api {
  constructor(options?: { url?: string | undefined; token?: string | undefined });
  url: string;
  token: string;
  get(path: string): Promise<any>;
  post(path: string, body?: object, headers?: Record<string, string>): Promise<any>;
  put(path: string, body: object): Promise<any>;
  delete(path: string): Promise<any>;
  asked(): { headers: Record<string, string> };
}

export interface Insistence {
  pauseMs?: number;
  pauseMsMax?: number;
  onFailure?: (error: any) => void;
  outageMs?: number;
}

export function insist<T>(ask: () => Promise<T>, options?: Insistence): Promise<T>;
export function passes(error: unknown): boolean;
export function sleep(ms: number): Promise<void>;

export function offersOf(grid: GridView, nowMs: number): Offered[];

export class ServerClock {
  constructor(api: Api, onChange?: () => void);
  api: Api;
  onChange: () => void;
  heard: boolean;
  delayMs: number | null;
  get known(): boolean;
  get offMs(): number;
  nowMs(): number;
  hear(serverMs: number): void;
  start(): void;
  measure(): Promise<void>;
}

export interface Patience {
  renew?: (() => Promise<void>) | null;
  onWait?: (error: Error) => void;
  outageMs?: number;
}

export class Delivery {
  constructor(api: Api, options?: Patience);
  api: Api;
  renew: (() => Promise<void>) | null;
  onWait: (error: Error) => void;
  outageMs: number;
  send(body: SignedBet, tap: { onUnknown: () => void; isKnown: (id: string) => boolean }): Promise<Fate>;
  follow(betId: string, pauseMs?: number): Promise<Fate>;
}

export class GestureDelivery {
  constructor(api: Api, options?: Patience);
  api: Api;
  renew: (() => Promise<void>) | null;
  onWait: (error: Error) => void;
  outageMs: number;
  send(body: SignedGesture): Promise<Fate[]>;
}

export class BrowserKey implements Signer {
  constructor(pair: KeyPair, text: string);
  pair: KeyPair;
  text: string;
  sign(text: string): Promise<string>;
  /** The whole key, for JSON; only of one that was made to be extractable. */
  save(): Promise<SavedKey>;
  toJSON(): never;
}

export function newKey(options?: { extractable?: boolean }): Promise<BrowserKey>;
/** The key that was kept: of `save`, or of IndexedDB. */
export function keyOf(kept: KeptKey): Promise<BrowserKey>;
export function newNonce(): string;

export class StreamReader {
  constructor(onEvent: (event: StreamEvent) => void, onState: (state: string) => void, options?: {
    api?: Api; path?: string; renew?: (() => Promise<void>) | null; onRefused?: ((error: unknown) => void) | null;
  });
  onEvent: (event: StreamEvent) => void;
  onState: (state: string) => void;
  api: Api;
  path: string;
  renew: (() => Promise<void>) | null;
  onRefused: ((error: unknown) => void) | null;
  get running(): boolean;
  start(): void;
  stop(): void;
  restart(): void;
  check(): void;
}

export function betText(bet: Omit<SignedBet, "signature">, chainId: number): string;
export function gestureText(gesture: Omit<SignedGesture, "signature">, chainId: number): string;
export function withdrawText(withdrawal: { amount: number; nonce: string; timestamp: number }, chainId: number): string;
export interface WantedGuest {
  public_key: string;
  domain: string;
  nonce: string;
  timestamp: number;
}

export function guestText(guest: WantedGuest): string;
export function floorBp(rateBp: number): number;
export function signedBet(key: Signer | null, wanted: WantedTap, chainId: number, nowMs: number): Promise<SignedBet>;
export function signedGesture(
  key: Signer | null, wanted: WantedTap[], chainId: number, nowMs: number,
): Promise<SignedGesture>;
export function signedGuest(
  key: Signer & { text: string }, domain: string, nowMs: number,
): Promise<WantedGuest & { signature: string }>;

export function ofViem(wallet: ViemAccount | ViemClient): WalletSigner;
export function ofEthers(wallet: { address: string; signMessage: (text: string) => Promise<string> }): WalletSigner;

export const SESSION_KEY_URN: "urn:taptrade:session-key:";
export const GUEST_URN: "urn:taptrade:guest:";
export function siweMessage(message: {
  domain: string; origin: string; address: string; chainId: number; nonce: string; nowMs: number; statement: string;
  resource: string;
}): string;

export class SseParser {
  constructor(lastId?: string);
  lastId: string;
  retryMs: number | null;
  feed(chunk: string): { type: string; id: string; data: string }[];
}
