-- What is kept of requests with an Idempotency-Key: their answers, sealed. The rows are long, so the table has rowids.
CREATE TABLE idempotent_requests (
    id          BLOB    NOT NULL PRIMARY KEY,
    sealed      BLOB    NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT;

CREATE INDEX idempotent_requests_swept ON idempotent_requests (expires_at);
