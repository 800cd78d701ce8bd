-- The secrets of an account are found by its id: one index does for both keys.
ALTER TABLE secrets DROP CONSTRAINT secrets_pkey, ADD PRIMARY KEY (service_account_id, id);

DROP INDEX secrets_of_account;
