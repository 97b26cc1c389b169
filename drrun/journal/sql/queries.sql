-- Every statement of the journal, by name. `drrun.journal.queries` reads this file.

-- name: create_run
INSERT INTO runs (id, runbook, title, mode, variant, started_at, started_by, status, ended_at,
                  services, genesis, head_seq, head_hash)
VALUES (:id, :runbook, :title, :mode, :variant, :started_at, :started_by, :status, :ended_at,
        :services, :genesis, 0, :genesis)
ON CONFLICT (id) DO NOTHING

-- name: create_document
INSERT INTO documents (run, position, kind, path, content, sha256)
VALUES (:run, :position, :kind, :path, :content, :sha256)

-- name: documents
SELECT kind, path, content, sha256 FROM documents WHERE run = :run ORDER BY position

-- name: runs
-- When a run ended, its chain tells, where it does.
SELECT id, runbook, title, mode, variant, started_at, started_by, status,
       CASE WHEN ended_at IS NOT NULL THEN coalesce(
           (SELECT at FROM entries WHERE run = runs.id AND kind = 'RunEnded'
            ORDER BY seq DESC LIMIT 1), ended_at) END AS ended_at,
       services, head_seq AS entries
FROM runs ORDER BY started_at DESC, id DESC

-- name: known_runs
SELECT id FROM runs UNION ALL SELECT run FROM pruned

-- name: run
SELECT id, runbook, title, mode, variant, started_at, started_by, status, ended_at,
       services, head_seq AS entries, genesis, head_hash
FROM runs WHERE id = :run

-- name: update_run
UPDATE runs SET status = :status, ended_at = :ended_at WHERE id = :run

-- name: head
SELECT runs.head_seq, runs.head_hash, runs.genesis, entries.hash AS last_hash
FROM runs LEFT JOIN entries ON entries.run = runs.id AND entries.seq = runs.head_seq
WHERE runs.id = :run

-- name: append_entry
-- The fencing token is compared by the insert itself: a check before it lets a paused controller
-- write after it was replaced.
INSERT INTO entries (run, seq, at, actor, epoch, kind, version, body, hash)
SELECT :run, :seq, :at, :actor, :epoch, :kind, :version, :body, :hash
WHERE EXISTS (SELECT 1 FROM leases
              WHERE run = :run AND epoch = :epoch AND pid = :pid AND host = :host
                AND started = :started AND released = 0)

-- name: move_head
UPDATE runs SET head_seq = :seq, head_hash = :hash
WHERE id = :run AND head_seq = :old_seq AND head_hash = :old_hash

-- name: entries
SELECT seq, at, actor, epoch, kind, version, body, hash
FROM entries WHERE run = :run AND seq > :after ORDER BY seq LIMIT :limit

-- name: entries_with
SELECT seq, at, actor, epoch, kind, version, body, hash
FROM entries WHERE run = :run AND seq > :after AND instr(body, :mark) > 0
ORDER BY seq LIMIT :limit

-- name: digested_entries
-- Column by column, which takes half the time of row by row. Of a moment all bits: in seconds since
-- 2004 or later a double is a whole number of 2^-22 s. Where all are texts, no NULL and no BLOB,
-- which is more than any text, and with the lengths of the one that may have line breaks, no byte
-- can pass for one of the next row.
SELECT count(kind) + count(actor) + count(hash) + count(body) AS texts,
       typeof(max(kind)) || typeof(max(actor)) || typeof(max(hash)) || typeof(max(body)) AS types,
       group_concat(seq) AS seqs,
       group_concat(CAST(at * 4194304 AS INTEGER)) AS moments,
       group_concat(epoch) AS epochs,
       group_concat(version) AS versions,
       group_concat(kind, char(10)) AS kinds,
       group_concat(length(actor)) AS lengths,
       group_concat(actor, char(10)) AS actors,
       group_concat(hash, char(10)) AS hashes,
       group_concat(body, char(10)) AS bodies
FROM entries WHERE run = :run AND seq > :after AND seq <= :upto

-- name: last_end
SELECT body FROM entries WHERE run = :run AND kind = 'RunEnded' ORDER BY seq DESC LIMIT 1

