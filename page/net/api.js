// Requests to the API: parsed answers, refusals as ApiError, no answer as LineError.

export const TIMEOUT_MS = 10_000;

/** The API refused; `code` is stable, `problem` is the whole answer. */
export class ApiError extends Error {
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
  get(path) {
    return this.#send("GET", path);
  }

  post(path, body, headers = {}) {
    return this.#send("POST", path, body, headers);
  }

  put(path, body) {
    return this.#send("PUT", path, body);
  }

  delete(path) {
    return this.#send("DELETE", path);
  }

  async #send(method, path, body, headers = {}) {
    const request = { method, headers: { Accept: "application/json", ...headers }, credentials: "same-origin" };
    request.cache = "no-store";
    request.signal = AbortSignal.timeout(TIMEOUT_MS);
    if (body !== undefined) {
      request.headers["Content-Type"] = "application/json";
      request.body = JSON.stringify(body);
    }
    let response;
    let text;
    try {
      response = await fetch(path, request);
      text = await response.text();
    } catch (error) {
      throw new LineError(error.message);
    }
    return read(response, text);
  }
}

function read(response, text) {
  let data = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    // A proxy in between answers in its own words.
    if (response.ok) throw new LineError("the answer cannot be read");
  }
  if (response.ok) return data;
  const retryAfter = Number(response.headers.get("Retry-After"));
  throw new ApiError(response.status, data && typeof data === "object" ? data : {}, retryAfter * 1000 || null);
}

/** Ask until there is an answer; refusals that waiting cannot mend are thrown. */
export async function insist(ask, { pauseMs = 500, pauseMsMax = 8_000, onFailure = () => {} } = {}) {
  for (let waitMs = pauseMs; ; waitMs = Math.min(2 * waitMs, pauseMsMax)) {
    try {
      return await ask();
    } catch (error) {
      const passes = error instanceof LineError || [429, 502, 503, 504].includes(error.status);
      if (!passes) throw error;
      onFailure(error);
      await sleep(error.retryAfterMs ?? waitMs);
    }
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
