// "Where you are signed in": the account's sessions, each of which can be ended.

import { make, write } from "../dom.js";
import { dateTime } from "../format.js";
import { errorSentence } from "./errors.js";
import { button, said, timeOf } from "./fields.js";
import { texts } from "./texts.js";

export const sessionsPanel = {
  id: "sessions",
  title: texts.sessions.title,
  label: texts.sessions.label,
  when: (state) => Boolean(state.user),
  mount(body) {
    this.list = make("ul", { class: "entries" });
    this.said = said();
    body.append(make("p", { class: "muted" }, texts.sessions.intro), this.list, this.said);
  },
  async shown(app) {
    write(this.said, texts.sessions.loading);
    if (await this.load(app)) write(this.said, "");
  },
  async load(app) {
    try {
      const { sessions } = await app.api.get("/api/me/sessions");
      this.list.replaceChildren(...sessions.map((session) => this.line(session, app)));
      return true;
    } catch (error) {
      write(this.said, errorSentence(error));
      return false;
    }
  },
  line(session, app) {
    const { sessions } = texts;
    const sinceMs = Date.parse(session.created_at);
    const end = session.current
      ? button(sessions.endHere, () => this.leave(app))
      : button(sessions.end, () => this.end(session, app, end), { "aria-label": sessions.endLabel(dateTime(sinceMs)) });
    return make("li", { class: "session" },
      make("div", { class: "head" }, make("strong", {}, session.current ? sessions.here : sessions.other), end),
      make("p", {}, sessions.since, " ", timeOf(sinceMs), ". ", sessions.until, " ", timeOf(session.expires_ms), "."),
      make("p", { class: "address" }, session.session_key ? sessions.key(session.session_key) : sessions.noKey));
  },
  async end(session, app, control) {
    control.disabled = true;
    try {
      await app.api.delete(`/api/me/sessions/${encodeURIComponent(session.id)}`);
      if (await this.load(app)) write(this.said, texts.sessions.ended);
    } catch (error) {
      write(this.said, errorSentence(error));
      control.disabled = false;
    }
  },
  async leave(app) {
    try {
      await app.session.signOut();
      app.dialogs.close("sessions");
    } catch (error) {
      write(this.said, errorSentence(error));
    }
  },
};
