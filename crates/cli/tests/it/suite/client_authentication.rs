//! Client authentication by secret (section A).
