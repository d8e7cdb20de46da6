// The operator's page: signs in, then shows the house and polls it while the page is seen.

import { find, make, write } from "../dom.js";
import { Api, ApiError, LineError } from "../client/api.js";
import { House } from "./house.js";
import { Poll } from "./poll.js";
import { signInView } from "./sign_in.js";
import { texts } from "./texts.js";

const api = new Api();
let house = null;
let poll = null;

/** Say something above everything else, or nothing. */
function notice(text, bad = false) {
  const line = find("notice");
  write(line, text);
  line.hidden = !text;
  line.classList.toggle("bad", bad);
}

/** Show the door: with a sentence about why, if there is one. */
function leave(why = "", closed = false) {
  poll?.stop();
  poll = house = null;
  find("top").replaceChildren(make("h1", {}, texts.title));
  notice("");
  find("main").replaceChildren(signInView({ api, why, closed, onSignedIn: enter }));
  document.title = texts.pageTitle;
}

/** Show the house. */
function enter(session) {
  notice("");
  house = new House({ api, session, onRefused: refused, onSignOut: signOut });
  find("top").replaceChildren(house.top);
  find("main").replaceChildren(house.element);
  poll = new Poll(() => house.look(), answered, refused);
  poll.start();
}

function answered() {
  notice("");
  house?.element.classList.remove("old");
}

/** Whatever a request was answered: an ended session leads to the door, all else is said. */
function refused(error) {
  if (error instanceof ApiError && error.status === 401) leave(texts.signIn.ended);
  else if (error instanceof ApiError && error.status === 403) leave(error.message, error.problem.reason === "closed");
  else if (error instanceof LineError) notice(texts.noAnswer, true);
  else notice(texts.refused(error.message), true);
  house?.element.classList.add("old");
}

async function signOut() {
  try {
    await api.post("/api/operate/logout");
    leave(texts.signIn.signedOut);
  } catch (error) {
    refused(error);
  }
}

async function start() {
  try {
    enter(await api.get("/api/operate/session"));
  } catch (error) {
    const reason = error instanceof ApiError ? error.problem.reason : "";
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
      leave(reason === "closed" || reason === "not_listed" ? error.message : "", reason === "closed");
    } else {
      notice(texts.noAnswer, true);
      setTimeout(start, 2_000);
    }
  }
}

start();
