//! Introspection (section I).
