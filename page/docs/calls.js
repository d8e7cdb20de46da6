// One call: how it is made, sent and written as a line for a shell. The browser's cookies stay at home unless asked
// for, so that nothing here touches the session of somebody who plays in the next tab.

const SHOWN_CHARACTERS_MAX = 200_000;

/** Put values into a route's fields and the query; what is empty is left out of the query. */
export function address(route, path, query) {
  const filled = route.replace(/\{([^}]+)\}/g, (_, name) =>
    (path[name] ?? "").split("/").map(encodeURIComponent).join("/"));
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""));
  return asked.size ? `${filled}?${asked}` : filled;
}

/** Send a request; `withCookies` is for the operator's session, which is a cookie. */
export function open({ method, path, headers = {}, body = "", withCookies = false, signal }) {
  const request = { method, headers, cache: "no-store", credentials: withCookies ? "same-origin" : "omit", signal };
  if (body) request.body = body;
  return fetch(path, request);
}

/** Send a request and read its answer: status, its words, header fields, text and how long that took. */
export async function call(request) {
  const beganMs = performance.now();
  const response = await open(request);
  const text = await response.text();
  return {
    status: response.status, words: response.statusText, headers: [...response.headers], text,
    tookMs: performance.now() - beganMs, type: response.headers.get("Content-Type") ?? "",
  };
}

/** The parsed body of an answer; null where it has none that is JSON. */
export function json({ text, type }) {
  if (!/[/+]json\b/.test(type)) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A body as people read it, and not all of one that would freeze the page. */
export function readable(answer) {
  const parsed = json(answer);
  const text = parsed === null ? answer.text : JSON.stringify(parsed, null, 2);
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}\n…` : text;
}

/** The same call for a shell. */
export function curl({ method, path, headers = {}, body = "" }, origin, isStream = false) {
  const words = ["curl", isStream ? "-sSN" : "-sS", quoted(origin + path)];
  if (method !== "GET") words.push("-X", method);
  for (const [name, value] of Object.entries(headers)) words.push("-H", quoted(`${name}: ${value}`));
  if (body) words.push("-d", quoted(body));
  return words.join(" ");
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
