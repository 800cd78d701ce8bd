//! The token endpoint, success side (section R).
