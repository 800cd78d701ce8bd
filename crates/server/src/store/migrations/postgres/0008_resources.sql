-- The APIs that tokens are for, beside the management API. Each belongs to an organization. To other organizations it does not exist,
-- unless it is shared.
CREATE TABLE resources (
    id                      BYTEA    NOT NULL PRIMARY KEY,
    organization_id         BYTEA    NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    identifier              TEXT     NOT NULL UNIQUE,
    shared                  BIGINT   NOT NULL,
    token_format            TEXT     NOT NULL,
    token_lifetime_seconds  BIGINT   NOT NULL,
    created_at              BIGINT   NOT NULL
);

CREATE INDEX resources_of_organization ON resources (organization_id);
CREATE INDEX shared_resources ON resources (shared) WHERE shared = 1;

-- A scope belongs to one resource of its organization.
CREATE TABLE resource_scopes (
    organization_id  BYTEA NOT NULL,
    name             TEXT  NOT NULL,
    resource_id      BYTEA NOT NULL REFERENCES resources (id) ON DELETE CASCADE,
    PRIMARY KEY (organization_id, name)
);

CREATE INDEX scopes_of_resource ON resource_scopes (resource_id);

-- Is raised with every change of the resources that the organization can use. Look-ups read it, so that every node notices the change.
ALTER TABLE organizations ADD COLUMN resources_version BIGINT NOT NULL DEFAULT 1;

-- Is raised when a node writes the resources of its configuration, so that two nodes do not write them at once.
ALTER TABLE installation ADD COLUMN configured_resources_version BIGINT NOT NULL DEFAULT 1;
