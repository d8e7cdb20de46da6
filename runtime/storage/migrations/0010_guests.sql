-- A guest's account belongs to a key of the browser, whose derived address stands for it; null: a wallet opened it.
ALTER TABLE users ADD COLUMN guest_key TEXT CHECK (length(guest_key) = 71);

CREATE UNIQUE INDEX users_by_guest_key ON users (guest_key) WHERE guest_key IS NOT NULL;

-- A wallet that took a guest's account over, once and for ever: the address that the account was opened by, and the
-- SIWE message and signature of the wallet that `users` names since.
CREATE TABLE adoptions (
    user_id        TEXT    NOT NULL PRIMARY KEY REFERENCES users (id),
    guest_address  TEXT    NOT NULL UNIQUE,
    message        TEXT    NOT NULL,
    signature      TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    created_commit INTEGER NOT NULL,
    created_place  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
