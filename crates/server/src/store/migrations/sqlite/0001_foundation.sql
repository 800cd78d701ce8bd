-- Ids are 16 bytes, instants are milliseconds since the Unix epoch, scopes are one sorted space-separated text.

CREATE TABLE installation (
    id                INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    master_key_check  BLOB    NOT NULL,
    bootstrapped_at   INTEGER
) STRICT;

CREATE TABLE organizations (
    id              BLOB    NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL UNIQUE,
    created_at      INTEGER NOT NULL,
    audit_sequence  INTEGER NOT NULL,
    audit_hash      BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE service_accounts (
    id               BLOB    NOT NULL PRIMARY KEY,
    organization_id  BLOB    NOT NULL REFERENCES organizations (id),
    name             TEXT    NOT NULL,
    description      TEXT,
    scopes           TEXT    NOT NULL,
    token_epoch      INTEGER NOT NULL,
    disabled_at      INTEGER,
    created_at       INTEGER NOT NULL,
    created_by       BLOB,
    updated_at       INTEGER NOT NULL,
    last_used_at     INTEGER
) STRICT, WITHOUT ROWID;

-- The order of the list: oldest first, stable.
CREATE INDEX service_accounts_listed ON service_accounts (organization_id, created_at, id);

CREATE TABLE secrets (
    id                  BLOB    NOT NULL PRIMARY KEY,
    service_account_id  BLOB    NOT NULL REFERENCES service_accounts (id) ON DELETE CASCADE,
    digest              BLOB    NOT NULL,
    hint                TEXT    NOT NULL,
    created_at          INTEGER NOT NULL,
    created_by          BLOB,
    expires_at          INTEGER,
    -- Set by a rotation with grace: when it ends, and which secret took its place.
    retires_at          INTEGER,
    retired_by          BLOB,
    revoked_at          INTEGER,
    first_used_at       INTEGER,
    last_used_at        INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX secrets_of_account ON secrets (service_account_id);

-- A day is a number: days since 1970-01-01.
CREATE TABLE usage (
    service_account_id  BLOB    NOT NULL REFERENCES service_accounts (id) ON DELETE CASCADE,
    day                 INTEGER NOT NULL,
    tokens_issued       INTEGER NOT NULL,
    tokens_refused      INTEGER NOT NULL,
    PRIMARY KEY (service_account_id, day)
) STRICT, WITHOUT ROWID;

CREATE INDEX usage_swept ON usage (day);

CREATE TABLE revoked_tokens (
    id          BLOB    NOT NULL PRIMARY KEY,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX revoked_tokens_swept ON revoked_tokens (expires_at);

CREATE TABLE signing_keys (
    id           TEXT    NOT NULL PRIMARY KEY,
    algorithm    TEXT    NOT NULL,
    generation   INTEGER NOT NULL,
    private_key  BLOB    NOT NULL,
    public_key   BLOB    NOT NULL,
    created_at   INTEGER NOT NULL,
    not_before   INTEGER NOT NULL,
    retired_at   INTEGER,
    UNIQUE (algorithm, generation)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_events (
    organization_id  BLOB    NOT NULL REFERENCES organizations (id),
    sequence         INTEGER NOT NULL,
    at               INTEGER NOT NULL,
    actor            TEXT    NOT NULL,
    action           TEXT    NOT NULL,
    target           TEXT    NOT NULL,
    request_id       TEXT,
    address          TEXT,
    detail           TEXT    NOT NULL,
    previous_hash    BLOB    NOT NULL,
    PRIMARY KEY (organization_id, sequence)
) STRICT, WITHOUT ROWID;
