// The JavaScript client: what the page itself plays by. It runs in browsers and in node 20 or later, without a build.

export { Account } from "./account.js";
export { Api, ApiError, LineError, insist, passes, sleep } from "./api.js";
export { offersOf } from "./choice.js";
export { ServerClock } from "./clock.js";
export { Delivery } from "./delivery.js";
export { GestureDelivery } from "./gestures.js";
export { BrowserKey, keyOf, newKey, newNonce } from "./key.js";
export { StreamReader } from "./reader.js";
export { betText, floorBp, gestureText, guestText, signedBet, signedGesture, signedGuest, withdrawText } from "./sign.js";
export { ofEthers, ofViem } from "./signers.js";
export { GUEST_URN, SESSION_KEY_URN, siweMessage } from "./siwe.js";
export { SseParser } from "./sse.js";
