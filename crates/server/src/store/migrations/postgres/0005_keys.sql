-- Is raised with every change of the signing keys. Look-ups read it, so that every node notices the change.
ALTER TABLE installation ADD COLUMN keys_version BIGINT NOT NULL DEFAULT 1;

-- A key retires when the next one of its algorithm begins to sign; that need not be stored. What must be is whether it was revoked.
ALTER TABLE signing_keys RENAME COLUMN retired_at TO revoked_at;

-- The keys that protect what is stored and issued, sealed with the master key. They are added at the first start: on a database that
-- exists, they are the keys that were derived from the master key before.
CREATE TABLE data_keys (
    purpose     TEXT    NOT NULL,
    generation  BIGINT  NOT NULL,
    sealed      BYTEA   NOT NULL,
    PRIMARY KEY (purpose, generation)
);
