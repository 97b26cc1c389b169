-- What is asked of a run long after it: which services it was about, what was measured before it,
-- and what became of runs that are not kept any more.

ALTER TABLE runs ADD COLUMN services TEXT NOT NULL DEFAULT '[]';

CREATE TABLE preflights (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    runbook     TEXT NOT NULL,
    -- Of runbook and inventory, as they were.
    fingerprint TEXT NOT NULL,
    at          REAL NOT NULL,
    actor       TEXT NOT NULL,
    ready       INTEGER NOT NULL,
    -- All that was measured, as JSON.
    body        TEXT NOT NULL
);

CREATE INDEX preflights_of_runbook ON preflights (runbook, at);

-- A run that was pruned: that it was, and how its journal ended.
CREATE TABLE pruned (
    run        TEXT PRIMARY KEY NOT NULL,
    runbook    TEXT NOT NULL,
    started_at REAL NOT NULL,
    head_hash  TEXT NOT NULL,
    at         REAL NOT NULL,
    actor      TEXT NOT NULL
) WITHOUT ROWID;

-- Entries are deleted with their run or not at all.
DROP TRIGGER entries_are_not_deleted;

CREATE TRIGGER entries_are_not_deleted BEFORE DELETE ON entries
WHEN NOT EXISTS (SELECT 1 FROM pruned WHERE run = OLD.run)
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;
