-- Tenants, mailboxes, their outcomes over time, and the evidence. Times are seconds since 1970 (UTC).

CREATE TABLE tenant (
  id   TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
  name TEXT NOT NULL
) STRICT;

CREATE TABLE run (
  id          INTEGER PRIMARY KEY,
  started_at  INTEGER NOT NULL,
  resumed_at  INTEGER,
  finished_at INTEGER,
  state       TEXT NOT NULL CHECK (state IN ('running', 'finished', 'interrupted')),
  CHECK ((state = 'running') = (finished_at IS NULL))
) STRICT;

-- `mailboxes`: how many the tenant's list had.
CREATE TABLE run_tenant (
  run       INTEGER NOT NULL REFERENCES run (id),
  tenant    TEXT NOT NULL REFERENCES tenant (id),
  mailboxes INTEGER NOT NULL CHECK (mailboxes >= 0),
  state     TEXT NOT NULL CHECK (state IN ('running', 'finished')),
  PRIMARY KEY (run, tenant)
) STRICT, WITHOUT ROWID;

-- A mail domain, and how far the newest run that met it came: up to the address key `through`, or to its end. `list` is a
-- SHA-256 of what the run was to go through: the domain's mailboxes, and the rules by which they are judged.
CREATE TABLE domain (
  tenant  TEXT NOT NULL REFERENCES tenant (id),
  name    TEXT NOT NULL CHECK (name <> ''),
  run     INTEGER NOT NULL REFERENCES run (id),
  list    BLOB NOT NULL CHECK (length(list) = 32),
  through TEXT,
  done    INTEGER NOT NULL CHECK (done IN (0, 1)),
  at      INTEGER NOT NULL,
  PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

-- What was last left of a domain's mailboxes with address keys after `after`, up to `through` or, where `done`, to the end:
-- `digest` is the SHA-256 of their rows.
CREATE TABLE seal (
  tenant  TEXT NOT NULL,
  domain  TEXT NOT NULL,
  after   TEXT NOT NULL,
  through TEXT NOT NULL,
  done    INTEGER NOT NULL CHECK (done IN (0, 1)),
  digest  BLOB NOT NULL CHECK (length(digest) = 32),
  PRIMARY KEY (tenant, domain, after),
  FOREIGN KEY (tenant, domain) REFERENCES domain (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE profile (
  id   INTEGER PRIMARY KEY,
  body TEXT NOT NULL UNIQUE
) STRICT;

-- All clients' verdicts, once by content: `digest` is the SHA-256 of `body`.
CREATE TABLE outcome (
  id           INTEGER PRIMARY KEY,
  digest       BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
  body         TEXT NOT NULL,
  needs_manual INTEGER NOT NULL CHECK (needs_manual IN (0, 1)),
  undetermined INTEGER NOT NULL CHECK (undetermined IN (0, 1)),
  worst        TEXT NOT NULL CHECK (worst IN
                 ('ok', 'undetermined', 'not_found', 'insecure', 'retired', 'wrong_cloud', 'foreign', 'consumer'))
) STRICT;

-- `outcome` is null while the mailbox is on no list any more.
CREATE TABLE mailbox (
  id          INTEGER PRIMARY KEY,
  tenant      TEXT NOT NULL,
  domain      TEXT NOT NULL,
  address_key TEXT NOT NULL CHECK (substr(address_key, -length(domain) - 1) = '@' || domain),
  address     TEXT NOT NULL,
  profile     INTEGER NOT NULL REFERENCES profile (id),
  person      TEXT,
  outcome     INTEGER REFERENCES outcome (id),
  first_run   INTEGER NOT NULL REFERENCES run (id),
  UNIQUE (tenant, domain, address_key),
  FOREIGN KEY (tenant, domain) REFERENCES domain (tenant, name)
) STRICT;

-- A row only where the pointer changed; a null outcome says that the mailbox left the list.
CREATE TABLE history (
  mailbox INTEGER NOT NULL REFERENCES mailbox (id),
  run     INTEGER NOT NULL REFERENCES run (id),
  outcome INTEGER REFERENCES outcome (id),
  at      INTEGER NOT NULL,
  PRIMARY KEY (mailbox, run)
) STRICT, WITHOUT ROWID;

-- A response body, once by content: `digest` is the SHA-256 of `bytes`.
CREATE TABLE body (
  digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
  bytes  BLOB NOT NULL
) STRICT;

-- All answers about a domain, once by content: `digest` is the SHA-256 of `json`.
CREATE TABLE dossier (
  id     INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
  json   TEXT NOT NULL
) STRICT;

CREATE TABLE dossier_body (
  dossier INTEGER NOT NULL REFERENCES dossier (id),
  body    BLOB NOT NULL REFERENCES body (digest),
  PRIMARY KEY (dossier, body)
) STRICT, WITHOUT ROWID;

-- A row only where the answers changed.
CREATE TABLE domain_dossier (
  tenant  TEXT NOT NULL,
  domain  TEXT NOT NULL,
  run     INTEGER NOT NULL REFERENCES run (id),
  dossier INTEGER NOT NULL REFERENCES dossier (id),
  at      INTEGER NOT NULL,
  PRIMARY KEY (tenant, domain, run),
  FOREIGN KEY (tenant, domain) REFERENCES domain (tenant, name)
) STRICT, WITHOUT ROWID;
