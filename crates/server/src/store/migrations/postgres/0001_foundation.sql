-- Ids are 16 bytes, instants are milliseconds since the Unix epoch, scopes are one sorted space-separated text.

CREATE TABLE installation (
    id                BIGINT  NOT NULL PRIMARY KEY CHECK (id = 1),
    master_key_check  BYTEA   NOT NULL,
    bootstrapped_at   BIGINT
);

CREATE TABLE organizations (
    id              BYTEA   NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL UNIQUE,
    created_at      BIGINT  NOT NULL,
    audit_sequence  BIGINT  NOT NULL,
    audit_hash      BYTEA   NOT NULL
);

CREATE TABLE service_accounts (
    id               BYTEA   NOT NULL PRIMARY KEY,
    organization_id  BYTEA   NOT NULL REFERENCES organizations (id),
    name             TEXT    NOT NULL,
    description      TEXT,
    scopes           TEXT    NOT NULL,
    token_epoch      BIGINT  NOT NULL,
    disabled_at      BIGINT,
    created_at       BIGINT  NOT NULL,
    created_by       BYTEA,
    updated_at       BIGINT  NOT NULL,
    last_used_at     BIGINT
);

-- The order of the list: oldest first, stable.
CREATE INDEX service_accounts_listed ON service_accounts (organization_id, created_at, id);

CREATE TABLE secrets (
    id                  BYTEA   NOT NULL PRIMARY KEY,
    service_account_id  BYTEA   NOT NULL REFERENCES service_accounts (id) ON DELETE CASCADE,
    digest              BYTEA   NOT NULL,
    hint                TEXT    NOT NULL,
    created_at          BIGINT  NOT NULL,
    created_by          BYTEA,
    expires_at          BIGINT,
    -- Set by a rotation with grace: when it ends, and which secret took its place.
    retires_at          BIGINT,
    retired_by          BYTEA,
    revoked_at          BIGINT,
    first_used_at       BIGINT,
    last_used_at        BIGINT
);

CREATE INDEX secrets_of_account ON secrets (service_account_id);

-- A day is a number: days since 1970-01-01.
CREATE TABLE usage (
    service_account_id  BYTEA   NOT NULL REFERENCES service_accounts (id) ON DELETE CASCADE,
    day                 BIGINT  NOT NULL,
    tokens_issued       BIGINT  NOT NULL,
    tokens_refused      BIGINT  NOT NULL,
    PRIMARY KEY (service_account_id, day)
);

CREATE INDEX usage_swept ON usage (day);

CREATE TABLE revoked_tokens (
    id          BYTEA   NOT NULL PRIMARY KEY,
    expires_at  BIGINT  NOT NULL
);

CREATE INDEX revoked_tokens_swept ON revoked_tokens (expires_at);

CREATE TABLE signing_keys (
    id           TEXT    NOT NULL PRIMARY KEY,
    algorithm    TEXT    NOT NULL,
    generation   BIGINT  NOT NULL,
    private_key  BYTEA   NOT NULL,
    public_key   BYTEA   NOT NULL,
    created_at   BIGINT  NOT NULL,
    not_before   BIGINT  NOT NULL,
    retired_at   BIGINT,
    UNIQUE (algorithm, generation)
);

CREATE TABLE audit_events (
    organization_id  BYTEA   NOT NULL REFERENCES organizations (id),
    sequence         BIGINT  NOT NULL,
    at               BIGINT  NOT NULL,
    actor            TEXT    NOT NULL,
    action           TEXT    NOT NULL,
    target           TEXT    NOT NULL,
    request_id       TEXT,
    address          TEXT,
    detail           TEXT    NOT NULL,
    previous_hash    BYTEA   NOT NULL,
    PRIMARY KEY (organization_id, sequence)
);
