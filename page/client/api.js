// Requests to the API: parsed answers, refusals as ApiError, no answer as LineError.

export const TIMEOUT_MS = 10_000;
/** What a proxy or a house under load answers: the same may be answered otherwise after a while. */
const PASSES = [429, 502, 503, 504];

/** The API refused; `code` is stable, `problem` is the whole answer. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {import("./types.js").Problem} problem
   * @param {number | null} retryAfterMs
   */
  constructor(status, problem, retryAfterMs) {
    super(problem.detail || problem.title || `HTTP ${status}`);
    this.status = status;
    this.code = typeof problem.code === "string" ? problem.code : "";
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer came: whether the request was heard is not known. */
export class LineError extends Error {}

export class Api {
  /** Without a `url` the page's own house is asked, and its cookie says who asks; else `token` does. */
  constructor({ url = "", token = "" } = {}) {
    // `localhost:8000` is a URL too, of the scheme `localhost`.
    if (url && !/^https?:\/\/[^/]/.test(url)) {
      throw new TypeError(`the address of a house begins with http:// or https://, unlike "${url}"`);
    }
    this.url = url.replace(/\/+$/, "");
    this.token = token;
  }

  /** @param {string} path @returns {Promise<any>} */
  get(path) {
    return this.#send("GET", path);
  }

  /** @param {string} path @param {object} [body] @param {Record<string, string>} [headers] @returns {Promise<any>} */
  post(path, body, headers = {}) {
    return this.#send("POST", path, body, headers);
  }

  /** @param {string} path @param {object} body @returns {Promise<any>} */
  put(path, body) {
    return this.#send("PUT", path, body);
  }

  /** @param {string} path @returns {Promise<any>} */
  delete(path) {
    return this.#send("DELETE", path);
  }

  /** What every request says of who asks; the stream's too. @returns {RequestInit & {headers: Record<string, string>}} */
  asked() {
    return {
      headers: this.token ? { Authorization: `Bearer ${this.token}` } : {},
      credentials: this.url ? "omit" : "same-origin",
      cache: "no-store",
    };
  }

  /** @param {string} method @param {string} path @param {object} [body] @param {Record<string, string>} [headers] */
  async #send(method, path, body, headers = {}) {
    const request = { method, ...this.asked(), signal: AbortSignal.timeout(TIMEOUT_MS) };
    Object.assign(request.headers, { Accept: "application/json" }, headers);
    if (body !== undefined) {
      request.headers["Content-Type"] = "application/json";
      request.body = JSON.stringify(body);
    }
    let response;
    let text;
    try {
      response = await fetch(this.url + path, request);
      text = await response.text();
    } catch (error) {
      throw new LineError(`${method} ${this.url}${path}: ${told(error)}`);
    }
    return answerOf(response, text);
  }
}

/** What is known of a line that broke; node has its reason in the cause, as ECONNREFUSED. @param {unknown} error */
function told(error) {
  if (!(error instanceof Error)) return "";
  const { code, message } = /** @type {{code?: string, message?: string}} */ (error.cause ?? {});
  const reason = code || message;
  return reason ? `${error.message} (${reason})` : error.message;
}

/** What a response says; a refusal is thrown. @param {Response} response @param {string} text */
export function answerOf(response, text) {
  let data = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    // A proxy in between answers in its own words.
    if (response.ok) throw new LineError("the answer cannot be read");
  }
  if (response.ok) return data;
  throw new ApiError(response.status, data && typeof data === "object" ? data : {}, retryAfterMs(response));
}

/** How long a refusal asks to wait; null if it does not say. @param {Response} response */
export const retryAfterMs = (response) => Number(response.headers.get("Retry-After")) * 1000 || null;

/** Whether the very same request may be answered otherwise after a while. @param {unknown} error */
export const passes = (error) => error instanceof LineError || (error instanceof ApiError && PASSES.includes(error.status));

/**
 * Ask until there is an answer; refusals that waiting cannot mend are thrown, and LineError after `outageMs`.
 *
 * Only for what may be asked twice: it changes nothing, or a nonce or an Idempotency-Key makes it count once.
 * @template T
 * @param {() => Promise<T>} ask
 * @param {{pauseMs?: number, pauseMsMax?: number, onFailure?: (error: any) => void, outageMs?: number}} [options]
 * @returns {Promise<T>}
 */
export async function insist(ask, { pauseMs = 500, pauseMsMax = 8_000, onFailure = () => {}, outageMs = Infinity } = {}) {
  const giveUpMs = performance.now() + outageMs;
  for (let waitMs = pauseMs; ; waitMs = Math.min(2 * waitMs, pauseMsMax)) {
    try {
      return await ask();
    } catch (error) {
      if (!passes(error)) throw error;
      if (performance.now() > giveUpMs) throw noAnswerFor(outageMs, error);
      onFailure(error);
      await sleep((error instanceof ApiError && error.retryAfterMs) || waitMs);
    }
  }
}

/**
 * What is thrown once waiting is given up, whether the line was silent or a proxy answered for the house.
 * @param {number} ms @param {any} cause
 */
export const noAnswerFor = (ms, cause) => new LineError(`no answer for ${ms / 1000} s (${cause.message})`, { cause });

/** @param {number} ms @returns {Promise<void>} */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
