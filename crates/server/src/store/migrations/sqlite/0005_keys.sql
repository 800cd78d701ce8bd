-- Is raised with every change of the signing keys. Look-ups read it, so that every node notices the change.
ALTER TABLE installation ADD COLUMN keys_version INTEGER NOT NULL DEFAULT 1;

-- A key retires when the next one of its algorithm begins to sign; that need not be stored. What must be is whether it was revoked.
ALTER TABLE signing_keys RENAME COLUMN retired_at TO revoked_at;
