-- Labels are one text of `key:value` lines in the order of the keys.
ALTER TABLE service_accounts ADD COLUMN owner TEXT;
ALTER TABLE service_accounts ADD COLUMN labels TEXT;
ALTER TABLE service_accounts ADD COLUMN token_lifetime_seconds INTEGER;
ALTER TABLE service_accounts ADD COLUMN expires_at INTEGER;
ALTER TABLE service_accounts ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
