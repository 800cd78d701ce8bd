//! Scopes and resources at the token endpoint (section S, RFC 8707).
