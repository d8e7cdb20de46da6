// What went wrong with a request, in a sentence; and requests that are repeated until they are answered.

import { ApiError, LineError, sleep } from "../client/api.js";
import { texts } from "./texts.js";

const PAUSE_MS = 600;
const PAUSE_MS_MAX = 5_000;
const PASSING = new Set([502, 503, 504]);

/** The sentence of a refusal, or of no answer. */
export function errorSentence(error) {
  if (error instanceof LineError) return texts.errors.noAnswer;
  if (!(error instanceof ApiError)) {
    console.error(error);
    return texts.errors.other(error.message);
  }
  if (error.code === "LIMIT_REACHED") return limitSentence(error);
  const sentence = Object.hasOwn(texts.errors, error.code) ? texts.errors[error.code] : null;
  return sentence ? sentence(error.problem) : texts.errors.other(error.message);
}

function limitSentence({ message, problem: { limit, left_cents: leftCents, until_ms: untilMs } }) {
  const paused = limit === "excluded_until_ms" || limit === "cool_off_until_ms";
  const sentence = Object.hasOwn(texts.errors.LIMITS, limit) ? texts.errors.LIMITS[limit] : message;
  const left = !paused && Number.isInteger(leftCents) ? texts.errors.left(leftCents) : "";
  return sentence + left + (untilMs ? texts.errors.until(untilMs) : "");
}

/** Send what counts once (it carries a key) until there is an answer; `onWait` hears that there was none yet. */
export async function repeat(ask, onWait) {
  for (let waitMs = PAUSE_MS; ; waitMs = Math.min(2 * waitMs, PAUSE_MS_MAX)) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof LineError) && !PASSING.has(error.status)) throw error;
      onWait();
      await sleep(error.retryAfterMs ?? waitMs);
    }
  }
}
