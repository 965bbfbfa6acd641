-- Entries of ISP databases over time, and incidents about them: `drift` is a kind of its own, so the two tables of incidents are made
-- anew, as SQLite changes no CHECK.

-- Each version of an entry once. Where there was no entry, digest and body are empty. One version of an entry is known: what is told is
-- how it differs from that one. Times are seconds since 1970 (UTC).
CREATE TABLE ispdb_entry (
  id            INTEGER PRIMARY KEY,
  database      TEXT NOT NULL CHECK (database <> ''),
  name          TEXT NOT NULL CHECK (name <> ''),
  url           TEXT NOT NULL CHECK (url <> ''),
  content_type  TEXT NOT NULL,
  digest        BLOB NOT NULL CHECK (length(digest) IN (0, 32)),
  body          BLOB NOT NULL,
  is_known      INTEGER NOT NULL CHECK (is_known IN (0, 1)),
  first_seen_at INTEGER NOT NULL,
  last_seen_at  INTEGER NOT NULL,
  UNIQUE (database, name, digest, content_type),
  CHECK ((length(digest) = 0) <= (length(body) = 0))
) STRICT;

CREATE UNIQUE INDEX ispdb_entry_known ON ispdb_entry (database, name) WHERE is_known = 1;

CREATE TABLE incident_with_drift (
  id                INTEGER PRIMARY KEY,
  key               TEXT NOT NULL UNIQUE CHECK (key <> ''),
  concern           TEXT NOT NULL,
  kind              TEXT NOT NULL CHECK (kind IN ('finding', 'outage', 'run', 'channel', 'store', 'drift')),
  tenant            TEXT,
  domain            TEXT,
  group_key         TEXT NOT NULL,
  state             TEXT NOT NULL CHECK (state IN ('suspected', 'open', 'resolved', 'dismissed')),
  severity          TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'error', 'critical')),
  verdict           TEXT,
  candidate         TEXT,
  streak            INTEGER NOT NULL CHECK (streak >= 0),
  is_seen           INTEGER NOT NULL CHECK (is_seen IN (0, 1)),
  affected          INTEGER NOT NULL CHECK (affected >= 0),
  first_seen_at     INTEGER NOT NULL,
  opened_at         INTEGER,
  resolved_at       INTEGER,
  episode           INTEGER NOT NULL CHECK (episode >= 0),
  is_announced      INTEGER NOT NULL CHECK (is_announced IN (0, 1)),
  notified_at       INTEGER,
  notified_affected INTEGER NOT NULL CHECK (notified_affected >= 0),
  flips             TEXT NOT NULL,
  is_flapping       INTEGER NOT NULL CHECK (is_flapping IN (0, 1)),
  account           TEXT NOT NULL,
  written_at        INTEGER NOT NULL,
  -- written by people, while an audit may be writing the rest
  ack_by            TEXT,
  ack_reason        TEXT,
  ack_at            INTEGER,
  ack_until         INTEGER,
  CHECK ((state = 'open') <= (opened_at IS NOT NULL)),
  CHECK ((state = 'resolved') <= (resolved_at IS NOT NULL)),
  CHECK ((kind = 'finding') = (domain IS NOT NULL)),
  CHECK ((ack_by IS NULL) = (ack_reason IS NULL) AND (ack_by IS NULL) = (ack_at IS NULL))
) STRICT;

CREATE TABLE event_with_drift (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  incident INTEGER NOT NULL REFERENCES incident_with_drift (id),
  -- the tenant, or '' for what is about us: the order of notices is kept within it
  stream   TEXT NOT NULL,
  run      INTEGER REFERENCES run (id),
  at       INTEGER NOT NULL,
  change   TEXT NOT NULL CHECK (change IN
             ('opened', 'resolved', 'changed', 'grown', 'reminder', 'flapping-began', 'flapping-ended')),
  severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'error', 'critical')),
  -- the highest severity of the episode so far: who was told of that is told of its end
  gravest  TEXT NOT NULL CHECK (gravest IN ('info', 'warning', 'error', 'critical')),
  verdict  TEXT,
  affected INTEGER NOT NULL CHECK (affected >= 0),
  since    INTEGER NOT NULL,
  episode  INTEGER NOT NULL,
  is_open  INTEGER NOT NULL CHECK (is_open IN (0, 1)),
  is_muted INTEGER NOT NULL CHECK (is_muted IN (0, 1)),
  account  TEXT NOT NULL
) STRICT;

INSERT INTO incident_with_drift SELECT * FROM incident;
INSERT INTO event_with_drift SELECT * FROM event;
-- what was dropped of the log keeps its numbers
DELETE FROM sqlite_sequence WHERE name = 'event_with_drift';
UPDATE sqlite_sequence SET name = 'event_with_drift' WHERE name = 'event';
DROP TABLE event;
DROP TABLE incident;
ALTER TABLE incident_with_drift RENAME TO incident;
ALTER TABLE event_with_drift RENAME TO event;

CREATE INDEX incident_by_place ON incident (tenant, domain);
CREATE INDEX incident_by_group ON incident (group_key);
CREATE INDEX event_by_stream ON event (stream, id);
CREATE INDEX event_by_incident ON event (incident, id);
