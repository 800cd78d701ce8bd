//! Revocation (section V).
