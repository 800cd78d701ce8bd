-- When the operator disabled the organization. NULL: it is enabled.
ALTER TABLE organizations ADD COLUMN disabled_at INTEGER;
