"""The JavaScript account throws what the stream refuses for good, and reads on after what passes."""

from __future__ import annotations

from tests.clients.javascript import answer

# The stream answers by the list, one after the other; `asked` keeps what each request was.
READS = """
const hello = new Response('event: snapshot\\nid: 7\\ndata: {"balance": 5}\\n\\n');
const gone = [400, { code: "BAD_REQUEST", detail: "There is no such thing." }];
const answers = %s;
const asked = [];
const account = await client.Account.open(URL_OF_HOUSE);
const plain = globalThis.fetch;
globalThis.fetch = async (url, request) => {
  if (!url.includes("/api/stream")) return plain(url, request);
  asked.push([new URL(url).searchParams.get("events"), request.headers["Last-Event-ID"] ?? null]);
  const next = answers.length > 1 ? answers.shift() : answers[0];
  return next instanceof Response ? next : new Response(JSON.stringify(next[1]), { status: next[0] });
};
const read = [];
const failed = await thrown(async () => { for await (const { type } of account.events(["prices"])) read.push(type); });
await new Promise((done) => setImmediate(done));
say({ ...failed, read, asked });
"""


def test_an_event_that_there_is_none_of_is_refused_aloud() -> None:
    told = answer(READS % "[gone]")
    assert (told["name"], told["status"], told["code"]) == ("ApiError", 400, "BAD_REQUEST")
    assert told["message"] == "There is no such thing."
    assert told["asked"] == [["prices", None]], "it was asked again"


def test_a_forbidden_stream_ends_whatever_was_read_before() -> None:
    told = answer(READS % '[hello, [403, { code: "PLAYER_FORGOTTEN", detail: "Forgotten." }]]')
    assert (told["status"], told["code"], told["read"]) == (403, "PLAYER_FORGOTTEN", ["snapshot"])


def test_what_passes_is_asked_again() -> None:
    told = answer(READS % '[[503, {}], [429, {}], [502, {}], [401, { code: "UNAUTHENTICATED" }], gone]')
    assert (told["status"], len(told["asked"])) == (400, 5)


def test_a_cursor_that_is_refused_is_left_out_before_anything_is_told() -> None:
    told = answer(READS % "[hello, gone]")
    assert [cursor for _, cursor in told["asked"]] == [None, "7", None]
    assert told["status"] == 400
