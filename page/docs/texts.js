// Every sentence of the page.

/** The groups in their order, by the beginnings of their routes. */
const GROUPS = [
  ["Signing in", ["/api/auth"]],
  ["The market", ["/api/grid", "/api/price", "/api/columns", "/api/rules", "/api/time"]],
  ["Bets", ["/api/bets"]],
  ["The stream", ["/api/stream"]],
  ["Money", ["/api/ledger", "/api/deposits", "/api/withdrawals"]],
  ["The account", ["/api/me"]],
  ["Operating", ["/api/operate"]],
  ["Payment processors", ["/api/processor"]],
  ["More", ["/api"]],
  ["Pages", ["/bets", "/docs", "/operate", "/page"]],
  ["The house", [""]],
];

export const groupTitles = GROUPS.map(([title]) => title);

export const groupOf = (route) =>
  (route === "/" ? "Pages" : GROUPS.find(([, beginnings]) => beginnings.some((one) => route.startsWith(one)))[0]);

export const texts = {
  loading: "Reading openapi.json …",
  broken: (why) => `The interface cannot be shown: ${why}`,
  answered: (path, status) => `${path} answered ${status}`,
  errorsAre: "Refusals are problem+json (RFC 9457).",
  version: (version) => `Version ${version};`,
  found: (count) => (count === 1 ? "1 endpoint" : `${count} endpoints`),

  session: { session: "session", optional: "session if there is one", operator: "operator's session" },
  parameters: "Parameters",
  where: { path: "in the path", query: "in the query", header: "header field" },
  required: "required",
  body: "Body",
  answers: "Answers",
  noBody: "No body.",
  stream: (media) => `A stream of events, ${media}.`,
  events: "Events",
  headers: "Header fields",
  refusals: "Refusals",
  carries: (name) => `What ${name} carries`,
  fieldsOf: (name) => `Fields of ${name}`,
  example: "e.g.",
  byDefault: (value) => `by default ${value}`,

  who: {
    title: "Who calls",
    demo: "Calls go out without a session. A throw-away key of this tab signs in as a new guest with play money; it is "
      + "gone with the tab, and whoever plays in another tab stays signed in there.",
    live: "This house plays for real money (live mode), so there are no guests, and no throw-away key signs in. Sign "
      + "in with your wallet by POST /api/auth/login, and give its token here.",
    cannotSign: "This browser signs over https and on this computer only, so there is no throw-away key here.",
    signIn: "Sign in with a throw-away key",
    signingIn: "Signing in …",
    signOut: "Sign out",
    token: "Or a token of yours (POST /api/auth/login answers one)",
    use: "Use it",
    guest: (id) => `Signed in as guest ${id}. All calls carry this session, and the key signs bets.`,
    own: "All calls carry your token. Bodies that must be signed you sign yourself.",
    nobody: "Nobody is signed in.",
    failed: (why) => `That did not work: ${why}`,
  },

  trial: {
    title: "Try it",
    send: "Send",
    sending: "Sending …",
    start: "Start",
    stop: "Stop",
    body: "Body",
    fill: "Fill in from the grid",
    sign: "Sign it when it is sent: nonce, timestamp and signature are made then",
    signGuest: "Make it when it is sent: the text is signed by the throw-away key, or by a new one",
    noKey: "Sign in with the throw-away key above, and it signs this for you. `taptrade sign-bet` signs one too.",
    wallet: "A wallet signs this. `taptrade sign-login` prints such a body; what is here is only its form.",
    operator: "This goes out with this browser's operator session, if you have signed in at /operate.",
    notJson: (why) => `The body is no JSON: ${why}`,
    noAnswer: (why) => `No answer came: ${why}`,
    noOffer: "The grid offers no cell now.",
    answer: (status, words, ms, bytes) => `${status} ${words}`.trim() + `, ${Math.round(ms)} ms, ${bytes} characters`,
    answerBody: "Body of the answer",
    answerHeaders: "Header fields of the answer",
    empty: "The answer has no body.",
    curl: "The same with curl",
    copy: "Copy",
    copied: "Copied",
    copyFailed: "Selected: copy it by keyboard",
    tokenOfYours: "YOUR_TOKEN",
    listening: "The stream is open.",
    stopped: "The stream is closed.",
    ended: "The stream was ended by the server.",
    events: "Events, the newest first",
    counted: (count) => (count === 1 ? "1 event" : `${count} events`),
  },
};
