-- The APIs that tokens are for, beside the management API. Each belongs to an organization. To other organizations it does not exist,
-- unless it is shared.
CREATE TABLE resources (
    id                      BLOB     NOT NULL PRIMARY KEY,
    organization_id         BLOB     NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    identifier              TEXT     NOT NULL UNIQUE,
    shared                  INTEGER  NOT NULL,
    token_format            TEXT     NOT NULL,
    token_lifetime_seconds  INTEGER  NOT NULL,
    created_at              INTEGER  NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX resources_of_organization ON resources (organization_id);
CREATE INDEX shared_resources ON resources (shared) WHERE shared = 1;

-- A scope belongs to one resource of its organization.
CREATE TABLE resource_scopes (
    organization_id  BLOB  NOT NULL,
    name             TEXT  NOT NULL,
    resource_id      BLOB  NOT NULL REFERENCES resources (id) ON DELETE CASCADE,
    PRIMARY KEY (organization_id, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX scopes_of_resource ON resource_scopes (resource_id);

-- Is raised with every change of the resources that the organization can use. Look-ups read it, so that every node notices the change.
ALTER TABLE organizations ADD COLUMN resources_version INTEGER NOT NULL DEFAULT 1;

-- Is raised when a node writes the resources of its configuration, so that two nodes do not write them at once.
ALTER TABLE installation ADD COLUMN configured_resources_version INTEGER NOT NULL DEFAULT 1;
