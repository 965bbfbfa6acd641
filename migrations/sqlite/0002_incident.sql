-- Incidents over time, the log of what happened to them, the notices about it on their way to the channels, and what the
-- schedule remembers. Times are seconds since 1970 (UTC).

-- Whether it was over some of the lists' domains only.
ALTER TABLE run ADD COLUMN is_part INTEGER NOT NULL DEFAULT 0 CHECK (is_part IN (0, 1));

-- `key` is the identity; `concern` the same as JSON. `flips` and `account` are JSON. `written_at`: when an audit last changed it.
CREATE TABLE incident (
  id                INTEGER PRIMARY KEY,
  key               TEXT NOT NULL UNIQUE CHECK (key <> ''),
  concern           TEXT NOT NULL,
  kind              TEXT NOT NULL CHECK (kind IN ('finding', 'outage', 'run', 'channel', 'store')),
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

CREATE INDEX incident_by_place ON incident (tenant, domain);
CREATE INDEX incident_by_group ON incident (group_key);

-- What happened, for ever in order: the notices are ranges of it.
CREATE TABLE event (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  incident INTEGER NOT NULL REFERENCES incident (id),
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

CREATE INDEX event_by_stream ON event (stream, id);
CREATE INDEX event_by_incident ON event (incident, id);

CREATE TABLE exemption (
  id         INTEGER PRIMARY KEY,
  tenant     TEXT,
  domain     TEXT,
  client     TEXT,
  cause      TEXT,
  owner      TEXT NOT NULL CHECK (owner <> ''),
  reason     TEXT NOT NULL CHECK (reason <> ''),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL CHECK (expires_at >= created_at)
) STRICT;

-- The outbox. A notice tells the events of `stream` with ids over `after` up to `through` to one channel. While it has not been
-- sent it takes in what comes later; what was sent without an answer keeps its id and its range. `told`: what an attempt says beside
-- the events, as JSON, kept for as long as the next attempt has to be the same.
CREATE TABLE notice (
  id          TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
  channel     TEXT NOT NULL CHECK (channel <> ''),
  stream      TEXT NOT NULL,
  after       INTEGER NOT NULL,
  through     INTEGER NOT NULL CHECK (through > after),
  state       TEXT NOT NULL CHECK (state IN ('queued', 'leased', 'delivered', 'dead')),
  -- the range and the id stand: an attempt was made whose fate is not known
  is_frozen   INTEGER NOT NULL CHECK (is_frozen IN (0, 1)),
  numbers     TEXT,
  told        TEXT,
  created_at  INTEGER NOT NULL,
  attempts    INTEGER NOT NULL CHECK (attempts >= 0),
  next_at     INTEGER NOT NULL,
  lease_until INTEGER,
  last_error  TEXT,
  ended_at    INTEGER,
  CHECK ((state = 'leased') = (lease_until IS NOT NULL)),
  CHECK ((state IN ('delivered', 'dead')) = (ended_at IS NOT NULL)),
  CHECK (state <> 'leased' OR told IS NOT NULL),
  CHECK (is_frozen = 0 OR told IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX notice_waiting ON notice (channel, stream, through) WHERE state IN ('queued', 'leased');
CREATE INDEX notice_ended ON notice (ended_at) WHERE state IN ('delivered', 'dead');

-- `not_before`: nothing goes out earlier, whatever else happens (Retry-After). `paused_at`: it refused us for good (401, 403,
-- 404, 410), and is tried again only now and then, next at `retry_at`.
CREATE TABLE channel (
  name         TEXT NOT NULL PRIMARY KEY,
  not_before   INTEGER NOT NULL,
  paused_at    INTEGER,
  pause_reason TEXT,
  retry_at     INTEGER,
  delivered_at INTEGER,
  CHECK ((paused_at IS NULL) = (pause_reason IS NULL) AND (paused_at IS NULL) = (retry_at IS NULL))
) STRICT, WITHOUT ROWID;

-- What the schedule remembers of a tenant: the newest due time that was taken up, and how its newest whole run went.
CREATE TABLE schedule (
  tenant       TEXT NOT NULL PRIMARY KEY,
  due_at       INTEGER,
  succeeded_at INTEGER
) STRICT, WITHOUT ROWID;

-- Domains that are checked again before the next whole run. `pause`: seconds from the last check to this one.
CREATE TABLE recheck (
  tenant TEXT NOT NULL,
  domain TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  pause  INTEGER NOT NULL CHECK (pause > 0),
  PRIMARY KEY (tenant, domain)
) STRICT, WITHOUT ROWID;

CREATE INDEX recheck_due ON recheck (due_at);

-- Runs that someone asked of the service. `run` is set once it has begun.
CREATE TABLE demand (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  asked_at INTEGER NOT NULL,
  -- JSON list of tenant ids; empty: all
  tenants  TEXT NOT NULL,
  run      INTEGER REFERENCES run (id),
  ended_at INTEGER,
  problem  TEXT
) STRICT;

-- By what refers to them, so that what nobody refers to any more can be dropped without reading everything. Mailboxes and their
-- history have no such index: it would cost each run more than it saves.
CREATE INDEX domain_by_dossier ON domain_dossier (dossier);
CREATE INDEX dossier_by_body ON dossier_body (body);
