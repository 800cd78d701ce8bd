//! The HTTP layer (section H).
