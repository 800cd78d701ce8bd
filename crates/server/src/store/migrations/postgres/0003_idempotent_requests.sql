-- What is kept of requests with an Idempotency-Key: their answers, sealed.
CREATE TABLE idempotent_requests (
    id          BYTEA   NOT NULL PRIMARY KEY,
    sealed      BYTEA   NOT NULL,
    expires_at  BIGINT  NOT NULL
);

CREATE INDEX idempotent_requests_swept ON idempotent_requests (expires_at);