-- name: hash_of_entry
SELECT hash FROM entries WHERE run = :run AND seq = :seq

-- name: last_epoch
SELECT epoch FROM entries WHERE run = :run ORDER BY seq DESC LIMIT 1

-- name: lease
SELECT run, epoch, holder, host, pid, started, since, seen, released FROM leases WHERE run = :run

-- name: take_lease
INSERT INTO leases (run, epoch, holder, host, pid, started, since, seen, released)
VALUES (:run, :epoch, :holder, :host, :pid, :started, :since, :since, 0)
ON CONFLICT (run) DO UPDATE
SET epoch = excluded.epoch, holder = excluded.holder, host = excluded.host, pid = excluded.pid,
    started = excluded.started, since = excluded.since, seen = excluded.seen, released = 0
WHERE leases.epoch < excluded.epoch

-- name: renew_lease
-- Others watch whether it changes, so it always does.
UPDATE leases SET seen = max(:seen, seen + 0.001)
WHERE run = :run AND epoch = :epoch AND pid = :pid AND host = :host AND started = :started
  AND released = 0

-- name: release_lease
UPDATE leases SET released = 1
WHERE run = :run AND epoch = :epoch AND pid = :pid AND host = :host AND started = :started

-- name: post_request
INSERT INTO requests (run, at, actor, kind, body) VALUES (:run, :at, :actor, :kind, :body)

-- name: pending_requests
SELECT id, run, at, actor, kind, body FROM requests
WHERE run = :run AND accepted IS NULL ORDER BY id

-- name: settle_request
-- The first answer stands. What was asked is kept as it was recorded, without secrets.
UPDATE requests SET accepted = :accepted, message = :message, body = :body WHERE id = :id AND accepted IS NULL

-- name: answer
SELECT accepted, message FROM requests WHERE id = :id AND accepted IS NOT NULL

-- name: last_request
SELECT coalesce(max(id), 0) AS id FROM requests

-- name: keep_preflight
INSERT INTO preflights (runbook, fingerprint, at, actor, ready, body)
VALUES (:runbook, :fingerprint, :at, :actor, :ready, :body)

-- name: last_preflight
SELECT runbook, fingerprint, at, actor, ready, body FROM preflights
WHERE runbook = :runbook AND at <= :until ORDER BY at DESC, id DESC LIMIT 1

-- name: prune_begin
INSERT INTO pruned (run, runbook, started_at, head_hash, at, actor)
SELECT id, runbook, started_at, head_hash, :at, :actor FROM runs WHERE id = :run

-- name: prune_entries
DELETE FROM entries WHERE run = :run

-- name: prune_documents
DELETE FROM documents WHERE run = :run

-- name: prune_leases
DELETE FROM leases WHERE run = :run

-- name: prune_requests
DELETE FROM requests WHERE run = :run

-- name: prune_run
DELETE FROM runs WHERE id = :run

-- name: import_lease
INSERT INTO leases (run, epoch, holder, host, pid, started, since, seen, released)
VALUES (:run, :epoch, 'import', '', 0, '', :at, :at, 1)

-- name: import_entry
INSERT INTO entries (run, seq, at, actor, epoch, kind, version, body, hash)
VALUES (:run, :seq, :at, :actor, :epoch, :kind, :version, :body, :hash)

-- name: import_head
UPDATE runs SET head_seq = :seq, head_hash = :hash WHERE id = :run

-- name: evidence_of_run
SELECT body FROM entries WHERE run = :run AND kind = 'GateAnswered' AND instr(body, 'sha256 ') > 0

-- name: evidence_elsewhere
SELECT 1 AS found FROM entries WHERE kind = 'GateAnswered' AND instr(body, :digest) > 0
UNION ALL
SELECT 1 FROM requests WHERE instr(body, :digest) > 0
LIMIT 1

-- name: runs_with_work
SELECT DISTINCT run FROM entries AS noted
WHERE kind IN ('FindingNoted', 'FollowUpNoted')
  AND NOT EXISTS (SELECT 1 FROM entries WHERE run = noted.run AND kind = 'RunClosed')

-- name: pruned_like
SELECT run, head_hash, at, actor FROM pruned WHERE instr(run, :text) > 0 ORDER BY run LIMIT 5
