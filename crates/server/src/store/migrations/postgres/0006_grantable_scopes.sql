-- What the account may grant to others apart from its own management scopes: scopes, or all scopes with a prefix (`orders:*`).
-- NULL: nothing.
ALTER TABLE service_accounts ADD COLUMN grantable_scopes TEXT;
