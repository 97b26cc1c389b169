-- The first schema. Numbers of applied files are kept in `PRAGMA user_version`.
-- Plain SQLite 3.24: no STRICT, no RETURNING.

CREATE TABLE runs (
    id         TEXT PRIMARY KEY NOT NULL,
    runbook    TEXT NOT NULL,
    title      TEXT NOT NULL,
    mode       TEXT NOT NULL,
    variant    TEXT NOT NULL,
    started_at REAL NOT NULL,
    started_by TEXT NOT NULL,
    -- A cache, rebuilt from the entries at will.
    status     TEXT NOT NULL,
    ended_at   REAL,
    -- Where the chain begins and where it ends: entries that were cut off are missed.
    genesis    TEXT NOT NULL,
    head_seq   INTEGER NOT NULL,
    head_hash  TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE documents (
    run      TEXT NOT NULL REFERENCES runs (id),
    position INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    path     TEXT NOT NULL,
    content  TEXT NOT NULL,
    sha256   TEXT NOT NULL,
    PRIMARY KEY (run, position)
);

CREATE TABLE entries (
    run     TEXT NOT NULL REFERENCES runs (id),
    seq     INTEGER NOT NULL,
    at      REAL NOT NULL,
    actor   TEXT NOT NULL,
    epoch   INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    version INTEGER NOT NULL,
    body    TEXT NOT NULL,
    hash    TEXT NOT NULL,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;

CREATE TRIGGER entries_are_not_changed BEFORE UPDATE ON entries
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;

CREATE TRIGGER entries_are_not_deleted BEFORE DELETE ON entries
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;

-- One row a run for ever: the epoch never goes back.
CREATE TABLE leases (
    run      TEXT PRIMARY KEY NOT NULL REFERENCES runs (id),
    epoch    INTEGER NOT NULL,
    holder   TEXT NOT NULL,
    host     TEXT NOT NULL,
    pid      INTEGER NOT NULL,
    started  TEXT NOT NULL,
    since    REAL NOT NULL,
    seen     REAL NOT NULL,
    released INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE requests (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    run      TEXT NOT NULL REFERENCES runs (id),
    at       REAL NOT NULL,
    actor    TEXT NOT NULL,
    kind     TEXT NOT NULL,
    body     TEXT NOT NULL,
    accepted INTEGER,
    message  TEXT
);

CREATE INDEX requests_waiting ON requests (run, id) WHERE accepted IS NULL;
