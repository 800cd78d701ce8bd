-- What the account may grant to others apart from its own management scopes: scopes, or all scopes with a prefix (`orders:*`).
-- NULL: nothing.
ALTER TABLE service_accounts ADD COLUMN grantable_scopes TEXT;

-- The accounts among which the last administrator of an organization is looked for.
CREATE INDEX administrators ON service_accounts (organization_id)
    WHERE replace(' ' || scopes || ' ', ' management:all ', '') <> ' ' || scopes || ' ';
