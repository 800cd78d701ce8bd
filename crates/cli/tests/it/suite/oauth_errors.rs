//! Errors at the OAuth endpoints (section E).
